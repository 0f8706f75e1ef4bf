"""The README's graph of the rules is the one that Snakemake prints, without what follows."""

import itertools
import re

import pytest
from helpers import ROOT, snakemake


def edges_of(mermaid):
    """The edges of a Mermaid flowchart, by its nodes' labels where they have some."""
    names = dict(re.findall(r"(\w+)\[(\w+)\]", mermaid))
    found = set()
    for line in mermaid.splitlines():
        groups = [re.findall(r"\w+", part) for part in line.split("-->")]
        for first, second in itertools.pairwise(groups):
            found |= {(names.get(a, a), names.get(b, b)) for a in first for b in second}
    return found


def followed(first, second):
    """An edge from a to c for each pair of edges from a to b and from b to c."""
    return {(a, c) for a, b in first for d, c in second if b == d}


def reached(edges):
    """Edges, and all that follow from them."""
    found = set(edges)
    while more := followed(found, edges) - found:
        found |= more
    return found


def test_edges_are_those_of_chains_and_groups():
    assert edges_of("a --> b & c --> d\n") == {("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")}
    assert edges_of("id0[x]\nid1[y]\nstyle id0 fill\nid1 --> id0\n") == {("y", "x")}
    assert reached({("a", "b"), ("b", "c"), ("c", "d")}) >= {("a", "c"), ("a", "d"), ("b", "d")}


@pytest.mark.slow
def test_the_readmes_graph_is_the_default_studys():
    (shown,) = re.findall(r"```mermaid\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    done = snakemake("--rulegraph", "mermaid-js")
    assert done.returncode == 0, done.stderr
    drawn, printed = edges_of(shown), edges_of(done.stdout)
    assert reached(drawn) == reached(printed)
    assert not drawn & followed(drawn, reached(drawn))  # none that follows from others
