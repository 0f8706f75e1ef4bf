"""The door to all steps: `rectify STEP ...`, or `python -m rectify STEP ...`; alone, a list."""

from __future__ import annotations

import gc
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module
from itertools import groupby

from rectify import STEPS
from rectify.step import warm
from rectify.step.garbage import uncollected


def contents() -> Iterator[str]:
    """The steps by room, in the pipeline's order, each with the first line of its docstring."""
    import ast
    from pathlib import Path

    def first_line(*parts: str) -> str:
        file = Path(__file__).parent.joinpath(*parts)
        return (ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or "").split("\n")[0]

    yield "rectify STEP ..., with one of these steps; rectify STEP --help says more"
    for room, steps in groupby(STEPS, STEPS.get):
        parts = room.split(".")
        yield f"\n{'/'.join(parts)}/: {first_line(*parts, '__init__.py')}"
        for step in steps:
            yield f"  {step:<21}  {first_line(*parts, f'{step}.py')}"


def unknown(step: str) -> str:
    """One line on a step that there is not: those whose names are like it, or its new name."""
    from difflib import get_close_matches

    from rectify.step.manifest import FORMER_STEPS

    meant = FORMER_STEPS | {"pretrain_model": "train", "train_ppo": "ppo"}  # rules of other verbs
    near = [meant[step]] if step in meant else get_close_matches(step, STEPS)
    if (verb := step.split("_")[0]) in STEPS and step not in meant:  # decode_benchmarks
        near = [verb]
    if not near:  # by a word of their names
        words = {word: name for name in STEPS for word in name.split("_")}
        near = [words[word] for word in get_close_matches(step, words, 1)]
    asked = f"do you mean {' or '.join(near)}? " if near else ""
    return f"rectify: no step '{step}'; {asked}`rectify` alone lists them"


def main(words: list[str] | None = None) -> None:
    """Run the step that the words, the command line's unless given, begin with."""
    words = sys.argv[1:] if words is None else words
    if not words or words[0] in ("-h", "--help"):
        from rectify.step.command import while_read

        with while_read():
            print("\n".join(contents()))
        return
    step, *options = words
    if step not in STEPS:
        print(unknown(step), file=sys.stderr)
        sys.exit(2)
    if (status := warm.run(words)) is not None:
        sys.exit(status)
    # TRL says this at every import: the locks' vLLM is newer than those that it names. Only GRPO on
    # GPUs has TRL use vLLM, and README.md says what has been run of that
    warnings.filterwarnings("ignore", message="TRL currently supports vLLM versions")
    with uncollected():
        module = import_module(f"rectify.{STEPS[step]}.{step}")
        from rectify.step.command import run_step

    run_step(module.main, module.parser(), options)
    gc.freeze()  # else the interpreter, ending, collects over all imports again: 3 s after vLLM


if __name__ == "__main__":
    main()
