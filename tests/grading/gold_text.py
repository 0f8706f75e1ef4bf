"""Small patterns that read a gold's text, apart from the grader's own reader."""

import re
from fractions import Fraction

INTEGER = re.compile(r"-?\d+")
DECIMAL = re.compile(r"-?\d*\.\d+")
SCIENTIFIC = re.compile(r"(-?\d*\.?\d+)e(-?\d+)")
FRACTION = re.compile(r"(-?)\\[dt]?frac\s*(?:\{(-?\d+)\}|(\d))\s*(?:\{(\d+)\}|(\d))")
POINT = re.compile(r"\(([^()\[\]]*,[^()\[\]]*)\)")
INTERVAL = re.compile(r"([(\[])([^()\[\],]*),([^()\[\],]*)([)\]])")
BASE = re.compile(r"(\d+)_\{?(\d)\}?")
DEGREES = re.compile(r"(-?[\d.]+)\s*\^\{?\\circ\}?")
WITH_UNIT = re.compile(r"(.*\d.*?)\s*\\(?:text|mbox)\{\s*([a-z]+)\s*\}(?:\^\d)?")
MATRIX = re.compile(r"\\begin\{pmatrix\}(.*)\\end\{pmatrix\}")
WORD = re.compile(r"\\text\{([A-Za-z]+)\}")
CHOICE = re.compile(r"\\text\{\(([A-E])\)\}")
ASSIGNMENT = re.compile(r"([A-Za-z](?:\([a-z]\))?)\s*=\s*([^=,]+)")


def core(gold: str) -> str:
    text = re.sub(r"(?<!\\)\$", "", gold).strip()
    return re.sub(r"\.$|, where.*", "", text).replace("\\quad", "").strip()


def top_split(text: str) -> list[str]:
    parts, depth = [""], 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def listed(core: str) -> list[str]:
    """Items of an unbracketed list, else []."""
    if "\\!" in core or re.fullmatch(r"\d{1,3}(,\d{3})+", core) or "\\begin" in core:
        return []
    parts = top_split(core)
    return parts if len(parts) > 1 else []


def number(core: str) -> Fraction | None:
    text = re.sub(r",\\!\s*", "", core)
    text = re.sub(r"^\\\$", "", text)
    text = text if not re.fullmatch(r"\d{1,3}(,\d{3})+", text) else text.replace(",", "")
    if INTEGER.fullmatch(text) or DECIMAL.fullmatch(text):
        return Fraction(text)
    if m := SCIENTIFIC.fullmatch(text):
        return Fraction(m[1]) * Fraction(10) ** int(m[2])
    if m := FRACTION.fullmatch(text):
        return Fraction(int(m[1] + "1") * int(m[2] or m[3]), int(m[4] or m[5]))
    return None


def decimal_text(value: Fraction) -> str | None:
    """The exact decimal of a fraction that has one of at most 12 places."""
    for places in range(13):
        if (value * 10**places).denominator == 1:
            return f"{float(value):.{places}f}" if abs(value) < 10**9 else None
    return None


def join(terms: list[str]) -> str:
    return re.sub(r"^\+", "", "".join(terms))


def fraction_text(value: Fraction) -> str:
    sign = "-" if value < 0 else ""
    return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def inequality(m: re.Match[str], le: str) -> str:
    low, high = m[2].strip(), m[3].strip()
    left, right = (le if m[1] == "[" else "<"), (le if m[4] == "]" else "<")
    if "infty" in low:
        return f"x {right} {high}"
    if "infty" in high:
        return f"x {le.replace('le', 'ge') if m[1] == '[' else '>'} {low}"
    return f"{low} {left} x {right} {high}"
