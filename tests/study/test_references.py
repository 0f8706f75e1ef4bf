"""Another method's model for a reference, other rows mixed in: what follows, what is refused."""

import copy
from pathlib import Path

import pytest
from helpers import ROOT
from rectify.jobs import paths
from rectify.jobs.cards import card_layout
from rectify.jobs.preflight import check_runs
from rectify.jobs.runs import all_runs
from rectify.jobs.settings import row_sources, run_settings, sample_settings
from rectify.reruns.needed import results_of
from rectify.step.errors import StepError
from rectify.study.load import load_study, read_yaml

pytestmark = pytest.mark.usefixtures("at_root")
WORLD = {"world": {"voice": "crowd", "steps": [1, 2]}, "rows": 4096}


def mini(methods=None, **data):
    """The miniature with other methods and keys of `data`."""
    study = copy.deepcopy(read_yaml(ROOT / "config" / "mini.yaml"))
    study["methods"] |= methods or {}
    study["data"] |= data
    return study


def shown(**methods):
    """The miniature with a table of iw-SFT and further methods."""
    study = mini(methods)
    table = {"caption": "x", "methods": ["iw-sft", *methods], "models": ["qwen2-mini"]}
    return load_study(study | {"tables": {"table": table}, "figures": {}})


def test_a_reference_is_trained_and_is_what_the_run_waits_for():
    anchored = {"title": "x", "objective": "iw-sft", "reference": "dft", "seeds": 2}
    study = shown(anchored=anchored)
    runs = all_runs(study)
    assert {name for _, name in runs if name.startswith("dft")} == {"dft-seed0", "dft-seed1"}
    run = runs["qwen2-mini", "anchored-seed1"]
    assert paths.reference(study, run) == ["results/mini/models/qwen2-mini/dft-seed1"]
    assert paths.reference(study, runs["qwen2-mini", "iw-sft-seed0"]) == []
    made = {result.outputs[0]: result for result in results_of(study)}
    order = list(made)
    for seed in (0, 1):
        names = (
            paths.model(study, "qwen2-mini", f"{name}-seed{seed}") for name in ("dft", "anchored")
        )
        assert order.index(next(names)) < order.index(next(names))
    own = made[paths.model(study, "qwen2-mini", "anchored-seed1")]
    assert "results/mini/models/qwen2-mini/dft-seed1" in own.inputs


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"objective": "dft", "reference": "sft"}, "dft takes no reference; leave it out"),
        ({"objective": "iw-sft", "reference": "gone"}, "no method 'gone'"),
        (
            {"objective": "iw-sft", "reference": "base"},
            "own.reference: the training starts from th",
        ),
        ({"objective": "dft", "from": "base"}, "own.from: that is the base model anyway; leave it"),
        ({"objective": "dft", "from": "gone"}, "own.from: no method 'gone'"),
        ({"objective": "dft", "from": "own"}, "own.from: own -> own goes round in a circle"),
        ({"objective": "dft", "from": "rft"}, "own.from: 'rft' is not trained with all models"),
        ({"checkpoint": {"qwen2-mini": "x"}, "from": "sft"}, "from: a checkpoint is not trained"),
        ({"objective": "dft", "start": "sft"}, "start: no such key"),
        ({"objective": "iw-sft", "reference": "own"}, "own -> own goes round in a circle"),
        ({"objective": "iw-sft", "reference": "rft"}, "'rft' is not trained with all models"),
    ],
)
def test_a_reference_that_can_not_be(changes, said):
    with pytest.raises(ValueError, match=said):
        load_study(mini({"own": {"title": "x", **changes}}))


