"""Stands in for `python` in the jobs of a study that has to be finished in seconds.

A step writes, instead of its results, a line that says what they would be made of, and leaves the
real manifest. Rows from a file are really read; everything but steps is run as it is. The file is
made executable by stale_study.environment, which puts the interpreter into its first line.
"""

import hashlib
import json
import os
import sys
from argparse import Namespace
from pathlib import Path

ENDINGS = {
    "tabulate_scores": (".csv", ".md", ".tex"),
    "tabulate_health": (".csv", ".md", ".tex"),
    "tabulate_overlaps": (".csv", ".md"),
    "tabulate_rates": (".csv", ".md"),
    "tabulate_retention": (".csv", ".md", ".tex"),
    "list_disagreements": (".csv", ".md"),
    "plot_figure": (".pdf", ".png", ".csv"),
    "weigh_rows": (".parquet", ".csv", ".md"),
    "precheck": (".json", ".md"),
    "summarise_scores": ("/comparisons.csv", "/variance.csv", "/statuses.csv"),
    **dict.fromkeys(
        (
            "initialise_model",
            "fetch_model",
            "convert_gguf",
            "train",
            "dpo",
            "grpo",
            "ppo",
            "choose_model",
        ),
        ("/weights",),
    ),
}
DEFAULTS = {
    "decode": {"checkpoints": False},
    "list_questions": {"count": None},
    "score": {"graders": None},
}


def parsed(step, words):
    """The command line as the step's own parser would have it, as far as manifests go by it."""
    found = {"figure": words.pop(0)} if step == "plot_figure" else dict(DEFAULTS.get(step, {}))
    for word in words:
        if word.startswith("--"):
            found[name := word[2:].replace("-", "_")] = []
        else:
            found[name].append(word)
    for name, values in found.items():
        if (
            isinstance(values, list)
            and name not in ("samples", "scores", "graders")
            and (name != "benchmarks" or step == "render_report")
            and (name != "rows" or step != "find_overlaps")
        ):
            found[name] = values[0] if values else True
    if step == "keep_answers":
        found["scores"] = found["scores"][0]
    if "settings" in found:
        found["settings"] = json.loads(Path(found["settings"]).read_text())
    if "part" in found:
        found["part"] = [int(number) for number in found["part"].split("/")]
    if found.get("count"):
        found["count"] = int(found["count"])
    return Namespace(**found)


def main(step, words):
    """Do as if the step had been run."""
    if step == "launch":
        words = words[words.index("--") + 1 :]
        step, words = words[0], words[1:]
    arguments = parsed(step, words)
    if step == "sample_rows" and arguments.settings.get("file"):
        os.execv(sys.executable, [sys.executable, "-m", "rectify", "sample_rows", *words])
    if step == "write_cards":
        return

    from rectify.step import manifest

    with manifest.kept(step, arguments):
        settings = vars(arguments).get("settings") or {}
        noted = [settings.get("objective") or ""]
        noted += [line["objective"] for line in settings.get("objectives", ())]
        noted += [word.partition("=")[2] for word in vars(arguments).get("graders") or ()]
        for name in noted:
            if ".py:" in name:
                manifest.note_input(name.partition(":")[0])
        made_of = [manifest.content(Path(path)).sha256 for path in manifest.inputs_of(arguments)
                   if path != "benchmarks"]  # fmt: skip
        text = json.dumps([step, settings, made_of, str(vars(arguments).get("out"))])
        text = hashlib.sha256(text.encode()).hexdigest()
        for option in manifest.OUTPUTS:
            if named := getattr(arguments, option, None):
                for ending in ENDINGS.get(step, ("",)) if option == "out" else ("",):
                    file = Path(f"{named}{ending}")
                    file.parent.mkdir(parents=True, exist_ok=True)
                    file.write_text(text)


if sys.argv[1:3] == ["-m", "rectify"] and sys.argv[3] != "verify":
    main(sys.argv[3], sys.argv[4:])
else:
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
