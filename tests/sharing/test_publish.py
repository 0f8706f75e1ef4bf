"""What is sent to the hub: models, their scores for leaderboards, their samples as a data set."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pandas as pd
import pytest
import yaml
from helpers import one_line, settings_file, step
from huggingface_hub import DatasetCard, parse_eval_result_entries
from huggingface_hub.errors import HfHubHTTPError
from rectify.sharing import publish
from rectify.step.errors import StepError
from small_study import as_step, card_settings, inside, model_folder, run

MODELS = "results/small/models/m"


def test_a_dry_run_lists_model_card_and_manifest_with_sizes(carded):
    folder = carded / MODELS / "dft-seed0"
    (folder / ".snakemake_timestamp").touch()
    done = step("publish", f"{MODELS}/dft-seed0", "--to", "org/name", "--dry-run", cwd=carded)
    assert done.returncode == 0, done.stderr
    head, *lines, total, left_out = done.stdout.splitlines()
    assert head == "would go to org/name:"
    assert left_out.startswith("no entry in .eval_results/rectify.yaml for Easy, Hard: they are no")
    found = {line.split()[2]: int(line.split()[0].replace(",", "")) for line in lines}
    assert found == {
        **{file.name: file.stat().st_size for file in folder.glob("[!.]*")},
        "manifest.json": (carded / f"{MODELS}/dft-seed0.manifest.json").stat().st_size,
    }
    assert {"config.json", "model.safetensors", "README.md", "manifest.json"} <= set(found)
    assert int(total.split()[0].replace(",", "")) == sum(found.values())


class Hub:
    """Stands for the hub: keeps what it is sent, or fails."""

    def __init__(self, error=None):
        self.error, self.repos, self.commits = error, [], []

    def create_repo(self, repo_id, *, repo_type, exist_ok):
        if self.error:
            raise self.error
        self.repos.append((repo_id, repo_type, exist_ok))

    def create_commit(self, repo_id, *, repo_type, operations, commit_message):
        self.commits.append((repo_id, repo_type, operations))
        return SimpleNamespace(commit_url="address")


def publish_to(monkeypatch, hub, folder, *more, to="org/name"):
    monkeypatch.setattr(publish, "HfApi", lambda: hub)
    words = [str(folder), "--to", to, *more]
    publish.main(publish.parser().parse_args(words))


def retrain_with_checkpoint(name):
    """Make a model again as a learning curve's, with its card."""
    manifest = json.loads(Path(f"{name}.manifest.json").read_text())
    card = Path(name, "README.md").read_text()
    shutil.rmtree(name)

    def write(folder):
        model_folder(b"weights")(folder)
        model_folder(b"earlier")(folder / "checkpoint-2")
        (folder / "README.md").write_text(card)

    as_step("train", write, **manifest["options"], settings=manifest["settings"])


def test_an_upload_is_one_commit_of_what_the_dry_run_lists(carded, monkeypatch, capsys):
    hub = Hub()
    folder = carded / MODELS / "dft-seed0"
    with inside(carded):
        retrain_with_checkpoint(f"{MODELS}/dft-seed0")
    publish_to(monkeypatch, hub, folder)
    assert hub.repos == [("org/name", "model", True)]
    [(repo, kind, operations)] = hub.commits
    assert (repo, kind) == ("org/name", "model")
    sent = {entry.path_in_repo: entry.path_or_fileobj for entry in operations}
    assert set(sent) == {"manifest.json", *(f.name for f in folder.iterdir() if f.is_file())}
    assert {"config.json", "model.safetensors", "README.md"} < set(sent)
    assert sent["README.md"] == str(folder / "README.md")
    manifest = json.loads(Path(sent["manifest.json"]).read_text())
    assert manifest["outputs"][0]["path"] == f"{MODELS}/dft-seed0"
    assert (folder / "checkpoint-2" / "config.json").is_file()
    assert capsys.readouterr().out.endswith("address\n")


def on_the_hub(folder, **also):
    """Write the cards anew, as if the benchmark easy were a data set of the hub."""
    settings = card_settings(folder)
    settings["benchmarks"][0] |= {"hub": "org/easy", "config": "main", "split": "test",
                                  "revision": "c0ffee", **also}  # fmt: skip
    with inside(folder):
        run("write_cards", "--settings", settings_file(settings))


def sent_to(hub, repo):
    """What a repository was sent, by the names there."""
    (operations,) = (operations for name, _, operations in hub.commits if name == repo)
    return {entry.path_in_repo: entry.path_or_fileobj for entry in operations}


@pytest.mark.parametrize(("config", "task"), [("main", "main"), (None, "default")])
def test_a_benchmark_of_the_hub_goes_to_its_leaderboard(
    study_copy, monkeypatch, capsys, config, task
):
    on_the_hub(study_copy, config=config)
    hub = Hub()
    publish_to(monkeypatch, hub, study_copy / MODELS / "dft-seed0")
    file = sent_to(hub, "org/name")[".eval_results/rectify.yaml"]
    (entry,) = parse_eval_result_entries(yaml.safe_load(file))
    scores = study_copy / "results/small/scores/m/dft-seed0"
    verdicts = pd.read_parquet(f"{scores}.parquet").query("benchmark == 'easy'")
    assert entry.value == pytest.approx(100 * verdicts["correct"].mean(), abs=1e-6)
    assert (entry.dataset_id, entry.task_id, entry.dataset_revision) == ("org/easy", task, "c0ffee")
    assert entry.date == json.loads(Path(f"{scores}.manifest.json").read_text())["ended"]
    assert entry.notes == "average@4 at temperature 1, percent"
    assert (entry.source_url, entry.verify_token) == (None, None)
    said = "no entry in .eval_results/rectify.yaml for Hard: it is no whole data set of the hub\n"
    assert said in capsys.readouterr().out


