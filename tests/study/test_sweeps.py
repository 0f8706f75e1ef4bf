"""Methods at the best of several learning rates: what is trained, decoded and chosen from, and what
is refused.
"""

import copy

import pytest
from helpers import ROOT
from rectify.jobs import layouts, paths
from rectify.jobs.runs import all_runs, trained_runs
from rectify.jobs.settings import check_settings
from rectify.jobs.sweeps import choice_settings, rates_layout, validated_scores
from rectify.reruns.needed import results_of
from rectify.step.errors import StepError
from rectify.study.load import load_study, read_yaml

pytestmark = pytest.mark.usefixtures("at_root")
WORLD = {"voice": "expert", "steps": [2, 6]}
SWEEP = {"of": "sft", "learning_rates": [2e-4, 4e-4, 8e-4]}
MODEL = "qwen2-mini"


def study(role="validation", **changes):
    """The miniature with a sweep of SFT, beside it in a table."""
    found = copy.deepcopy(read_yaml(ROOT / "config" / "mini.yaml"))
    found["benchmarks"]["held"] = {"title": "held", "world": WORLD, "rows": 9, "role": role}
    found["methods"]["own"] = {"title": "SFT (own rate)", "sweep": SWEEP, "seeds": 2, **changes}
    table = {"caption": "x", "methods": ["sft", "own"], "models": [MODEL]}
    return found | {"tables": {"table": table}, "figures": {}, "claims": None}


def test_a_sweep_trains_the_other_method_once_at_each_rate_and_its_own_not_anew():
    found = load_study(study())
    names = {name for _, name in trained_runs(found)}
    assert {name for name in names if "repeat" not in name} == {
        *(f"sft-seed{seed}" for seed in (0, 1, 2)),  # at 4e-4, the study's
        *(f"sft-lr{rate}-seed{seed}" for rate in ("0.0002", "0.0008") for seed in (0, 1)),
    }
    assert {name for _, name in all_runs(found)} - names == {"own-seed0", "own-seed1"}


def test_a_run_is_chosen_among_those_of_its_seed_by_the_scores_of_all():
    found = choice_settings(load_study(study()), MODEL, "own-seed1")
    assert found["benchmarks"] == ["held"]
    rates = {entry["learning_rate"]: entry for entry in found["learning_rates"]}
    assert list(rates) == [2e-4, 4e-4, 8e-4]
    assert rates[4e-4]["model"] == "results/mini/models/qwen2-mini/sft-seed1"
    assert rates[8e-4]["model"] == "results/mini/models/qwen2-mini/sft-lr0.0008-seed1"
    for rate, name in ((4e-4, "sft-seed{}"), (8e-4, "sft-lr0.0008-seed{}")):
        folder = "results/mini/scores/qwen2-mini"
        assert rates[rate]["scores"] == [
            f"{folder}/{name.format(seed)}-validation.parquet" for seed in (0, 1)
        ]
    with pytest.raises(KeyError):
        choice_settings(load_study(study()), MODEL, "sft-seed1")


def test_validation_problems_are_asked_of_the_candidates_and_shown_nowhere():
    found = load_study(study())
    assert "held" not in {own["name"] for own in layouts.table_layout(found, "table")["benchmarks"]}
    held = "results/mini/data/benchmarks/held.parquet"
    made = {result.outputs[0]: result for result in results_of(found)}
    asked = [name for name, own in made.items() if own.step == "decode" and held in own.inputs]
    assert sorted(asked) == sorted(
        file.replace("/scores/", "/samples/") for file in validated_scores(found)
    )
    assert len(asked) == 6
    for file in asked:
        assert [name for name in made[file].inputs if "benchmarks" in name] == [held]
    # and what is chosen answers the tables' problems
    own = made["results/mini/samples/qwen2-mini/own-seed0.parquet"]
    assert held not in own.inputs
    assert paths.model(found, MODEL, "own-seed0") in own.inputs
    assert held in made[paths.check(found, MODEL)].inputs
    assert check_settings(found, MODEL)["max_length"] == found.training.max_length


def test_what_is_chosen_comes_after_the_verdicts_and_before_its_own_answers():
    found = load_study(study())
    order = [result.outputs[0] for result in results_of(found)]
    chosen = order.index(paths.model(found, MODEL, "own-seed0"))
    assert all(order.index(file) < chosen for file in validated_scores(found))
    assert order.index(paths.validation_overlaps(found)) < chosen
    assert chosen < order.index("results/mini/samples/qwen2-mini/own-seed0.parquet")
    assert chosen < order.index(paths.table(found, "learning_rates"))
    (choice,) = rates_layout(found)["choices"]
    assert choice["folder"] == paths.model(found, MODEL, "own-seed0")


