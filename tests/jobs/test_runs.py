"""Runs, settings and layouts follow from a study."""

import json

import pytest
from helpers import ROOT, changed
from rectify.jobs import layouts, paths, runs
from rectify.jobs import settings as step_settings
from rectify.jobs.cards import card_layout
from rectify.jobs.preflight import check_files
from rectify.reruns import needed
from rectify.statistics.accuracy import UNSEEDED, seed_and_repeat
from rectify.step.errors import StepError
from rectify.study.load import load_study

pytestmark = pytest.mark.usefixtures("at_root")


def test_two_runs_may_not_share_a_name(mini):
    twin = {"title": "Twin", "objective": "sft"}
    study = load_study(changed(mini, "methods", {**mini["methods"], "sft-lr0.0002": twin}))
    table = study.tables["table1"].model_copy(update={"methods": ["sft-lr0.0002"]})
    study = study.model_copy(update={"tables": {"table1": table}})
    with pytest.raises(StepError, match="two different runs of 'qwen2-mini' would be called"):
        runs.all_runs(study)


def test_runs_follow_from_tables_and_figures(mini):
    study = load_study(mini)
    found = {name for model, name in runs.all_runs(study) if model == "qwen2-mini"}
    three = ("sft", "dft", "iw-sft", "rft", "dpo", "iw-sft-offline", "dft-offline", "ppo", "grpo")
    main = {f"{method}-seed{seed}" for method in three for seed in range(3)}
    others = {name for model, name in runs.all_runs(study) if model == "llama-mini"}
    again = {f"{method}-seed{seed}-repeat1" for method in ("sft", "dft") for seed in range(3)}
    assert others == again | {f"{m}-seed{seed}" for m in three[:3] for seed in range(3)}
    main |= again
    sweep = {
        f"{method}-{point}-seed0"
        for method in ("sft", "dft")
        for point in ("lr0.0001", "lr0.0002", "lr0.0008", "batch16", "batch32", "batch128")
    }
    assert found == main | sweep  # the sweep's default points are the main runs
    settings = step_settings.train_settings(study, "qwen2-mini", "dft-batch32-seed0")
    assert (settings["objective"], settings["batch_size"], settings["seed"]) == ("dft", 32, 0)
    assert settings["checkpoints"] == []
    curve = step_settings.train_settings(study, "qwen2-mini", "dft-seed0")
    assert curve["checkpoints"] == mini["figures"]["figure1"]["checkpoints"]
    with pytest.raises(StepError, match="has no run 'qwen2-mini dft-seed9'"):
        step_settings.train_settings(study, "qwen2-mini", "dft-seed9")


def test_methods_that_draw_answers_use_the_prompt_that_asks_for_a_box():
    study = load_study(ROOT / "config" / "paper.yaml")
    model = "qwen2.5-math-1.5b"
    prompts = {
        name: step_settings.train_settings(study, model, f"{name}-seed0")["prompt"]
        for name in ("dft", "rft", "dpo", "grpo", "ppo")
    }
    assert prompts == dict.fromkeys(("dft", "rft"), "chat") | dict.fromkeys(
        ("dpo", "grpo", "ppo"), "qwen-boxed"
    )
    assert step_settings.question_settings(study, model)["prompt"] == "qwen-boxed"
    assert step_settings.question_settings(study, model)["samples"] == 4


def test_every_steps_settings_are_json(mini):
    study = load_study(mini)
    for model in study.models:
        own = step_settings.initialise_settings(study, model, "base-seed2")
        first = json.loads(json.dumps(own))
        assert first["seed"] == 2
        assert step_settings.pretrain_settings(study, model, "base-seed2")["seed"] == 2
        assert (
            first["shape"]
            == mini["models"]["qwen2-mini"]["pretrain"]["shape"]
            | (mini["models"][model]["pretrain"]["shape"])
        )
        for name in ("check_model", "decode_benchmarks", "measure_probabilities"):
            json.dumps(step_settings.SETTINGS[name](study, model))
    for rows in step_settings.row_sources(study):
        json.dumps(step_settings.sample_settings(study, rows))


def test_a_methods_parameters_reach_its_training(mini):
    study = load_study(changed(mini, "methods.dft.parameters", {}))
    assert step_settings.train_settings(study, "qwen2-mini", "dft-seed0")["parameters"] == {}
    focal = {"title": "Focal", "objective": "focal", "parameters": {"gamma": 3}}
    study = load_study(changed(mini, "methods.dft", focal))
    assert step_settings.train_settings(study, "qwen2-mini", "dft-seed0")["parameters"] == {
        "gamma": 3
    }


