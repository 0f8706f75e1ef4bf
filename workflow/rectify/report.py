"""Put a study's tables and figures on one self-contained page.

python -m rectify.report --study mini --tables table1.md --figures figure1.png --out report.html
"""

from __future__ import annotations

import argparse
import base64
from pathlib import Path

import jinja2
import markdown

from rectify.cli import run_step, step_parser
from rectify.io import write_text

CAPTIONS = {
    "figure1": "Figure 1. Accuracy over training; bars are standard errors, clustered by problem.",
    "figure2": "Figure 2. Share of training tokens by the probability that a model gives them.",
    "figure3": "Figure 3. Mean accuracy over learning rates and over batch sizes.",
    "monitors": "The objectives' weights over training: effective sample size over sample size, "
    "quantiles, and the mean distance of the probability's ratio to the reference from 1.",
    "gallery": "For each objective, its weight by the token's probability, and the change that "
    "training with it makes to the share of training tokens in each bin of probability.",
}

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ study }} · rectify</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: auto; padding: 1rem; }
  table { border-collapse: collapse; display: block; overflow-x: auto; margin: 1rem 0; }
  th, td { padding: .2rem .7rem; border-bottom: 1px solid #8886; }
  th { text-align: left; } td { font-variant-numeric: tabular-nums; white-space: nowrap; }
  figure { margin: 2rem 0; } figcaption { font-weight: bold; }
  img { width: 100%; background: #fff; border-radius: 4px; }
</style>
<h1>Study “{{ study }}”</h1>
<p>After “On the Generalization of SFT: A Reinforcement Learning Perspective with Reward
Rectification” (DFT, arXiv 2508.05629). Tables as CSV, Markdown and LaTeX are in
<code>results/{{ study }}/tables/</code>, figures as PDF, PNG and CSV in
<code>results/{{ study }}/figures/</code>.</p>
{% for table in tables %}<section>{{ table }}</section>
{% endfor %}{% for name, image in figures %}<figure><figcaption>{{ captions[name] }}</figcaption>
<img alt="{{ captions[name] }}" src="data:image/png;base64,{{ image }}"></figure>
{% endfor %}</html>
"""


def render(study: str, tables: list[str], figures: list[str]) -> str:
    """The page, from Markdown files and PNG files."""
    return (
        jinja2.Environment(autoescape=True)
        .from_string(PAGE)
        .render(
            study=study,
            captions=CAPTIONS,
            tables=[
                jinja2.utils.markupsafe.Markup(
                    markdown.markdown(Path(file).read_text(encoding="utf-8"), extensions=["tables"])
                )
                for file in tables
            ],
            figures=[
                (Path(file).stem, base64.b64encode(Path(file).read_bytes()).decode())
                for file in figures
            ],
        )
    )


def main(arguments: argparse.Namespace) -> None:
    """Run the step."""
    write_text(arguments.out, render(arguments.study, arguments.tables, arguments.figures))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    options = step_parser("report", __doc__)
    options.add_argument("--study", required=True, help="the study's name")
    options.add_argument("--tables", nargs="*", default=[], help="Markdown files")
    options.add_argument("--figures", nargs="*", default=[], help="PNG files")
    options.add_argument("--out", required=True, help="HTML file to write")
    return options


if __name__ == "__main__":
    run_step(main, parser())
