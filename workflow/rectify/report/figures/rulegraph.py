"""Draw a study's rule graph as SVG, from `snakemake --rulegraph`, without Graphviz.

    snakemake --rulegraph | rectify rulegraph --out rulegraph.svg

Edges that follow from others are left out.
"""

from __future__ import annotations

import argparse
import re
import sys

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import networkx as nx

from rectify.step.command import step_parser
from rectify.step.errors import StepError
from rectify.step.files import replacing


def read_graph(dot: str) -> nx.DiGraph:
    """The rules and their order, from Graphviz text; raises StepError if it holds none."""
    names = dict(re.findall(r'(\d+)\[label = "([^"\\]+)', dot))
    if not names:
        raise StepError("standard input holds no rule graph; pipe `snakemake --rulegraph` into it")
    graph = nx.DiGraph()
    graph.add_nodes_from(names.values())
    graph.add_edges_from((names[a], names[b]) for a, b in re.findall(r"(\d+) -> (\d+)", dot))
    return nx.transitive_reduction(graph)


def place(graph: nx.DiGraph) -> dict[str, tuple[float, float]]:
    """A position for each rule: columns by depth, ordered within by their parents' places."""
    at: dict[str, tuple[float, float]] = {}
    for depth, layer in enumerate(nx.topological_generations(graph)):

        def parents(rule: str) -> float:
            above = [at[parent][1] for parent in graph.predecessors(rule)]
            return sum(above) / len(above) if above else 0.0

        ordered = sorted(layer, key=lambda rule: (-parents(rule), rule))
        for index, rule in enumerate(ordered):
            at[rule] = (depth, (len(ordered) - 1) / 2 - index)
    return at


def draw(graph: nx.DiGraph, path: str) -> None:
    """Write the picture."""
    at = place(graph)
    width = 1 + max(x for x, _ in at.values())
    height = 1 + 2 * max(abs(y) for _, y in at.values())
    plt.rcParams["svg.hashsalt"] = "rectify"  # the same graph gives the same bytes
    figure, axis = plt.subplots(figsize=(1.3 * width, 0.75 * height), layout="constrained")
    for start, end in sorted(graph.edges):
        arrow = {"arrowstyle": "-|>", "color": "#767676", "shrinkA": 20, "shrinkB": 22}
        axis.annotate("", at[end], at[start], arrowprops=arrow)
    for rule, (x, y) in at.items():
        box = {"boxstyle": "round,pad=0.4", "facecolor": "#eaf3fa", "edgecolor": "#0072B2"}
        axis.text(x, y, rule.replace("_", "\n", 1), ha="center", va="center", fontsize=8, bbox=box)
    axis.set_xlim(-0.55, width - 0.45)
    axis.set_ylim(-height / 2, height / 2)
    axis.axis("off")
    with replacing(path) as temporary:
        figure.savefig(temporary, format="svg", metadata={"Date": None}, facecolor="white")


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    draw(read_graph(sys.stdin.read()), arguments.out)
    print(arguments.out)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("rulegraph", __doc__)
    options.add_argument("--out", required=True, help="SVG file to write")
    return options
