"""An archive's RO-Crate metadata: its files, the actions that made them, and a public validator."""

import hashlib
import json
import shutil
import subprocess

import pytest
from rectify.sharing.crate import FILE, crate_text

SAMPLES, SCORES = "results/s/samples/m/base.parquet", "results/s/scores/m/base.parquet"
OWN = "/home/someone/own.py"
FILES = {
    name: f"content of {name}".encode()
    for name in (SAMPLES, SCORES, "README.md", "rebuild.sh", "results/s/tables/two words.csv")
}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def made(step, inputs, outputs, hour):
    """A manifest; of each input and output its path, and what it held if it is not in FILES."""

    def entry(path):
        return {"path": path, "sha256": sha256(FILES.get(path, b"elsewhere"))}

    return {
        "step": step,
        "inputs": [entry(path) for path in inputs],
        "outputs": [entry(path) for path in outputs],
        "code": {"commit": "c0ffee", "dirty": step == "score", "sha256": "ab" * 32},
        "started": f"2026-01-02T{hour:02}:00:00+00:00",
        "ended": f"2026-01-02T{hour:02}:30:00+00:00",
    }


MANIFESTS = {
    "results/s/samples/m/base.manifest.json": made("decode", ["results/s/models/m/base"],
                                                   [SAMPLES], 3),
    "results/s/scores/m/base.manifest.json": made("score", [SAMPLES, OWN], [SCORES], 4),
}  # fmt: skip


def everything():
    """The files and manifests of a little archive."""
    held = FILES | {name: json.dumps(manifest).encode() for name, manifest in MANIFESTS.items()}
    # beside two results of one step lies the same
    twice = "results/s/scores/m/other.manifest.json"
    first = "results/s/scores/m/base.manifest.json"
    return held | {twice: held[first]}, MANIFESTS | {twice: MANIFESTS[first]}


def text():
    files, manifests = everything()
    held = {name: (sha256(data), len(data)) for name, data in files.items()}
    return crate_text("s", held, manifests)


@pytest.fixture
def graph():
    return {entry["@id"]: entry for entry in json.loads(text())["@graph"]}


def ids(value):
    return [entry["@id"] for entry in value]


def test_every_file_is_part_of_it_with_hash_and_size(graph):
    files, _ = everything()
    names = {name.replace(" ", "%20"): data for name, data in files.items()}
    assert set(ids(graph["./"]["hasPart"])) == set(names)
    for name, data in names.items():
        own = graph[name]
        assert own["@type"] == "File"
        assert (own["sha256"], own["contentSize"]) == (sha256(data), str(len(data)))
    assert graph[SCORES]["encodingFormat"] == "application/vnd.apache.parquet"
    assert graph[FILE]["about"] == {"@id": "./"}


def test_each_step_is_an_action_with_what_it_read_and_made(graph):
    decode, score = (graph[name] for name in sorted(ids(graph["./"]["mentions"])))
    assert (decode["@type"], score["@type"]) == ("CreateAction", "CreateAction")
    assert (decode["startTime"], decode["endTime"]) == (
        "2026-01-02T03:00:00+00:00", "2026-01-02T03:30:00+00:00",
    )  # fmt: skip
    assert ids(decode["result"]) == [SAMPLES]
    assert ids(score["object"])[0] == SAMPLES
    assert ids(score["result"]) == [SCORES]
    by = graph[score["instrument"]["@id"]]
    assert (by["@type"], by["name"]) == ("SoftwareApplication", "rectify score")
    assert by["softwareVersion"] == f"commit c0ffee, changed; code {'ab' * 32}"
    assert "changed" not in graph[decode["instrument"]["@id"]]["softwareVersion"]


def test_what_is_not_in_the_archive_goes_by_name_and_hash(graph):
    (model,) = ids(graph["#results/s/samples/m/base"]["object"])
    assert graph[model]["name"] == "results/s/models/m/base"
    assert graph[model]["sha256"] == sha256(b"elsewhere")
    own = graph[ids(graph["#results/s/scores/m/base"]["object"])[1]]
    assert own["name"] == "own.py"  # where it lay is nobody's business
    assert "someone" not in text()


def test_a_file_that_has_changed_since_is_not_the_steps():
    files, manifests = everything()
    held = {name: (sha256(data), len(data)) for name, data in files.items()}
    held[SAMPLES] = sha256(b"another"), 7
    graph = {e["@id"]: e for e in json.loads(crate_text("s", held, manifests))["@graph"]}
    for action, role in (("samples", "result"), ("scores", "object")):
        named = ids(graph[f"#results/s/{action}/m/base"][role])[0]
        assert named == f"#{SAMPLES}@{sha256(FILES[SAMPLES])[:16]}"


def test_it_is_cited_and_licensed_as_the_project_says(graph):
    root = graph["./"]
    assert [graph[name]["name"] for name in ids(root["author"])] == ["The rectify authors"]
    assert root["license"] == {"@id": "https://spdx.org/licenses/MIT"}
    assert root["datePublished"] == "2026-01-02T04:30:00+00:00"  # the last step's end
    assert root["conformsTo"] == {"@id": "https://w3id.org/ro/wfrun/process/0.5"}


def test_the_same_files_give_the_same_text():
    assert text() == text()


@pytest.mark.slow
@pytest.mark.skipif(
    not shutil.which("rocrate-validator"),
    reason="pip install roc-validator==0.13.0, in an environment of its own; it asks the network",
)
@pytest.mark.parametrize("profile", ["ro-crate-1.1", "process-run-crate-0.5"])
def test_the_public_validator_finds_nothing_amiss(tmp_path, profile):
    files, _ = everything()
    for name, data in {**files, FILE: text().encode()}.items():
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    command = ["rocrate-validator", "-y", "validate", "--no-paging", "-v", "-p", profile]
    done = subprocess.run([*command, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
