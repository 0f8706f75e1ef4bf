#!/usr/bin/env bash
# sympy 1.12, parse_latex (antlr4-python3-runtime 4.11.1): answers of mathematics are read in part, or
# as something else, without an error. The evaluation harness that the paper's scores come from asks
# it whether two answers are equal.
#
#   "5,7"      -> 5            the list's first item alone
#   "n(n+1)"   -> n(n + 1)     a function named n, not a product
#   "x^-1"     -> x            the exponent is dropped
#   "12\pi"    -> 12*pi with pi a plain Symbol: it has no value, so no number is near it
#
# Prints what it sees; fails if one of them changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q sympy==1.12 antlr4-python3-runtime==4.11.1
"$folder/venv/bin/python" - <<'PYTHON'
import sympy
from sympy.core.function import AppliedUndef
from sympy.parsing.latex import parse_latex

assert sympy.__version__ == "1.12"
read = {text: parse_latex(text) for text in ("5,7", "n(n+1)", "x^-1", r"12\pi")}
for text, value in read.items():
    print(f"{text:8} -> {value} ({type(value).__name__})")
assert read["5,7"] == 5
assert isinstance(read["n(n+1)"], AppliedUndef)
assert read["x^-1"] == sympy.Symbol("x")
assert not read[r"12\pi"].is_number and read[r"12\pi"].free_symbols == {sympy.Symbol("pi")}
print("as described")
PYTHON