def test_a_seed_a_learning_rate_or_a_model_is_a_config_line(mini):
    before = runs.all_runs(load_study(mini))
    more_seeds = runs.all_runs(load_study({**mini, "seeds": [0, 1, 2, 3]}))
    assert {name for _, name in set(more_seeds) - set(before)} == {
        f"{method}-seed3" for method in mini["methods"]
    } | {"sft-seed3-repeat1", "dft-seed3-repeat1"}
    rates = [1e-5, *mini["figures"]["figure3"]["learning_rates"]]
    more_rates = runs.all_runs(load_study(changed(mini, "figures.figure3.learning_rates", rates)))
    assert len(more_rates) == len(before) + 2
    third = changed(mini, "models.third", mini["models"]["llama-mini"])
    assert {model for model, _ in runs.all_runs(load_study(third))} == set(third["models"])


def test_layouts_name_only_files_of_the_study(mini):
    study = load_study(mini)
    for layout in [layouts.figure_layout(study, name) for name in layouts.figure_names(study)]:
        files = layouts.files_in(layout)
        assert files
        assert all(file.startswith("results/mini/") for file in files)


def test_training_seed_k_starts_from_base_k_and_a_repeat_from_the_same_base(mini):
    study = load_study(mini)
    assert runs.base_names(study, "qwen2-mini") == ["base-seed0", "base-seed1", "base-seed2"]
    first, again = (runs.Run("qwen2-mini", "dft", 1, repeat=repeat) for repeat in (0, 1))
    assert (first.name, again.name) == ("dft-seed1", "dft-seed1-repeat1")
    assert runs.base_name(study, first.model, first.seed) == "base-seed1"
    seeds = [step_settings.run_settings(study, run)["seed"] for run in (first, again)]
    assert seeds[0] == 1
    assert seeds[1] not in study.seeds
    table = layouts.table_layout(study, "table1")["rows"]
    names = {row["method"]: [file.split("/")[-1] for file in row["scores"]] for row in table}
    assert names["base"] == [f"base-seed{seed}.parquet" for seed in range(3)]
    assert "dft-seed1-repeat1.parquet" in names["dft"]
    assert len(names["dft"]) == 6
    offline = runs.Run("qwen2-mini", "dft-offline", 2)
    rows = paths.training_rows(study, offline)
    assert rows.endswith("self/qwen2-mini/base-seed2/correct.parquet")


def test_a_model_from_a_folder_has_one_base_for_all_seeds():
    study = load_study(ROOT / "config" / "paper.yaml").model_copy(update={"seeds": [0, 1]})
    model = "qwen2.5-math-1.5b"
    assert runs.base_names(study, model) == ["base"]
    assert {runs.base_name(study, model, seed) for seed in (0, 1)} == {"base"}


@pytest.fixture
def released(mini):
    """The default study with two checkpoints beside its own DFT, a folder and a hub's."""
    folder = "config/bases/llama-mini/base-seed0"
    places = {"qwen2-mini": f"ORG/NAME@{'1' * 40}", "llama-mini": folder}
    mini["methods"]["released"] = {"title": "DFT", "published": "dft", "checkpoint": places}
    mini["tables"]["table1"]["methods"].append("released")
    return mini


def test_a_ready_checkpoint_is_fetched_and_not_trained(released):
    study = load_study(released)
    name = "released-ready"
    assert ("qwen2-mini", name) in runs.all_runs(study)
    assert ("qwen2-mini", name) not in runs.trained_runs(study)
    assert step_settings.fetch_settings(study, "qwen2-mini", name) == {
        "path": "ORG/NAME", "revision": "1" * 40,
    }  # fmt: skip
    assert step_settings.fetch_settings(study, "llama-mini", name) == {
        "path": "config/bases/llama-mini/base-seed0", "revision": None,
    }  # fmt: skip
    made = {tuple(result.outputs): result for result in needed.results_of(study)}
    assert made[paths.model(study, "llama-mini", name),].step == "fetch_model"
    assert made[paths.model(study, "llama-mini", name),].inputs == [
        "config/bases/llama-mini/base-seed0"
    ]
    assert made[paths.scores(study, "llama-mini", name),].step == "score"
    checked = made[paths.check(study, "llama-mini", name),]
    assert checked.step == "check_model"
    assert checked.inputs[0] == paths.model(study, "llama-mini", name)
    assert checked.settings["batch_size"] == 1
    carded = {run["folder"] for run in card_layout(study)["runs"]}
    assert paths.model(study, "qwen2-mini", "dft-seed0") in carded
    assert paths.model(study, "qwen2-mini", name) not in carded