def test_a_model_that_was_chosen_may_be_a_reference():
    changed = study()
    changed["methods"]["anchored"] = {
        "title": "x", "objective": "iw-sft", "reference": "own", "seeds": 2,
    }  # fmt: skip
    changed["tables"]["table"]["methods"] = ["anchored"]
    order = list(all_runs(load_study(changed)))
    place = [order.index((MODEL, name)) for name in ("sft-lr0.0008-seed0", "own-seed0")]
    assert place == sorted(place)
    assert order.index((MODEL, "own-seed0")) < order.index((MODEL, "anchored-seed0"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sweep": {**SWEEP, "of": "gone"}}, "methods.own.sweep.of: no method 'gone'"),
        ({"sweep": {**SWEEP, "of": "base"}}, "sweep.of: 'base' is not trained; name a method"),
        ({"sweep": {**SWEEP, "of": "own"}}, "sweep.of: 'own' is not trained; name a method"),
        ({"sweep": {**SWEEP, "of": "rft"}}, "setting: sft, but that of 'rft' is offline; set it"),
        ({"sweep": {**SWEEP, "learning_rates": [1e-4]}}, "learning_rates: .*at least 2"),
        ({"sweep": {**SWEEP, "learning_rates": [1e-4, 1e-4]}}, "names a value twice"),
        ({"sweep": {**SWEEP, "learning_rates": [1e-4, 2.0]}}, "less than 1"),
        ({"objective": "sft"}, "needs exactly one of"),
        ({"repeats": 2}, "repeats: a sweep is not trained; leave it out"),
        ({"training": {"steps": 1}}, "training: a sweep is not trained; leave it out"),
        ({"reference": "dft"}, "reference: sweep takes no reference; leave it out"),
        ({"sweep": {**SWEEP, "of": "rft"}, "setting": "offline"}, "not trained with all models"),
        ({"role": "test"}, "own.sweep: no benchmark has role: validation, by which a learning"),
    ],
)
def test_a_sweep_that_can_not_be(changes, said):
    with pytest.raises((ValueError, StepError), match=said):
        load_study(study(**changes))


def all_made(changed):
    """Every run that the study's results are made from is one that it makes."""
    study = load_study(changed)
    results = results_of(study)
    made = {file for result in results for file in result.outputs}
    asked = {file for result in results for file in result.inputs if file.startswith("results/")}
    return not {file for file in asked if "/models/" in file or "/scores/" in file} - made


def test_all_that_a_choice_is_made_of_is_made_whatever_is_shown():
    """With one seed in a figure the choice is by the scores of all; a ranking has the method at the
    study's learning rate, too.
    """
    changed = study()
    changed["tables"]["table"]["methods"] = ["dft"]
    ranking = {"model": MODEL, "methods": ["base", "own", "dft"], "seeds": [1]}
    assert all_made(changed | {"figures": {"ranking": ranking}})
    sweep = {"of": "sft", "learning_rates": [1e-4, 2e-4]}
    changed["methods"]["own"]["sweep"] = sweep  # without the study's
    assert all_made(changed | {"figures": {"ranking": ranking}})


def test_a_sweep_learns_from_the_rows_of_the_method_that_is_swept():
    changed = study()
    dpo = {"title": "x", "sweep": {**SWEEP, "of": "dpo"}, "setting": "offline", "models": [MODEL]}
    changed["methods"]["dpo-own"] = dpo
    changed["tables"]["table"]["methods"] = ["base", "dpo-own"]
    row = layouts.table_layout(load_study(changed), "table")["rows"][1]
    assert {file.rpartition("/")[2] for file in row["training"]["rows"]} == {"pairs.parquet"}


@pytest.mark.parametrize(
    ("name", "methods", "said"),
    [
        ("health", ["sft"], "tables.health: a table of that name is made anyway; rename it"),
        ("learning_rates", ["sft"], "is made anyway; rename it"),
        ("other", ["base", "own"], "'sft' and 'own' are both 'sft' .* change one's `published`"),
    ],
)
def test_tables_that_would_be_taken_for_others(name, methods, said):
    changed = study(published="sft")
    changed["tables"]["table"]["methods"] = ["sft"]
    changed["tables"][name] = {"caption": "x", "methods": methods, "models": [MODEL]}
    with pytest.raises(StepError, match=said):
        load_study(changed)


def test_a_benchmark_that_no_table_shows_is_not_the_hardest_one_shown():
    shown = {"models": [MODEL], "hardest": "held"}
    with pytest.raises(StepError, match=r"figures\.findings\.hardest: no benchmark 'held'"):
        load_study(study() | {"figures": {"findings": shown}})


@pytest.mark.parametrize("method", ["base", "chain"])
def test_a_curve_starts_from_the_base_model(method):
    changed = study()
    changed["methods"]["chain"] = {"title": "x", "objective": "dft", "from": "sft"}
    curve = {"model": MODEL, "methods": [method], "checkpoints": [2]}
    with pytest.raises(StepError, match=f"'{method}' has no training from the base model"):
        load_study(changed | {"figures": {"figure1": curve}})


def test_a_circle_through_a_sweep_is_refused():
    changed = study()
    changed["methods"]["a"] = {"title": "a", "objective": "iw-sft", "reference": "swept"}
    changed["methods"]["swept"] = {"title": "b", "sweep": {**SWEEP, "of": "a"}}
    with pytest.raises(StepError, match=r"methods.a.reference: a -> swept -> a goes round"):
        load_study(changed)


def test_a_figure_of_trainings_shows_no_sweep():
    changed = study()
    curve = {"model": MODEL, "methods": ["own"], "checkpoints": [2], "seeds": [0]}
    with pytest.raises(StepError, match="'own' is a sweep, which has no training of its own"):
        load_study(changed | {"figures": {"figure1": curve}})


def test_tables_need_a_column():
    changed = study()
    for benchmark in changed["benchmarks"].values():
        benchmark["role"] = "validation"
    with pytest.raises(StepError, match="none has role: test; the tables need a column"):
        load_study(changed)
