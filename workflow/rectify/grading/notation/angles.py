r"""Angles in degrees: minutes and seconds behind them, and degree signs within functions.

Both work on text whose degree signs are spelled `\degree`.
"""

import re
from fractions import Fraction

_NUMBER = r"\d+(?:\.\d+)?"
_DEGREES = r"(?:\\degree(?![a-z])|\\text\{\s*degrees?\s*\})"
_MINUTES = r"(?:'|\\text\{\s*(?:'|min(?:ute)?s?|arc ?min(?:ute)?s?)\s*\})"
_SECONDS = r"(?:''|\"|\\text\{\s*(?:''|\"|sec(?:ond)?s?|arc ?sec(?:ond)?s?)\s*\})"
_SEXAGESIMAL = re.compile(
    rf"(?<![\d.])(\d+)\s*{_DEGREES}[\s,]*(\d+(?:\.\d+)?)\s*{_MINUTES}(?!')"
    rf"(?:[\s,]*({_NUMBER})\s*{_SECONDS})?"
)
_GROUP = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
_BRACKET = r"\((?:[^()]|\([^()]*\))*\)"
_POWER = rf"(?:\s*\^\s*(?:{_GROUP}|\w))?"
_ANGLE = rf"(?:{_NUMBER}|\\frac\s*{_GROUP}\s*{_GROUP}|\\[a-z]+|[A-Za-z]|{_BRACKET})"
_NAMES = r"\\(?:sin|cos|tan|cot|sec|csc)(?![a-z])"
_APPLIED = re.compile(
    rf"({_NAMES}{_POWER})\s*"
    rf"(?:({_BRACKET}|{_GROUP})(?!\s*\\degree)|(-?\s*{_ANGLE}(?:\s*{_ANGLE})?)\s*\\degree(?![a-z]))"
)
_CIS = re.compile(
    r"(?:\\text\s*\{\s*cis\s*\}|\\cis|(?<![A-Za-z\\])cis)(?![a-z])\s*"
    rf"(?:({_BRACKET}|{_GROUP})(\s*\\degree(?![a-z]))?|(-?\s*{_ANGLE}(?:\s*{_ANGLE})?(?:\s*\\degree(?![a-z]))?))"
)
_RADIANS = r"\cdot\frac{\pi}{180}"


def minutes(text: str) -> str:
    r"""`60 \degree 24'` as `60.4\degree`, or as a fraction where no decimal is exact."""

    def decimal(match: re.Match[str]) -> str:
        value = int(match[1]) + Fraction(match[2]) / 60 + Fraction(match[3] or 0) / 3600
        if 10**6 % value.denominator == 0:
            return rf"{float(value):.6f}".rstrip("0").rstrip(".") + r"\degree "
        return rf"\frac{{{value.numerator}}}{{{value.denominator}}}\degree "

    return _SEXAGESIMAL.sub(decimal, text)


def in_functions(text: str) -> str:
    r"""`\cos 75\degree` is the cosine of an angle in radians, `\cos(75\cdot\frac{\pi}{180})`, and
    `\operatorname{cis} x` is `\cos x + i \sin x`; a degree sign elsewhere is left.
    """

    def radians(match: re.Match[str]) -> str:
        if match[3]:
            return f"{match[1]}({match[3]}{_RADIANS})"
        inside = match[2][1:-1]
        return f"{match[1]}({in_functions(inside).replace(chr(92) + 'degree', _RADIANS)})"

    def cis(match: re.Match[str]) -> str:
        angle = match[1][1:-1] + (match[2] or "") if match[1] else match[3]
        return rf"(\cos({angle})+i\sin({angle}))"

    if re.search(_NAMES, text):
        text = re.sub(r"(?<=[\d)}])\s*\\text\{\s*degrees?\s*\}", r"\\degree ", text)
    return _APPLIED.sub(radians, _CIS.sub(cis, text))