def test_samples_and_scores_go_into_a_data_set(carded, monkeypatch):
    on_the_hub(carded)
    hub, base = Hub(), carded / "results/small"
    publish_to(monkeypatch, hub, base / "models/m/dft-seed0", "--samples", "org/answers")
    assert hub.repos == [("org/answers", "dataset", True), ("org/name", "model", True)]
    sent = sent_to(hub, "org/answers")
    card = DatasetCard(sent.pop("README.md").decode())
    assert {Path(name): Path(file).read_bytes() for name, file in sent.items()} == {
        file.parent.parent.relative_to(base) / file.name: file.read_bytes()
        for kind in ("samples", "scores")
        for file in (base / kind / "m").glob("dft-seed0.*")
    }
    configs = {entry["config_name"]: entry["data_files"] for entry in card.data.configs}
    for config, rows in (("samples", 24), ("scores", 24)):  # 6 problems, 4 samples of each
        files = [Path(sent[name]) for name in sent if Path(name).match(configs[config])]
        assert sum(len(pd.read_parquet(file)) for file in files) == rows
    assert card.data.license is None
    assert "https://huggingface.co/org/name" in card.text
    (entry,) = parse_eval_result_entries(
        yaml.safe_load(sent_to(hub, "org/name")[".eval_results/rectify.yaml"])
    )
    assert entry.source_url == "https://huggingface.co/datasets/org/answers"


def test_a_dry_run_lists_the_data_set_too(carded, monkeypatch, capsys):
    hub = Hub()
    more = ("--samples", "org/answers", "--dry-run")
    publish_to(monkeypatch, hub, carded / MODELS / "dft-seed0", *more)
    assert hub.commits == []
    said = capsys.readouterr().out
    assert said.startswith("would go to the data set org/answers:\n")
    for name in ("samples/dft-seed0.part2of2.parquet", "scores/dft-seed0.manifest.json",
                 "README.md"):  # fmt: skip
        assert f" bytes  {name}" in said.split("would go to org/name:")[0]


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (lambda part: part.write_bytes(b"changed"), "part1of2.parquet: changed since"),
        (lambda part: part.unlink(), "part1of2.parquet: no such file"),
        (lambda part: part.with_suffix(".manifest.json").unlink(), "no manifest beside it"),
    ],
)
def test_samples_that_are_not_what_was_scored_are_one_line(carded, monkeypatch, harm, said):
    harm(carded / "results/small/samples/m/dft-seed0.part1of2.parquet")
    hub, folder = Hub(), carded / MODELS / "dft-seed0"
    with pytest.raises(StepError, match=said):
        publish_to(monkeypatch, hub, folder, "--samples", "org/answers")
    assert hub.repos == []


def test_samples_of_another_model_are_one_line(carded, monkeypatch):
    with inside(carded):
        retrain_with_checkpoint(f"{MODELS}/dft-seed0")
    with pytest.raises(StepError, match="has it of another model than"):
        publish_to(monkeypatch, Hub(), carded / MODELS / "dft-seed0", "--samples", "org/answers")


def test_what_names_no_data_set_is_one_line(carded, monkeypatch):
    with pytest.raises(StepError, match="--samples: 'answers' names no organisation"):
        publish_to(monkeypatch, Hub(), carded / MODELS / "dft-seed0", "--samples", "answers")


def test_the_best_of_a_sweep_can_be_published(swept, monkeypatch):
    hub = Hub()
    publish_to(monkeypatch, hub, swept / MODELS / "own-seed0")
    sent = sent_to(hub, "org/name")
    assert {"choice.csv", "model.safetensors", "README.md", "manifest.json"} <= set(sent)
    assert json.loads(Path(sent["manifest.json"]).read_text())["step"] == "choose_model"


def refused(status):
    request = httpx2.Request("POST", "https://hub.invalid")
    return HfHubHTTPError("refused\nmore", response=httpx2.Response(status, request=request))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (lambda: refused(401), "org/name: the hub refuses: the token is missing or not valid"),
        (lambda: refused(403), "org/name: the hub refuses: the token may not write there"),
        (lambda: refused(500), "org/name: the hub refuses: refused$"),
        (lambda: ConnectionError("no route"), "org/name: cannot be uploaded: no route"),
    ],
)
def test_a_refusal_is_one_line(carded, monkeypatch, error, said):
    with pytest.raises(StepError, match=said):
        publish_to(monkeypatch, Hub(error()), carded / MODELS / "dft-seed0")


def test_offline_is_one_line(carded, monkeypatch):
    done = step("publish", f"{MODELS}/dft-seed0", "--to", "org/name", cwd=carded)
    one_line(done, "org/name: cannot be uploaded: ")


@pytest.mark.slow
def test_what_is_not_a_published_model_is_one_line(carded):
    def fails(folder, said, to="org/name"):
        one_line(step("publish", folder, "--to", to, "--dry-run", cwd=carded), said)

    run_ = f"{MODELS}/dft-seed0"
    fails("results/small", "results/small: no model folder")
    fails(run_, "--to: 'name' names no organisation or user", to="name")
    fails(run_, "--to: Repo id must", to="org/two words")
    (carded / run_ / "model.safetensors").write_bytes(b"changed")
    fails(run_, "changed since")
    (carded / f"{run_}.manifest.json").unlink()
    fails(run_, "no manifest beside it")
    (carded / run_ / "README.md").unlink()
    fails(run_, "no such model card; finish the study")