def test_it_is_no_training_seeds(released):
    """Whatever seeds the study or a figure has: it is one model, and goes with all of another's."""
    figure2 = {"methods": ["dft", "released"], "seeds": [4, 5]}
    released |= {"seeds": [3, 4, 5], "figures": {"figure2": figure2}}
    study = load_study(released)
    assert [run.name for run in runs.runs_of(study, "qwen2-mini", ["released"], [4])] == [
        "released-ready"
    ]
    assert seed_and_repeat(paths.scores(study, "m", "released-ready")) == (UNSEEDED, 0)
    assert layouts.claims_layout(study)["seeds"]["figure2"] == {"dft": 2, "released": 1}
    assert ("qwen2-mini", "released-ready") in layouts.measured_runs(study)


def test_its_row_stands_beside_the_retrained_one(released):
    rows = layouts.table_layout(load_study(released), "table1")["rows"]
    own = [(row["method"], row["setting"]) for row in rows if row["model"] == "qwen2-mini"]
    assert own[-1] == ("dft", "released")
    assert ("dft", "sft") in own
    assert rows[-1]["training"] is None


def test_a_study_may_train_nothing(released):
    """Ready checkpoints and base models alone: the rows need only fit what reads them."""
    released["tables"] = {"table1": {"caption": "1", "methods": ["base", "released"]}}
    released["figures"] = {"figure2": {"methods": ["base", "released"]}}
    released["claims"] = None
    study = load_study(released)
    assert not runs.trained_runs(study)
    for names in (["qwen2-mini"], ["qwen2-mini", "released-ready"]):
        settings = step_settings.check_settings(study, *names)
        assert settings["max_length"] == study.training.max_length
        assert settings["batch_size"] == 1
    assert card_layout(study)["runs"] == []


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (
            "methods.released.checkpoint",
            {"gpt": "x"},
            "methods.released.checkpoint: no model 'gpt'",
        ),
        ("methods.other", {"title": "O", "checkpoint": {}}, "checkpoint: names no model"),
        ("methods.released.objective", "dft", "has objective, checkpoint"),
        ("methods.released.seeds", 1, "seeds: a checkpoint is not trained; leave it out"),
        ("methods.released.training", {"steps": 1}, "training: a checkpoint is not trained"),
        ("methods.released.setting", "sft", "setting: checkpoint is released, not sft"),
        ("methods.dft.setting", "released", "setting: objective is sft or offline, not released"),
        (
            "figures.figure1.methods",
            ["sft", "released"],
            "'released' is a checkpoint, which has no training",
        ),
        ("figures.monitors.methods", ["sft", "released"], "'released' has no objective"),
        (
            "figures.figure2",
            {"methods": ["only"], "models": ["llama-mini"]},
            "figures.figure2.methods: none of them is applied to llama-mini",
        ),
        (
            "tables.table1",
            {"caption": "1", "methods": ["only"], "models": ["llama-mini"]},
            "tables.table1: none of its methods is applied to llama-mini",
        ),
    ],
)
def test_a_checkpoint_that_cannot_be_is_named(released, path, value, said):
    place = {"qwen2-mini": "config/bases/qwen2-mini/base-seed0"}
    released["methods"]["only"] = {"title": "Only", "checkpoint": place}
    with pytest.raises(StepError, match=r"^[^\n]*$") as error:
        load_study(changed(released, path, value))
    assert said in str(error.value)


def test_a_checkpoints_folder_that_is_not_there_is_named(released):
    study = load_study(changed(released, "methods.released.checkpoint.llama-mini", "nowhere"))
    with pytest.raises(StepError) as error:
        check_files(study)
    assert str(error.value) == (
        "methods.released.checkpoint.llama-mini: no such folder: nowhere; a model on the hub is "
        "ORG/NAME@COMMIT"
    )


def test_a_pinned_study_takes_no_branch_of_a_checkpoint(released):
    moving = changed(released, "methods.released.checkpoint.qwen2-mini", "ORG/NAME@main")
    with pytest.raises(StepError, match="'main' is not a full commit hash"):
        load_study(changed(moving, "pinned", True))