def test_a_chain_starts_from_the_model_of_its_own_seed_and_base():
    grpo = {"grpo": {"max_new_tokens": 64}, "setting": "online"}
    chain = {"title": "x", "from": "rft", "models": ["qwen2-mini"], "seeds": 2, **grpo}
    study = shown(chain=chain)
    runs = all_runs(study)
    order = list(runs)
    made = {result.outputs[0]: result for result in results_of(study)}
    for seed in (0, 1):
        first, then = (paths.model(study, "qwen2-mini", f"{name}-seed{seed}")
                       for name in ("rft", "chain"))  # fmt: skip
        assert first in made[then].inputs
        assert paths.model(study, "qwen2-mini", f"base-seed{seed}") not in made[then].inputs
        assert paths.start(study, runs["qwen2-mini", f"chain-seed{seed}"]) == first
        names = [("qwen2-mini", f"{name}-seed{seed}") for name in ("rft", "chain")]
        assert order.index(names[0]) < order.index(names[1])
        assert list(made).index(first) < list(made).index(then)
    cards = {Path(run["folder"]).name: run["from"] for run in card_layout(study)["runs"]}
    assert [cards["chain-seed1"], cards["rft-seed1"]] == ["rft-seed1", None]


def test_the_chains_of_the_miniature_differ_in_their_start_alone():
    study = load_study("config/chains.yaml")
    runs = all_runs(study)
    settings = [run_settings(study, runs["qwen2-mini", f"{name}grpo-seed0"])
                for name in ("", "sft-", "dft-", "iw-sft-")]  # fmt: skip
    assert settings == settings[:1] * 4
    starts = [paths.start(study, runs["qwen2-mini", f"{name}grpo-seed0"]).rpartition("/")[2]
              for name in ("", "sft-", "dft-", "iw-sft-")]  # fmt: skip
    assert starts == ["base-seed0", "sft-seed0", "dft-seed0", "iw-sft-seed0"]


def test_a_chain_may_have_the_base_model_for_its_reference():
    """Left out, it would be the model that the chain starts from."""
    anchored = {"title": "x", "objective": "iw-sft", "from": "dft"}
    study = shown(one=anchored, two=anchored | {"reference": "base"})
    runs = all_runs(study)
    one, two = (
        paths.reference(study, runs["qwen2-mini", f"{name}-seed1"]) for name in ("one", "two")
    )
    assert one == []
    assert two == ["results/mini/models/qwen2-mini/base-seed1"]
    with pytest.raises(ValueError, match=r"own\.reference: the training starts from that anyway"):
        load_study(mini({"own": anchored | {"reference": "dft"}}))


def test_a_circle_of_a_start_and_a_reference_is_refused():
    methods = {
        "a": {"title": "a", "objective": "dft", "from": "b"},
        "b": {"title": "b", "objective": "iw-sft", "reference": "a"},
    }
    with pytest.raises(ValueError, match=r"a\.from: a -> b -> a goes round in a circle"):
        load_study(mini(methods))


def test_rows_that_are_mixed_in_have_a_file_of_their_own():
    study = load_study(mini(mix={"replay": {**WORLD, "share": 0.25}}))
    assert row_sources(study)["mixed/replay"][0] == "data.mix.replay"
    assert list(row_sources(study))[:2] == ["mixed/replay", "training"]  # made from it
    assert sample_settings(study, "training")["mix"] == {"replay": 0.25}
    own = sample_settings(study, "mixed/replay")
    assert "share" not in own
    assert own["rows_of"] == "mixed/replay"
    assert study.data.all_rows == 3840 + 1280
    assert paths.mixed_rows(study, "training") == ["results/mini/data/mixed/replay.parquet"]
    assert paths.mixed_rows(study, "mixed/replay") == []


def test_without_a_mix_the_settings_of_rows_are_as_they_were():
    assert "mix" not in sample_settings(load_study(mini()), "training")


def test_shares_that_leave_nothing_are_refused():
    blocks = {name: {**WORLD, "share": 0.5} for name in ("a", "b")}
    with pytest.raises(ValueError, match="the shares add up to 1; they must leave some"):
        load_study(mini(mix=blocks))


def test_an_objective_of_the_writers_probabilities_needs_a_field_for_them():
    study = load_study(mini({"pear": {"title": "PEAR", "objective": "pear"}}))
    with pytest.raises(StepError, match=r"methods.pear: .* needs behaviour_logp; name the field"):
        check_runs(study, ROOT / "config" / "published.csv")
