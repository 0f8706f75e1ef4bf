"""Model cards: what huggingface_hub reads from them, and what is sent to the hub."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import httpx2
import pandas as pd
import pytest
from helpers import ROOT, one_line, settings_file, step
from huggingface_hub import ModelCard, metadata_load
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.repocard_data import model_index_to_eval_results
from rectify.jobs.cards import card_layout
from rectify.jobs.layouts import scores_shown
from rectify.jobs.runs import all_runs
from rectify.sharing import publish
from rectify.sharing.model_card import check_card
from rectify.step.errors import StepError
from rectify.step.manifest import content
from rectify.study.load import load_study
from small_study import as_step, inside, model_folder, run

MODELS = "results/small/models/m"
RUNS = ("dft-seed0", "dft-seed1", "dft-offline-seed0", "dft-lr0.0002-seed0")


def settings_of(folder):
    with inside(folder):
        return card_layout(load_study("config/small.yaml"))


@pytest.fixture
def carded(study_copy):
    """The finished study with its cards."""
    settings = settings_of(study_copy)
    with inside(study_copy):
        run("write_cards", "--settings", settings_file(settings))
    return study_copy


def test_every_trained_model_and_no_other_has_a_card(carded):
    cards = {file.parent.name for file in (carded / MODELS).rglob("README.md")}
    assert cards == set(RUNS)
    assert {
        run.name for run in all_runs(load_study(carded / "config/small.yaml")).values()
    } == cards


@pytest.mark.parametrize("name", RUNS)
def test_huggingface_hub_reads_the_metrics_that_the_verdicts_say(carded, name):
    """Means of the verdicts of this run alone, of each benchmark, by pandas."""
    scores = pd.read_parquet(carded / f"results/small/scores/m/{name}.parquet")
    expected = 100 * scores.groupby("benchmark")["correct"].mean()
    file = carded / MODELS / name / "README.md"
    model, results = model_index_to_eval_results(metadata_load(file)["model-index"])
    assert model == f"m-{name}"
    found = {result.dataset_type: result.metric_value for result in results}
    assert found == pytest.approx(expected.to_dict(), abs=1e-6)
    assert {r.dataset_name for r in results} == {"Easy", "Hard"}
    assert {(r.task_type, r.metric_type, r.metric_name) for r in results} == {
        ("text-generation", "accuracy", "average@4, percent")
    }
    card = ModelCard.load(file)
    assert card.data.eval_results == results
    assert card.data.base_model == "m"
    assert card.data.datasets == ["small-training"]
    for benchmark, accuracy in expected.items():
        assert f"| {benchmark.title()} | 3 | {accuracy:.2f} |" in card.text


def test_models_and_data_of_the_hub_are_named_by_their_ids():
    study = load_study(ROOT / "config" / "paper.yaml")
    settings = card_layout(study)
    assert settings["dataset"] == "AI-MO/NuminaMath-CoT"
    named = {entry["folder"].split("/")[3]: entry["base_model"] for entry in settings["runs"]}
    assert named == {name: model.path for name, model in study.models.items()}
    assert {entry["scores"] for entry in settings["runs"]} - {None} <= set(scores_shown(study))


def test_a_model_without_scores_has_a_card_without_metrics(study_copy):
    settings = settings_of(study_copy)
    settings["runs"] = [settings["runs"][0] | {"scores": None}]
    with inside(study_copy):
        run("write_cards", "--settings", settings_file(settings))
        data = check_card(study_copy / settings["runs"][0]["folder"] / "README.md")
    assert data.eval_results is None
    assert data.base_model == "m"


def test_a_card_changes_no_models_hash(carded, small_study):
    for name in RUNS:
        assert content(carded / MODELS / name).sha256 == content(small_study / MODELS / name).sha256


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("base_model: m", "base_model: ../models/m", "Repo id must"),
        ("- small-training", "- two words", "Repo id must"),
        ("metric", "measure", "metrics"),
        ("---\n", "", "base_model"),
    ],
)
def test_a_card_that_the_hub_would_refuse_is_refused_here(carded, old, new, said):
    file = carded / MODELS / "dft-seed0" / "README.md"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(StepError, match=f"README.md: not a valid model card: .*{said}"):
        check_card(file)


def test_a_dry_run_lists_model_card_and_manifest_with_sizes(carded):
    folder = carded / MODELS / "dft-seed0"
    (folder / ".snakemake_timestamp").touch()
    done = step("publish", f"{MODELS}/dft-seed0", "--to", "org/name", "--dry-run", cwd=carded)
    assert done.returncode == 0, done.stderr
    head, *lines, total = done.stdout.splitlines()
    assert head == "would go to org/name:"
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


def publish_to(monkeypatch, hub, folder, to="org/name"):
    monkeypatch.setattr(publish, "HfApi", lambda: hub)
    words = [str(folder), "--to", to]
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
