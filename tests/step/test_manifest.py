"""Manifests: what they state, against git, coreutils and hashlib; and what they must not do."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import SimpleNamespace

import pytest
from helpers import ROOT, one_line, settings_file, step
from rectify.step import environment, manifest
from rectify.step.code_files import code_files, files_behind
from small_study import as_step, inside, run


def sha(path):
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def read(path):
    return json.loads(Path(path).read_text())


def write(text):
    return lambda path: path.write_text(text)


def command(*words, cwd):
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=True).stdout


def test_a_manifest_says_what_made_a_result_and_from_what(small_study):
    base = small_study / "results/small"
    found = read(base / "scores/m/base.manifest.json")
    assert (found["step"], found["study"]) == ("score", "small")
    assert found["options"]["workers"] == 1
    assert [entry["path"].rpartition("/")[2] for entry in found["inputs"]] == [
        "base.part1of2.parquet", "base.part2of2.parquet", "easy.parquet", "hard.parquet",
    ]  # fmt: skip
    for entry in found["inputs"]:
        assert entry["sha256"] == sha(small_study / entry["path"])
        assert entry["manifest"]["sha256"] == sha(small_study / entry["manifest"]["path"])
    (output,) = found["outputs"]
    assert output["path"] == "results/small/scores/m/base.parquet"
    assert output["sha256"] == sha(base / "scores/m/base.parquet")
    assert found["code"]["files"] == {file: sha(ROOT / file) for file in code_files("score")}
    assert found["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert found["started"] <= found["ended"]


def test_the_memory_stated_is_of_the_step_not_of_what_started_it():
    heavy = b"a" * 2**29
    ask = "from rectify.step.environment import peak_memory; print(peak_memory())"
    found = float(command(sys.executable, "-c", ask, cwd=ROOT))
    assert 10 < found < len(heavy) / 2**20


def test_settings_are_kept_whole_with_their_hash_and_the_files_that_they_name(small_study):
    found = read(small_study / "results/small/tables/table1.manifest.json")
    text = json.dumps(found["settings"], sort_keys=True).encode()
    assert found["settings_sha256"] == hashlib.sha256(text).hexdigest()
    named = {file for row in found["settings"]["rows"] for file in row["scores"]}
    own = {"models/m/dft-offline-seed0", "self/m/base/correct.parquet"}
    named |= {f"results/small/{name}" for name in own}
    assert {entry["path"] for entry in found["inputs"]} == {*named, "config/published.csv"}
    endings = [Path(entry["path"]).suffix for entry in found["outputs"]]
    assert endings == [".csv", ".md", ".tex"]


def test_a_manifest_of_before_is_read_for_what_it_says(tmp_path):
    with inside(tmp_path), manifest.kept("score", Namespace(out="a.csv", settings={"a": 1})):
        Path("a.csv").write_text("1")
    stated = read(tmp_path / "a.manifest.json")
    older = {key: value for key, value in stated.items() if key not in manifest.LATER}
    write(json.dumps(older))(tmp_path / "a.manifest.json")
    found = manifest.read_manifest(tmp_path / "a.manifest.json")
    assert (found["cpu_seconds"], found["log"]) == (None, None)
    assert found["seconds"] == stated["seconds"]


def test_results_that_are_made_together_have_a_manifest_each(tmp_path):
    with inside(tmp_path):
        Path("a.parquet").write_text("in")
        names = {"correct": "c.parquet", "pairs": "p.parquet", "counts": "n.json"}
        with manifest.kept("keep_answers", Namespace(samples=["a.parquet"], **names)):
            for name in names.values():
                Path(name).write_text(name)
        manifests = [read(f"{stem}.manifest.json") for stem in "cpn"]
    assert manifests[0] == manifests[1] == manifests[2]
    assert [entry["path"] for entry in manifests[0]["outputs"]] == list(names.values())


def test_a_folders_hash_is_that_of_its_files_as_sha256sum_lists_them(tmp_path):
    for name in ("model.safetensors", "step-2/model.safetensors", "step-2-config", "step-10"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    listed = command(
        "sh", "-c", "find * -type f | LC_ALL=C sort | xargs sha256sum | sha256sum", cwd=tmp_path
    )
    (tmp_path / ".snakemake_timestamp").touch()
    (tmp_path / "README.md").write_text("a model card, written when the scores are known")
    (tmp_path / "train.csv").write_text("step,tokens_per_s\n1,1234\n")
    found = manifest.content(tmp_path)
    assert found.sha256 == listed.split()[0]
    assert found.files["train.csv"].sha256 == sha(tmp_path / "train.csv")


def test_large_files_are_read_again_only_when_size_or_time_differ(tmp_path, monkeypatch):
    file = tmp_path / "weights"
    file.write_text("one")
    before = manifest.content(file)
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    file.write_text("two")
    os.utime(file, ns=times)
    # a small file is always read; the cache of a process is of one step
    manifest.hashed.cache_clear()
    assert manifest.content(file, before.files).sha256 == sha(file) != before.sha256
    monkeypatch.setattr(manifest, "TRUSTED", 3)
    trusted = manifest.content(file, before.files)
    assert (trusted.sha256, trusted.read) == (before.sha256, False)
    os.utime(file, ns=(times[0], times[1] + 1))
    assert manifest.content(file, before.files) == manifest.content(file)
    assert manifest.content(file, before.files).sha256 == sha(file)


@pytest.mark.slow
def test_the_commit_and_whether_tracked_files_differ_from_it(tmp_path):
    shutil.copytree(ROOT / "workflow", tmp_path / "a/workflow")
    folder = tmp_path / "a"

    def stated():
        code = "import json; from rectify.step.environment import describe_code; "
        code += "print(json.dumps(describe_code('score')))"
        environment = {**os.environ, "PYTHONPATH": str(folder / "workflow")}
        done = subprocess.run(
            [sys.executable, "-B", "-c", code], env=environment, capture_output=True, check=True
        )
        found = json.loads(done.stdout)
        return found["commit"], found["dirty"]

    assert stated() == (None, None)
    author = ("-c", "user.name=a", "-c", "user.email=a@b")
    for words in (["init", "-q"], ["add", "."], [*author, "commit", "-qm", "a"]):
        command("git", *words, cwd=folder)
    commit = command("git", "rev-parse", "HEAD", cwd=folder).strip()
    assert stated() == (commit, False)
    (folder / "new.txt").touch()
    assert stated() == (commit, False)
    (folder / "workflow/rectify/paper/plot_figure.py").write_text("")
    assert stated() == (commit, True)
    shutil.rmtree(folder / ".git")
    command("git", "init", "-q", cwd=tmp_path)  # another checkout around it is not its own
    command("git", *author, "commit", "-qm", "a", "--allow-empty", cwd=tmp_path)
    assert stated() == (None, None)


def test_without_git_there_is_no_commit_and_all_else(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    code = environment.describe_code("score")
    assert (code["commit"], code["dirty"]) == (None, None)
    assert len(code["files"]) == len(code_files("score"))


def test_gpus_are_those_that_torch_sees(monkeypatch):
    cuda = SimpleNamespace(
        is_available=lambda: True, device_count=lambda: 2, get_device_name="GPU {}".format
    )
    cpu = SimpleNamespace(get_cpu_capability=lambda: "AVX2")
    torch = SimpleNamespace(cuda=cuda, backends=SimpleNamespace(cpu=cpu))
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert environment.machine()["gpus"] == ["GPU 0", "GPU 1"]
    assert environment.machine()["kernels"] == "AVX2"
    monkeypatch.delitem(sys.modules, "torch")
    assert environment.machine()["gpus"] == []
    assert environment.machine()["kernels"] is None


def test_prompts_and_tokenizer_are_stated_by_their_hashes(model_folder):
    from rectify.models.encoding import encode_prompts
    from rectify.models.prompts import render
    from rectify.models.tokenizer import load_tokenizer

    manifest.NOTES.clear()
    tokenizer = load_tokenizer(model_folder)
    encode_prompts(tokenizer, "chat", ["1+1?", "2+2?"])
    texts = "\0".join(render("chat", tokenizer, problem) for problem in ("1+1?", "2+2?"))
    assert dict(manifest.NOTES) == {
        "tokenizer_sha256": sha(model_folder / "tokenizer.json"),
        "chat_template_sha256": sha(model_folder / "chat_template.jinja"),
        "prompt_style": "chat",
        "prompts_sha256": hashlib.sha256(texts.encode()).hexdigest(),
    }


def test_a_users_own_objective_is_an_input(tmp_path):
    from rectify.objectives.signature import find_function

    own = ROOT / "config/objectives/example.py"
    function = re.search(r"^def (\w+)", own.read_text(), re.MULTILINE)[1]
    with inside(tmp_path), manifest.kept("train", Namespace(settings={"seed": 0}, out="a.bin")):
        find_function(f"{own}:{function}")
        Path("a.bin").touch()
    (source,) = read(tmp_path / "a.manifest.json")["inputs"]
    assert (source["path"], source["sha256"]) == (str(own), sha(own))


def test_a_source_file_is_stated_by_its_hash(tmp_path):
    with inside(tmp_path):
        Path("rows.jsonl").write_text('{"p": "1+1?", "s": "2"}\n')
        settings = {"rows_of": "training", "seed": 0, "problem": "p", "solution": "s"}
        settings |= {"pick": "random", "file": "rows.jsonl"}
        files = ("--out", "out.parquet", "--counts", "out.json")
        run("sample_rows", "--settings", settings_file(settings), *files)
        found = read("out.manifest.json")
    digest = sha(tmp_path / "rows.jsonl")
    assert found["notes"] == {"source_sha256": digest}
    (source,) = found["inputs"]
    assert (source["path"], source["sha256"]) == ("rows.jsonl", digest)
    assert found["study"] is None


def test_a_step_that_fails_leaves_none(tmp_path):
    arguments = ("--samples", "gone.parquet", "--benchmarks", "gone.parquet", "--out", "a.parquet")
    one_line(step("score", *arguments, cwd=tmp_path), "gone.parquet: no such file")
    assert not list(tmp_path.iterdir())


def test_only_the_first_of_several_processes_writes_one(tmp_path, monkeypatch):
    with inside(tmp_path):
        for rank, there in (("1", False), ("0", True)):
            monkeypatch.setenv("RANK", rank)
            as_step("train", write("weights"), settings={"seed": 0}, out="model.bin")
            assert Path("model.manifest.json").exists() == there


def test_a_manifest_that_cannot_be_written_is_said_and_the_result_stands(
    tmp_path, monkeypatch, capsys
):
    def full(path, value):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(manifest, "write_json", full)
    with inside(tmp_path):
        as_step("train", write("weights"), settings={"seed": 0}, out="model.bin")
        assert Path("model.bin").read_text() == "weights"
    said = capsys.readouterr().err
    assert said == "rectify train: no manifest is kept: [Errno 28] No space left on device\n"


def test_what_writes_manifests_decides_nothing_in_a_result():
    """Else editing it would train every model again."""
    own = {"workflow/rectify/step/manifest.py", "workflow/rectify/step/environment.py"}
    for name in ("train", "decode", "score", "tabulate_scores", "plot_figure"):
        assert not own & set(code_files(name))
    assert own < set(files_behind("step.manifest"))
