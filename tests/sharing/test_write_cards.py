"""Model cards: what huggingface_hub reads from them."""

import pandas as pd
import pytest
from helpers import ROOT, settings_file
from huggingface_hub import ModelCard, metadata_load
from huggingface_hub.repocard_data import model_index_to_eval_results
from rectify.jobs.cards import card_layout
from rectify.jobs.layouts import scores_shown
from rectify.jobs.runs import all_runs
from rectify.sharing.model_card import check_card
from rectify.step.errors import StepError
from rectify.step.manifest import content
from rectify.study.load import load_study
from small_study import STUDY, card_settings, inside, run

MODELS = "results/small/models/m"
RUNS = ("dft-seed0", "dft-seed1", "dft-offline-seed0", "dft-lr0.0002-seed0")


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
        ("text-generation", "accuracy", "average@4 at temperature 1, percent")
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
    settings = card_settings(study_copy)
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


@pytest.mark.parametrize(
    ("more", "known"),
    [
        ({}, ("org/easy", "main", "test", "c0ffee")),
        ({"rows": 100}, (None, None, None, None)),  # of a part, the score is not the whole's
        ({"only": {"level": 1}}, (None, None, None, None)),
    ],
)
def test_a_part_of_a_data_set_is_not_taken_for_the_whole(more, known):
    hub = {"hub": "org/easy", "name": "main", "split": "test", "revision": "c0ffee"}
    study = {**STUDY, "benchmarks": {"easy": {"title": "Easy", **hub, **more}}}
    (found,) = card_layout(load_study(study))["benchmarks"]
    assert tuple(found[key] for key in ("hub", "config", "split", "revision")) == known


def test_the_best_of_a_sweep_has_a_card_that_says_how_it_was_chosen(swept):
    folder = swept / MODELS / "own-seed0"
    check_card(folder / "README.md")
    card = ModelCard.load(folder / "README.md")
    assert "best of 2 models, trained by DFT" in card.text.replace("\n", " ")
    assert "validation problems (Unseen)" in card.text
    assert "| 0.0001 | 25.00 |" in card.text
    (chosen,) = [line for line in card.text.splitlines() if "| chosen |" in line]
    assert chosen.startswith("| 0.0002 | 75.00 |")
    assert "| learning rate | `0.0002` |" in card.text
    of = ModelCard.load(swept / MODELS / "dft-lr0.0002-seed0" / "README.md")
    assert "Choice of the learning rate" not in of.text


def test_validation_problems_are_in_no_cards_scores(swept):
    """Its scores are those of the tables' benchmarks alone, as the chosen run's own card has."""
    found = {
        name: {r.dataset_name: r.metric_value
               for r in ModelCard.load(swept / MODELS / name / "README.md").data.eval_results}
        for name in ("own-seed0", "dft-lr0.0002-seed0")
    }  # fmt: skip
    assert set(found["own-seed0"]) == {"Easy", "Hard"}
    assert found["own-seed0"] == found["dft-lr0.0002-seed0"]
