#!/usr/bin/env bash
# lm-eval 0.4.13, tasks hendrycks_math_* and hendrycks_math500 (MATH and MATH-500, exact_match). One would guess
# that the last \boxed{} of a response is its answer, as in the benchmark's own solutions and in the harnesses
# that papers use. The box is looked for in the gold solution alone: a response's answer is all that lies between
# its first and its last dollar sign, or, with fewer than two of them, the whole response. The task's prompt
# ("Problem: ...\nAnswer:") says nothing of it. Seen, gold 42:
#
#   response                                               MATH-500   AIME
#   42                                                     1          1
#   $42$                                                   1          1
#   The answer is $42$.                                    1          1
#   The answer is $\boxed{42}$.                            0          1
#   \boxed{42}                                             0          1
#   With $x=6$ there are $7x=42$, so the answer is $42$.   0          0
#   The answer is 42.                                      0          0
#
# So a model that reasons before it answers has nearly 0 on MATH-500, beside a good score on AIME, whose task, in
# the same package, does read the box; and fine-tuning on boxed solutions seems to ruin a model. Nothing is
# logged. Count on minerva_math's `math_verify` metric, not on its exact_match (which wants the sentence "Final
# Answer: The final answer is ... I hope it is correct."), or score the logged samples with a grader of your own.
#
# Needs Python 3.11 and a package index. Exit status 0: as described; 1: it behaves otherwise now.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m pip install -q --no-compile --no-deps --target "$folder" lm-eval==0.4.13
"${PYTHON:-python3.11}" - "$folder/lm_eval/tasks" <<'PYTHON'
import importlib.util
import sys
import types

# what these two modules take of `datasets` is a name in their annotations
sys.modules.setdefault("datasets", types.SimpleNamespace(Dataset=object))


def task(name):
    spec = importlib.util.spec_from_file_location(name, f"{sys.argv[1]}/{name}/utils.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda doc, response: module.process_results(doc, [response])["exact_match"]


text = open(f"{sys.argv[1]}/hendrycks_math/hendrycks_math500.yaml").read()
text += open(f"{sys.argv[1]}/hendrycks_math/hendrycks_math_algebra.yaml").read()
same = "include: hendrycks_math_algebra.yaml" in text and "boxed" not in text
same &= "process_results: !function utils.process_results" in text
doc = {"problem": "How much?", "solution": r"There are $\boxed{42}$.", "answer": "42"}
math, aime = task("hendrycks_math"), task("aime")
expected = {
    "42": (1, 1),
    "$42$": (1, 1),
    "The answer is $42$.": (1, 1),
    r"The answer is $\boxed{42}$.": (0, 1),
    r"\boxed{42}": (0, 1),
    "With $x=6$ there are $7x=42$, so the answer is $42$.": (0, 0),
    "The answer is 42.": (0, 0),
}
for response, scores in expected.items():
    found = math(doc, response), aime(doc, response)
    same &= found == scores
    print(f"{response:54} MATH-500 {found[0]}  AIME {found[1]}")
print("as described" if same else "it behaves otherwise now")
sys.exit(not same)
PYTHON
