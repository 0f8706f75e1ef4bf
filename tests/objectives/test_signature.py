"""How an objective is found and called: by name or in a file, given what it names."""

import math
import os
import subprocess
import sys
import textwrap

import pytest
import torch
from helpers import ROOT, SETTINGS, one_line, settings_file, step
from rectify.objectives.built_in import OBJECTIVES, RULES
from rectify.objectives.inputs import GIVEN
from rectify.objectives.signature import (
    load_objective,
    objective_file,
    parameters_of,
    required,
    weigh,
)
from rectify.planning.flops import forward_passes
from rectify.step.errors import StepError
from rectify.study.methods import Method

pytestmark = pytest.mark.usefixtures("at_root")  # objectives are named from there too
EXAMPLE = "config/objectives/example.py:unsure"


@pytest.fixture
def own(tmp_path):
    """Writes a file of one's own; returns the name of a function in it."""

    def write(text, function="weight"):
        (tmp_path / "own.py").write_text(text)
        return f"{tmp_path}/own.py:{function}"

    return write


def response(logp):
    """What every objective may take of a micro-batch without padding."""
    return {"logp": logp, "mask": torch.ones_like(logp, dtype=torch.bool)}


def test_every_row_of_the_table_is_there_by_name():
    assert list(OBJECTIVES) == [
        "sft", "dft", "dft-sequence", "dft-geometric-mean", "focal", "rft", "asft", "asft-target",
        "sft-kl", "dft+sft",
        "dft-power", "dft-sqrt", "dft-floor", "profit", "profit-lower", "profit-middle",
        "profit-random", "trsft", "gft", "chord",
        "eaft", "idft", "deft", "deft-cayley", "sed-sft", "talr",
        "iw-sft", "iw-sft-token", "prift", "prift-mass", "psft", "pear",
        "mode-seeking", "mode-seeking-linear", "mode-seeking-clipped", "mode-seeking-distance",
        "mode-seeking-growing",
        "reward-exponential", "reward-power", "reward-top-k", "reward-top-share",
        "reward-truncated", "reward-advantage", "reward-alpha", "reward-variational",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "needs"),
    [
        ("dft", {"logp"}),
        ("iw-sft", {"logp", "mask", "ref_logp"}),
        ("mode-seeking", {"logp", "mask", "ref_logp", "batch_log_ratio"}),
        ("reward-power", {"reward", "batch_reward"}),
        ("eaft", {"entropy_top_k"}),
        ("talr", {"logp", "batch_logp"}),
        ("psft", {"logp", "old_logp"}),
        (EXAMPLE, {"logp"}),
    ],
)
def test_what_an_objective_needs_is_what_it_names(name, needs):
    assert required(load_objective(name)) == needs


def test_a_ratio_of_the_batch_needs_the_reference_and_is_not_given_what_it_does_not_name(own):
    name = own("def weight(batch_log_ratio):\n    return batch_log_ratio.mean()\n")
    objective = load_objective(name)
    assert required(objective) == {"batch_log_ratio", "ref_logp"}
    given = {**response(torch.zeros(2, 3)), "ref_logp": torch.zeros(2, 3)}
    found = weigh(objective, {**given, "batch_log_ratio": torch.tensor([1.0, 3.0])})
    assert torch.equal(found, torch.full((2, 3), 2.0))


def test_parameters_are_defaults_unless_a_study_sets_them():
    assert parameters_of(load_objective("focal")) == {"gamma": 2.0}
    assert parameters_of(load_objective("focal", {"gamma": 3})) == {"gamma": 3}
    assert parameters_of(load_objective("reward-top-k", {"k": 8.0})) == {"k": 8}
    assert isinstance(parameters_of(load_objective("reward-top-k", {"k": 8.0}))["k"], int)
    logp = torch.tensor([[0.5]]).log()
    found = weigh(load_objective("focal", {"gamma": 3}), response(logp))
    assert found.item() == pytest.approx(1 / 8)


def test_weights_have_no_gradient():
    logp = torch.zeros(1, 2, requires_grad=True)
    assert not weigh(load_objective("dft"), response(logp)).requires_grad


def test_passes_that_a_method_costs():
    def passes(name, **parameters):
        return forward_passes(Method(title="x", objective=name, parameters=parameters))

    assert [passes(name) for name in ("dft", "iw-sft", "mode-seeking", "asft")] == [0, 1, 2, 1]
    assert [passes(name) for name in ("eaft", "talr", "prift-mass", "psft")] == [0, 1, 1, 1]
    assert passes("reward-variational") == 2  # the reference, the older weights
    assert passes("asft", kl_weight=0) == 0


def test_the_file_of_an_objective():
    assert objective_file("dft+sft") is None
    assert str(objective_file(EXAMPLE)) == "config/objectives/example.py"


@pytest.mark.parametrize("name", OBJECTIVES)
def test_every_parameter_of_the_table_has_a_range_that_its_default_is_in(name):
    assert RULES[name].ranges.keys() == parameters_of(OBJECTIVES[name]).keys()
    for key, default in parameters_of(OBJECTIVES[name]).items():
        low, high = RULES[name].ranges[key]
        assert default is None or low <= default <= high


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_parameter_may_be_at_the_ends_of_its_range_and_not_beyond(name):
    """Another one with it, where the two go together."""
    beside = {"low": {"high": 1e9 if name != "profit-middle" else 1}, "high": {"low": 0}}
    beside |= {"warmup": {"transition": 0}, "transition": {"warmup": 0}}
    for key, (low, high) in RULES[name].ranges.items():
        switch = isinstance(parameters_of(OBJECTIVES[name])[key], bool)
        for end, outside in ((low, low - 1), (high, high + 1)):
            if math.isinf(end):
                continue
            others = beside.get(key, {})
            load_objective(name, {key: bool(end) if switch else end} | others)
            with pytest.raises(StepError, match=f"parameter '{key}' (is .*, not in|can not be)"):
                load_objective(name, {key: outside})


