#!/usr/bin/env bash
# math-verify 0.9.0 (latex2sympy2_extended 1.11.0), on the numbers that answers in physics and chemistry are
# (Minerva, SciBench, GPQA's open form). One would guess that 6.02e23 is a number, that a thin space parts the
# digits of one number, as ISO 80000 has it, and that two floats are compared by their relative difference.
#
# It reads:
#   6.02e23              6.02 * E * 23, with Euler's number; only a capital E is an exponent
#   299\,792\,458        299 + 792 + 458 = 1549
#   52\,000              52 * 0 = 0
#   1{,}260 and 1,\!260  1260, as they should
# It compares (gold, answer):
#   1.6\times 10^{-19}   equal to 9.1\times 10^{-31}, to 6.626\times 10^{-34}, and to its own negative
#   1.6\times 10^{-15}   not equal to 9.1\times 10^{-15}
#   0.0000058            equal to 0.0000062: rounded to 6 decimals
#   1\,260               equal to 261, not to 1260
#
# So right answers are marked wrong, any charge of an electron is right where another one is asked for, and a
# gold answer that is misread is equal to itself, so that verify(gold, gold) does not show it. Write golds and
# answers as a\times 10^{b} without groups first, and compare floats by their ratio.
#
# Needs Python 3.11 and a package index. Exit status 0: as described; 1: it behaves otherwise now.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3.11}" -m venv --without-pip "$folder/venv"
"${PYTHON:-python3.11}" -m pip --python "$folder/venv/bin/python" install -q --no-compile \
    math-verify==0.9.0 latex2sympy2_extended==1.11.0 antlr4-python3-runtime==4.13.2 sympy==1.14.0
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import sympy
from math_verify import parse, verify


def read(text):  # without the time limits, which a busy machine would reach
    return parse(f"${text}$", parsing_timeout=None)


def equal(gold, answer):
    return verify(read(gold), read(answer), timeout_seconds=None)


values = {
    "6.02e23": 6.02 * sympy.E * 23, "6.02E23": 6.02e23, r"299\,792\,458": 1549, r"52\,000": 0,
    "1{,}260": 1260, r"1,\!260": 1260,
}  # fmt: skip
pairs = {
    ("6.02e23", r"6.02\times 10^{23}"): False,
    ("6.02e23", "6.02e23"): True,
    ("6.02E23", r"6.02\times 10^{23}"): True,
    (r"1\,260", "1260"): False,
    (r"1\,260", "261"): True,
    (r"1.6\times 10^{-19}", r"9.1\times 10^{-31}"): True,
    (r"1.6\times 10^{-19}", r"6.626\times 10^{-34}"): True,
    (r"1.6\times 10^{-19}", r"-1.6\times 10^{-19}"): True,
    (r"1.6\times 10^{-15}", r"9.1\times 10^{-15}"): False,
    ("0.0000058", "0.0000062"): True,
}  # fmt: skip
same = True
for text, expected in values.items():
    value = read(text)[0]
    same &= abs(sympy.N(value) - expected) <= 1e-9 * abs(expected)
    print(f"{text:14} is read as {value}")
for (gold, answer), expected in pairs.items():
    found = equal(gold, answer)
    same &= found == expected
    print(f"{gold:20} against {answer:22} verify: {found}")
print("as described" if same else "it behaves otherwise now")
sys.exit(not same)
PYTHON
