"""results/reference/retention, a run of config/retention.yaml: what fine-tuning forgets. The
README's table is that run's, and what is said of it holds.
"""

import json

import pandas as pd
import pytest
from helpers import ROOT

REFERENCE = ROOT / "results" / "reference" / "retention"
METHODS = {"base": "Base", "sft": "SFT", "dft": "DFT", "iw-sft": "iw-SFT",
           "sft-kl": "SFT with KL", "asft": "ASFT"}  # fmt: skip


@pytest.fixture(scope="module")
def kept():
    """The retention table by (method, benchmark)."""
    table = pd.read_csv(REFERENCE / "tables" / "retention.csv")
    return table.set_index(["method", "benchmark"])


@pytest.fixture(scope="module")
def learned():
    """The averages of what was taught, by method."""
    table = pd.read_csv(REFERENCE / "tables" / "table1.csv")
    return table[table["benchmark"] == "mean"].set_index("method")


def cell(line):
    """An accuracy with what the verdict on it is."""
    said = f"{line['value']:.1f}"
    if pd.isna(line["difference"]):
        return said
    low, high = line["difference_low"], line["difference_high"]
    return f"{said} ({low:+.1f} to {high:+.1f}, {line['verdict']})"


def test_the_readmes_table_is_that_of_this_run(kept, learned):
    rows = []
    for method, title in METHODS.items():
        own = learned.loc[method]
        cells = [f"{own['accuracy']:.1f} ± {own['stderr']:.1f}"]
        cells += [cell(kept.loc[method, name]) for name in ("remainders", "stories")]
        cells.append(f"{kept.loc[method, 'text']['value']:.3f}" if method != "base" else "–")
        rows.append(f"| {title} | {' | '.join(cells)} |")
    assert "\n".join(rows) in (ROOT / "README.md").read_text()


def test_what_is_said_of_it_holds(kept):
    for method in ("dft", "asft"):
        for name in ("remainders", "stories"):
            assert kept.loc[method, name]["difference_low"] > 0  # kept, and gained
    for method in ("sft", "iw-sft", "sft-kl"):
        assert kept.loc[method, "mean"]["verdict"] == "lost"
    far = kept.xs("text", level="benchmark")["value"]
    assert far.idxmax() == "dft"
    assert far["asft"] < far["dft"] / 2
    verdicts = json.loads((REFERENCE / "claims.json").read_text())
    found = {claim["id"]: claim["verdict"] for claim in verdicts}
    assert found == {"dft-learns-more": "reproduced", "dft-keeps-more": "reproduced",
                     "dft-is-closer": "contradicted"}  # fmt: skip
