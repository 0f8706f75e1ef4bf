"""Results in which claims are known to hold, to fail or to stay open, and claims on them."""

import numpy as np
import pandas as pd
from rectify.evaluation.measure_probabilities import EDGES
from rectify.paper.claims_file import Claim
from rectify.paper.evidence import Evidence
from rectify.paper.judge_claims import judge
from rectify.statistics.accuracy import UNSEEDED

SCORING = {"grader": "corrected", "rounding": "exact"}


def scores_of(rng, shares, seed, problems=40, samples=16):
    """Scores of one seed on benchmarks a and b, whose problems are solved with these chances."""
    frames = []
    for benchmark, share in zip("ab", shares, strict=True):
        correct = rng.random((problems, samples)) < share
        index = pd.MultiIndex.from_product(
            map(range, correct.shape), names=["problem_id", "sample"]
        )
        frame = pd.DataFrame({"correct": correct.ravel()}, index=index).reset_index()
        frames.append(frame.assign(benchmark=benchmark, seed=seed, repeat=0))
    return pd.concat(frames)


def figure1():
    """DFT climbs to 60 by step 20 and stays on b, falls on a; SFT climbs to 40 at the end; "early"
    falls from 60 at step 0.
    """
    rows = []
    for step_number in (0, 10, 20, 40, 80):
        dft = min(60, 3 * step_number)
        for benchmark in ("a", "b", "mean"):
            fall = step_number / 10 if benchmark == "a" else 0
            rows.append(("dft", step_number, benchmark, dft - fall, 2.0))
            rows.append(("sft", step_number, benchmark, step_number / 2, 1.5))
            rows.append(("early", step_number, benchmark, 60 - step_number / 2, 2.0))
    return pd.DataFrame(rows, columns=["method", "step", "benchmark", "accuracy", "stderr"])


def figure2():
    """Base is even; SFT has moved tokens from the lowest bin to the highest, DFT from the middle to
    both, "sunk" from the highest to the lowest.
    """
    bins = len(EDGES) - 1
    even = np.full(bins, 1 / bins)
    shares = {"base": even, "sft": even.copy(), "dft": even * 0.5, "sunk": even.copy()}
    shares["sunk"][[0, -1]] += (0.05, -0.05)
    shares["sft"][[0, -1]] += (-0.05, 0.05)
    shares["dft"][[0, -1]] += 0.25
    frames = [
        pd.DataFrame({"low": EDGES[:-1], "share": share}).assign(model="Model M", method=method)
        for method, share in shares.items()
    ]
    return pd.concat(frames)


def figure3():
    """DFT is ahead by 10 at every learning rate, but at one batch size by 1."""
    rows = [("learning_rate", value, 10) for value in (1e-4, 2e-4)]
    rows += [("batch_size", 8, 10), ("batch_size", 16, 1)]
    points = [
        (method, setting, value, 30 + (lead if method == "dft" else 0), 1.0)
        for setting, value, lead in rows
        for method in ("sft", "dft")
    ]
    return pd.DataFrame(points, columns=["method", "setting", "value", "accuracy", "stderr"])


def retained():
    """On the old problems DFT has lost a point, SFT ten; on the text DFT is closer to the base."""
    columns = ["method", "benchmark", "quantity", "value", "stderr", "difference", "half"]
    rows = [
        ("base", "old", "accuracy", 60.0, 1.0, np.nan, np.nan),
        ("dft", "old", "accuracy", 59.0, 1.0, -1.0, 0.5),
        ("sft", "old", "accuracy", 50.0, 1.0, -10.0, 1.0),
        ("dft", "text", "kl", 0.1, 0.01, np.nan, np.nan),
        ("sft", "text", "kl", 0.5, 0.03, np.nan, np.nan),
    ]
    table = pd.DataFrame(rows, columns=columns).assign(model="m", setting="sft", n_seeds=3)
    table["difference_low"] = table["difference"] - table["half"]
    table["difference_high"] = table["difference"] + table["half"]
    return table.drop(columns="half")


def kept(method, margin, benchmark="old", models=("m",)):
    """A test that a method has lost less than a margin."""
    return {"kind": "kept", "models": list(models), "method": method, "benchmarks": [benchmark],
            "margin": margin}  # fmt: skip


def closer(method, than):
    """A test that a method's models are closer to the base models."""
    return {"kind": "closer", "models": ["m"], "method": method, "than": than}


def made_up_evidence():
    """DFT beats SFT on both benchmarks, SFT the base model on the first; and the figures above."""
    rng = np.random.default_rng(0)
    shares = {"base": (0.3, 0.3), "sft": (0.5, 0.3), "dft": (0.7, 0.5), "dft offline": (0.7, 0.5)}
    return Evidence(
        scores={
            ("m", name): scores_of(rng, share, UNSEEDED if name == "base" else 0)
            for name, share in shares.items()
        },
        benchmarks=["a", "b"],
        scoring=SCORING,
        figures={"figure1": figure1(), "figure2": figure2(), "figure3": figure3()},
        titles={"m": "Model M"},
        seeds={"figure1": {"sft": 3, "dft": 1}, "figure2": {"sft": 3, "dft": 1}},
        retained=retained(),
    )


def judged(written, evidence):
    """The verdict on a claim as it is written in a file."""
    return judge(Claim(**written), evidence)


def claim(*tests):
    """A claim of these tests, as it is written in a file."""
    return {"id": "c", "sentence": "It does.", "where": "Table 1", "tests": list(tests)}


def higher(method, than, benchmarks, models=("m",)):
    """A test that one row of the tables is above another."""
    return {
        "kind": "higher", "models": list(models), "method": method, "than": than,
        "benchmarks": list(benchmarks),
    }  # fmt: skip


def at(setting, values, method="dft", than="sft"):
    """A test that one method is above another at these values of a setting."""
    return {"kind": "higher_at", "setting": setting, "values": values, "method": method,
            "than": than}  # fmt: skip
