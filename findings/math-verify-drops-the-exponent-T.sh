#!/usr/bin/env bash
# math-verify 0.9.0 (latex2sympy2_extended 1.11.0): an exponent that is the letter T alone is read as a
# transposition, and of what is no matrix the transposed is itself. So P^{T}, a price or a rate over T
# periods, is equal to P, and 2^{T} to 2. Any other letter, and a T with a space or a factor beside it,
# is an exponent.
#
#   2^{T} against 2      verify: True
#   2^{t} against 2      verify: False
#   2^{ T} against 2     verify: False
#   2^{T} against 2^{3T} verify: False
#
# Prints what it sees; fails if one of them changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q math-verify==0.9.0 latex2sympy2_extended==1.11.0 antlr4-python3-runtime==4.13.2
"$folder/venv/bin/python" - <<'PYTHON'
from math_verify import parse, verify

expected = {("2^{T}", "2"): True, ("2^{t}", "2"): False, ("2^{ T}", "2"): False, ("2^{T}", "2^{3T}"): False}
for (one, other), equal in expected.items():
    found = verify(parse(f"${other}$"), parse(f"${one}$"))
    print(f"{one:7} against {other:7} verify: {found}")
    assert found == equal
print("as described")
PYTHON