def test_every_built_in_objective_takes_what_there_is():
    taken = set().union(*(required(weight) for weight in OBJECTIVES.values()))
    assert taken <= set(GIVEN)


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("dtf", {}, "no objective 'dtf'; there are sft, dft, dft-sequence, dft-geometric-mean"),
        ("gone.py:weight", {}, "objective 'gone.py:weight': no such Python file: gone.py"),
        ("README.md:weight", {}, "no such Python file: README.md"),
        (EXAMPLE.replace("unsure", "sure"), {}, "no such function in config/objectives/example.py"),
        (EXAMPLE, {"sharp": 1}, "no parameter 'sharp'; there are power"),
        ("sft", {"gamma": 1}, "objective 'sft': no parameter 'gamma'; it has none"),
        ("reward-top-k", {"k": 2.5}, "parameter 'k' is 2.5, not a whole number"),
        ("focal", {"gamma": True}, "parameter 'gamma' can not be True"),
        ("reward-top-k", {"k": 0}, "objective 'reward-top-k': parameter 'k' is 0, not in [1, inf]"),
        ("reward-top-k", {"k": math.inf}, "parameter 'k' is inf, not a finite number"),
        ("focal", {"gamma": math.nan}, "parameter 'gamma' is nan, not a finite number"),
        ("focal", {"gamma": -1}, "parameter 'gamma' is -1, not in [0, inf]"),
        ("reward-power", {"beta": 0}, "parameter 'beta' is 0, not in [0.001, inf]"),
        ("mode-seeking", {"ess_min": 2}, "parameter 'ess_min' is 2, not in [0, 1]"),
        ("asft", {"kl_weight": -1.0}, "parameter 'kl_weight' is -1.0, not in [0, inf]"),
        (EXAMPLE, {"power": math.inf}, "parameter 'power' is inf, not a finite number"),
        ("profit-middle", {"low": 0.95}, "parameter 'low' is 0.95, above 'high', 0.9"),
        ("idft", {"low": 2, "high": 0.1}, "parameter 'low' is 2, above 'high', 0.1"),
        ("mode-seeking-clipped", {"low": 2}, "parameter 'low' is 2, above 'high', 1.27"),
        ("idft", {"warmup": 0.95}, "'warmup' and 'transition' are 0.95 and 0.1 of the training"),
        ("eaft", {"k": 1}, "parameter 'k' is 1, not in [2, inf]"),
        ("sft", {"logp": 1}, "objective 'sft': no parameter 'logp'"),
    ],
)
def test_mistakes_are_named(name, parameters, said):
    for load in (load_objective, lambda n, p: Method(title="x", objective=n, parameters=p)):
        with pytest.raises(ValueError, match=r"\w") as caught:
            load(name, parameters)
        assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def weight(logp:\n", "own.py does not load: '(' was never closed"),
        ("import gone_module\n", "own.py does not load: No module named 'gone_module'"),
        ("raise SystemExit\n", "own.py does not load: SystemExit"),
        ("weight = 3\n", "no such function in"),
        (
            "def weight(logp, temperature):\n    return logp\n",
            "its argument 'temperature' has no default and is none of what an objective is given: "
            "logp, mask, ref_logp, reward, batch_log_ratio, batch_reward",
        ),
        (
            "def weight(top_k_mass, n=3):\n    return top_k_mass\n",
            "it takes top_k_mass, which needs a parameter k with a default",
        ),
        (
            "def weight(old_logp):\n    return old_logp\n",
            "it takes old_logp, which needs a parameter rounds or updates with a default",
        ),
    ],
)
def test_mistakes_in_a_file_of_ones_own_are_named(own, text, said):
    with pytest.raises(StepError) as caught:
        load_objective(own(text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_function_that_fails_is_named(own):
    objective = load_objective(own("def weight(logp):\n    return logp.sum(dim=1)\n"))
    with pytest.raises(StepError, match="the objective's function weight fails: RuntimeError"):
        weigh(objective, response(torch.zeros(2, 3)))


def test_padding_has_no_weight_and_a_weight_that_is_not_finite_is_named(own):
    objective = load_objective(own("def weight(logp):\n    return 1 / logp\n"))
    logp = torch.tensor([[-2.0, 0.0], [-4.0, -1.0]])
    mask = torch.tensor([[True, False], [True, True]])
    found = weigh(objective, {"logp": logp, "mask": mask})
    assert found.tolist() == [[-0.5, 0.0], [-0.25, -1.0]]
    with pytest.raises(StepError, match="function weight gives weights that are not finite"):
        weigh(objective, {"logp": logp, "mask": torch.ones_like(mask)})


def test_names_and_parameters_are_checked_without_torch():
    lines = f"""
        import sys
        from rectify.objectives.signature import load_objective
        load_objective({EXAMPLE!r}, {{"power": 2}})
        sys.exit("torch" in sys.modules)
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow")}
    program = [sys.executable, "-c", textwrap.dedent(lines)]
    assert subprocess.run(program, env=environment, check=False).returncode == 0


@pytest.mark.slow
def test_a_step_that_is_given_a_wrong_objective_says_so(model_folder, rows, tmp_path):
    rows.head(8).to_parquet(tmp_path / "rows.parquet")
    done = step(
        "train", "--settings", settings_file({**SETTINGS, "objective": "dtf"}), "--rows",
        tmp_path / "rows.parquet", "--model", model_folder, "--out", tmp_path / "out",
    )  # fmt: skip
    one_line(done, "no objective 'dtf'; there are sft, dft")
