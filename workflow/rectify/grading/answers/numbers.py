"""Read plain numbers exactly: integers, decimals, fractions, mixed numbers, powers of ten."""

import re
from dataclasses import dataclass
from fractions import Fraction

MAX_EXPONENT = 5_000  # far above any gold (10^100); a larger one only costs memory
MAX_DIGITS = 4_000  # Python refuses longer integers

_DEC = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_EXP = r"\^(?:\{([+-]?\d{1,5})\}|([+-]?\d{1,5}))"
_DECIMAL = re.compile(_DEC)
_E_NOTATION = re.compile(rf"({_DEC})(?:[eE]|\{{[eE]\}}|\\text\{{[eE]\}})([+-]?\d{{1,5}})")
_TIMES_TEN = re.compile(rf"({_DEC})(?:\\times|\\cdot|\*|x|X)(?:10|\{{10\}}|\(10){_EXP}\)?")
_REPEATING = re.compile(r"([+-]?)(\d*)\.(\d*)\\(?:overline|bar|dot)\{(\d+)\}")
_POWER = re.compile(rf"([+-]?)10{_EXP}")
_SLASH = re.compile(rf"\(?({_DEC})\)?/\(?({_DEC})\)?")
_FRACTION = re.compile(rf"([+-]?)\\frac\{{({_DEC})\}}\{{({_DEC})\}}")
_MIXED = re.compile(r"([+-]?)(\d+) ?(?:\\frac\{(\d+)\}\{(\d+)\}|(?<= )(\d+)/(\d+))")
_GROUPED = re.compile(r"(?<![\d.,])(\d{1,3})((?:,\d{3})+|(?: \d{3})+)(?![\d,])")


@dataclass(frozen=True)
class Number:
    """An exact number. `value` is what stands before a percent sign; `digits` counts significant
    figures and `places` decimals of a number written as a decimal (None where it is not).
    """

    value: Fraction
    percent: bool = False
    digits: int | None = None
    places: int | None = None
    unit: str | None = None


def ungroup(text: str) -> str:
    """Drop thousands separators: `12,345` and `12 345` -> `12345`."""
    return _GROUPED.sub(lambda m: m[1] + re.sub("[ ,]", "", m[2]), text)


def read_number(text: str) -> Number | None:
    """The number that `text` (normalised LaTeX, no unit) spells out, or None if it is no number."""
    if len(text) > MAX_DIGITS or not any(c.isdigit() for c in text):
        return None
    text = text.strip().rstrip(".")
    if mixed := _MIXED.fullmatch(text):
        sign, whole, top, bottom = mixed[1], mixed[2], mixed[3] or mixed[5], mixed[4] or mixed[6]
        if not int(bottom):
            return None
        value = int(whole) + Fraction(int(top), int(bottom))
        return Number(-value if sign == "-" else value)
    if re.search(r"[\d.] +[\d.]", text):  # two numbers side by side are not one
        return None
    text = text.replace(" ", "")
    if _DECIMAL.fullmatch(text):
        return _decimal(text)
    if m := _REPEATING.fullmatch(text):
        return _repeating(*m.groups())
    if m := _E_NOTATION.fullmatch(text):
        return _scaled(m[1], m[2])
    if m := _TIMES_TEN.fullmatch(text):
        return _scaled(m[1], m[2] or m[3])
    if m := _POWER.fullmatch(text):
        return _scaled(m[1] + "1", m[2] or m[3])
    if m := _FRACTION.fullmatch(text):
        return _ratio(m[1] + "1", m[2], m[3])
    if m := _SLASH.fullmatch(text):
        return _ratio("1", m[1], m[2])
    return None


def _decimal(text: str) -> Number:
    value = Fraction(text)
    if "." not in text:
        return Number(value)
    digits = text.lstrip("+-").replace(".", "").lstrip("0")
    return Number(value, digits=len(digits), places=len(text.split(".")[1]))


def _repeating(sign: str, whole: str, fixed: str, repeated: str) -> Number:
    r"""0.1\overline{6} is 1/6."""
    nines = (10 ** len(repeated) - 1) * 10 ** len(fixed)
    value = Fraction(f"{whole or 0}.{fixed or 0}") + Fraction(int(repeated), nines)
    return Number(-value if sign == "-" else value)


def _scaled(mantissa: str, exponent: str) -> Number | None:
    power = int(exponent)
    if abs(power) > MAX_EXPONENT:
        return None
    return Number(Fraction(mantissa) * Fraction(10) ** power)


def _ratio(sign: str, top: str, bottom: str) -> Number | None:
    if not Fraction(bottom):
        return None
    return Number(Fraction(sign) * Fraction(top) / Fraction(bottom))
