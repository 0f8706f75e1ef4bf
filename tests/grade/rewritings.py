"""Equivalent and near-miss rewritings of the benchmarks' golds, with their labels.

The generator works on the gold's text with its own small patterns, never with the grader's reader,
so that a misreading there cannot hide itself. Usage, from the repository root:

    PYTHONPATH=workflow python tests/grade/rewritings.py [--holdout] [--show KIND]

prints false negatives and positives by kind and by benchmark, on the golds used for tuning or, with
--holdout, on the quarter of the golds (by hash) that was kept unseen.
"""

import argparse
import hashlib
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parent))
from benchmarks import golds

SEED = 20250812
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


class Case(NamedTuple):
    """One graded response. `label`: whether it is right; `kind`: the rewriting's name."""

    benchmark: str
    gold: str
    answer: str
    label: bool
    kind: str


def held_out(gold: str) -> bool:
    """Whether a gold belongs to the quarter that tuning never saw."""
    return hashlib.sha256(f"holdout:{gold}".encode()).digest()[0] < 64


def cases(holdout: bool) -> Iterator[Case]:
    """Every rewriting of every distinct gold of one side of the split, without repeats."""
    seen = set()
    for benchmark, _, gold in golds():
        if held_out(gold) != holdout or (benchmark, gold) in seen:
            continue
        seen.add((benchmark, gold))
        draw = random.Random(f"{SEED}:{gold}")
        core = _core(gold)
        made = {gold: True}
        for label, kind, answer in [*_right(core, draw), *_wrong(core, draw)]:
            if made.setdefault(answer, label) is label:
                yield Case(benchmark, gold, answer, label, kind)


def _core(gold: str) -> str:
    text = re.sub(r"(?<!\\)\$", "", gold).strip()
    return re.sub(r"\.$|, where.*", "", text).replace("\\quad", "").strip()


def _top_split(text: str) -> list[str]:
    parts, depth = [""], 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if char == "," and not depth:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts]


def _list(core: str) -> list[str]:
    """Items of an unbracketed list, else []."""
    if "\\!" in core or re.fullmatch(r"\d{1,3}(,\d{3})+", core) or "\\begin" in core:
        return []
    parts = _top_split(core)
    return parts if len(parts) > 1 else []


def _number(core: str) -> Fraction | None:
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


def _decimal_text(value: Fraction) -> str | None:
    """The exact decimal of a fraction that has one of at most 12 places."""
    for places in range(13):
        if (value * 10**places).denominator == 1:
            return f"{float(value):.{places}f}" if abs(value) < 10**9 else None
    return None


def _right(core: str, draw: random.Random) -> Iterator[tuple[bool, str, str]]:
    """(True, kind, answer): the same answer written in another way."""
    yield True, "identity", core
    yield True, "space", f" {core} "
    yield True, "trailing period", f"{core}."
    yield True, "dollars", f"${core}$"
    yield True, "parenthesis delimiters", rf"\({core}\)"
    yield True, "displaystyle", rf"\displaystyle {core}"
    yield True, "thin space", rf"\,{core}\,"
    if "frac" in core:
        yield True, "dfrac", re.sub(r"\\[dt]?frac", r"\\dfrac", core)
        yield True, "tfrac", re.sub(r"\\[dt]?frac", r"\\tfrac", core)
    if FRACTION.fullmatch(core):
        yield (
            True,
            "frac to slash",
            re.sub(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}", r"(\1)/(\2)", core),
        )
    if (
        re.search(r"[(\[]", core)
        and "left" not in core
        and "\\text" not in core
        and core != "t(0,4]"
    ):
        yield (
            True,
            "left right",
            re.sub(r"[)\]]", r"\\right\g<0>", re.sub(r"[(\[]", r"\\left\g<0>", core)),
        )
    if "\\left" in core:
        yield True, "no left right", core.replace("\\left", "").replace("\\right", "")
    if re.search(r"\\sqrt\{\d\}", core):
        yield True, "bare sqrt", re.sub(r"\\sqrt\{(\d)\}(?!\d)", r"\\sqrt\1 ", core)
    if "," in core and "\\!" not in core and not re.fullmatch(r"\d{1,3}(,\d{3})+", core):
        yield True, "comma spacing", re.sub(r",\s*", ", ", core)
        yield True, "comma no space", re.sub(r",\s+", ",", core)
        yield True, "comma thin space", re.sub(r",\s*", r",\\, ", core)
    if (value := _number(core)) is not None:
        yield from _right_number(core, value, draw)
    elif items := _list(core):
        yield from _right_list(items, draw)
    elif m := ASSIGNMENT.fullmatch(core):
        yield True, "value only", m[2]
        yield True, "spaced equation", f"{m[1]}  =  {m[2]}"
    yield from _right_special(core)
    if not _list(core) and not re.search(
        r"[=,_]|\\in|\\ge|\\text|\\begin|\\cup|\\mbox|\\pm|%", core
    ):
        yield True, "x=", f"x={core}"
        yield True, "x = spaced", f"x = {core}"
        yield True, "prefixed text", rf"\text{{Answer}} = {core}"


def _right_number(
    core: str, value: Fraction, draw: random.Random
) -> Iterator[tuple[bool, str, str]]:
    plain = core.replace("\\$", "")
    if SCIENTIFIC.fullmatch(core):
        mantissa, exponent = SCIENTIFIC.fullmatch(core).groups()
        for kind, answer in {
            "times": rf"{mantissa} \times 10^{{{exponent}}}",
            "cdot": rf"{mantissa} \cdot 10^{{{exponent}}}",
            "times tight": rf"{mantissa}\times10^{{{exponent}}}",
            "E": f"{mantissa}E{exponent}",
            "E+": f"{mantissa}E{int(exponent):+03d}",
            "star": f"{mantissa}*10^{{{exponent}}}",
            "times unit": rf"{mantissa} \times 10^{{{exponent}}} \text{{ m/s}}",
            "times mathrm": rf"{mantissa}\times 10^{{{exponent}}}\mathrm{{~cm}}",
            "unicode": f"{mantissa} × 10^{{{exponent}}}",
            "shifted": rf"{float(Fraction(mantissa) * 10):g} \times 10^{{{int(exponent) - 1}}}",
        }.items():
            yield True, f"scientific {kind}", answer
        if -8 < int(exponent) < 12 and (text := _decimal_text(value)):
            yield True, "scientific to decimal", text
    if DECIMAL.fullmatch(plain) and "e" not in plain:
        yield True, "trailing zero", plain + "0"
        yield True, "leading zero", re.sub(r"^(-?)0?\.", r"\g<1>0.", plain)
        yield True, "no leading zero", re.sub(r"^(-?)0\.", r"\1.", plain)
        if value.denominator < 10**7 and value.denominator != 1:
            yield True, "decimal to frac", _frac(value)
    if value.denominator == 1 and "e" not in core:
        digits = f"{abs(value.numerator):,}"
        sign = "-" if value < 0 else ""
        if "," in digits:
            for kind, comma in {
                "comma": ",",
                "thin": r"\,",
                "brace": "{,}",
                "bang": r",\!",
                "space": " ",
                "tilde": "~",
                "escaped space": r"\ ",
            }.items():
                yield True, f"thousands {kind}", sign + digits.replace(",", comma)
        whole = f"{sign}{abs(value.numerator)}"
        yield True, "integer point", f"{whole}."
        yield True, "integer .0", f"{whole}.0"
        yield True, "integer .00", f"{whole}.00"
        yield True, "integer over one", rf"\frac{{{whole}}}{{1}}"
        yield True, "unreduced", rf"\frac{{{2 * value.numerator}}}{{2}}"
        if abs(value) >= 1000:
            power = len(str(abs(value.numerator))) - 1
            yield (
                True,
                "integer scientific",
                rf"{_decimal_text(value / 10**power)} \times 10^{{{power}}}"
                if (_decimal_text(value / 10**power))
                else whole,
            )
    elif FRACTION.fullmatch(core):
        top, bottom = abs(value.numerator), value.denominator
        sign = "-" if value < 0 else ""
        yield True, "slash", f"{sign}{top}/{bottom}"
        yield True, "sign outside", rf"{sign}\frac{{{top}}}{{{bottom}}}"
        yield True, "unreduced", rf"{sign}\frac{{{3 * top}}}{{{3 * bottom}}}"
        if sign:
            yield True, "sign on top", rf"\frac{{-{top}}}{{{bottom}}}"
            yield True, "sign below", rf"\frac{{{top}}}{{-{bottom}}}"
        if top < 10 and bottom < 10:
            yield True, "frac digits", rf"{sign}\frac{top}{bottom}"
        if top < 10:
            yield True, "frac digit brace", rf"{sign}\frac{top}{{{bottom}}}"
        if text := _decimal_text(value):
            yield True, "exact decimal", text
            yield True, "exact decimal bare point", re.sub(r"^(-?)0\.", r"\1.", text)
        if top > bottom and not sign:
            yield True, "mixed", rf"{top // bottom}\frac{{{top % bottom}}}{{{bottom}}}"
    unit = draw.choice(
        ["cm", "units", "m", "students", "seconds", "square units", "miles per hour"]
    )
    yield True, "text unit", rf"{plain} \text{{ {unit}}}"
    yield True, "text unit tight", rf"{plain}\text{{{unit}}}"
    yield True, "mathrm unit", rf"{plain}\mathrm{{~cm}}"
    yield True, "mathrm power", rf"{plain} \mathrm{{cm}}^2"
    yield True, "mbox unit", rf"{plain}\mbox{{ {unit}}}"
    yield True, "bare unit", f"{plain} cm"
    yield True, "rate unit", rf"{plain}\text{{ km/h}}"
    yield True, "cubic unit", rf"{plain}\,\text{{cm}}^{{3}}"
    yield True, "physics unit", rf"{plain} \mathrm{{~kg}} \cdot \mathrm{{m}} / \mathrm{{s}}^{{2}}"
    yield True, "inverse unit", rf"{plain}\ \text{{cm}}^{{-3}}"
    yield True, "roman unit", rf"{plain}\,\mathrm{{m\,s^{{-1}}}}"
    yield True, "parentheses", f"({plain})"
    yield True, "left parentheses", rf"\left({plain}\right)"
    yield True, "singleton", rf"\{{{plain}\}}"
    yield True, "named chain", f"S = a + b = {plain}"
    yield True, "leading approx", rf"\approx {plain}"
    yield True, "colour", rf"\color{{red}}{{{plain}}}"
    yield True, "space inside", f"{{ {plain} }}"
    if not plain.startswith(("-", "+")):
        yield True, "plus sign", f"+{plain}"
        yield True, "zero plus", f"0+{plain}" if SCIENTIFIC.fullmatch(core) is None else plain
    yield True, "text wrap", rf"\text{{{plain}}}"
    yield True, "mathbf", rf"\mathbf{{{plain}}}"
    yield True, "braces", f"{{{plain}}}"
    yield True, "approx name", rf"x \approx {plain}"
    if "\\$" in core:
        yield True, "no currency", plain
        yield True, "dollars word", rf"{plain} \text{{ dollars}}"
    elif value.denominator == 1:
        yield True, "currency", rf"\${plain}"
    yield True, "degree sign", rf"{plain}^\circ"
    yield True, "degree braces", rf"{plain}^{{\circ}}"


def _right_list(items: list[str], draw: random.Random) -> Iterator[tuple[bool, str, str]]:
    shuffled = items[:]
    draw.shuffle(shuffled)
    yield True, "list reversed", ", ".join(items[::-1])
    yield True, "list shuffled", ",".join(shuffled)
    yield True, "list semicolons", "; ".join(items)
    yield True, "list and", rf"{', '.join(items[:-1])} \text{{ and }} {items[-1]}"
    yield True, "list or", r" \text{ or } ".join(items)
    yield True, "list plain and", f"{', '.join(items[:-1])} and {items[-1]}"
    yield True, "list quad", r",\quad ".join(items)
    yield True, "list newline", ",\n".join(items)
    yield True, "list dollars", ", ".join(f"${item}$" for item in shuffled)
    yield True, "list oxford and", rf"{', '.join(items[:-1])},\text{{ and }}{items[-1]}"
    if not any("=" in item for item in items):
        yield True, "list or x=", r" \text{ or } ".join(f"x = {item}" for item in shuffled)
    if not any("=" in item for item in items):
        yield True, "list braces", rf"\{{{', '.join(items)}\}}"
        yield True, "list left braces", rf"\left\{{{', '.join(shuffled)}\right\}}"
        yield True, "list x=", f"x={', '.join(items)}"
        yield True, "list x= each", ", ".join(f"x={item}" for item in items)
        yield True, "list x in", rf"x \in \{{{', '.join(items)}\}}"
        yield True, "list indexed", ", ".join(f"x_{k}={item}" for k, item in enumerate(items, 1))


def _right_special(core: str) -> Iterator[tuple[bool, str, str]]:
    if m := BASE.fullmatch(core):
        yield True, "base braces", f"{m[1]}_{{{m[2]}}}"
        yield True, "base bare", f"{m[1]}_{m[2]}"
        yield True, "base text", rf"{m[1]}_{{\text{{base }}{m[2]}}}"
    if m := CHOICE.fullmatch(core):
        for answer in (
            m[1],
            f"({m[1]})",
            rf"\text{{{m[1]}}}",
            rf"(\text{{{m[1]}}})",
            rf"\textbf{{({m[1]})}}",
            rf"\mathrm{{{m[1]}}}",
            rf"\mathbf{{({m[1]})}}",
            rf"\text{{({m[1]})}}",
        ):
            yield True, "choice", answer
    elif m := WORD.fullmatch(core):
        for answer in (
            m[1],
            rf"\textbf{{{m[1]}}}",
            rf"\mathrm{{{m[1]}}}",
            rf"\text{{ {m[1]} }}",
            rf"\text{{{m[1].lower()}}}",
            m[1].capitalize(),
        ):
            yield True, "word", answer
    if m := DEGREES.fullmatch(core):
        for answer in (
            m[1],
            f"{m[1]}°",
            rf"{m[1]} \text{{ degrees}}",
            rf"{m[1]}^{{\circ}}",
            f"{m[1]} degrees",
            rf"{m[1]}\degree",
        ):
            yield True, "degrees", answer
    if m := WITH_UNIT.fullmatch(core):
        yield True, "gold unit dropped", m[1]
        yield True, "gold unit font", rf"{m[1]}\ \mathrm{{{m[2]}}}"
    if m := re.fullmatch(r"([\d.]+)\s*\\?%", core):
        for answer in (f"{m[1]}%", rf"{m[1]}\%", rf"{m[1]} \%", rf"{m[1]} \text{{ percent}}", m[1]):
            yield True, "percent", answer
    if m := MATRIX.fullmatch(core):
        yield True, "bmatrix", core.replace("pmatrix", "bmatrix")
        yield True, "matrix tight", re.sub(r"\s+", "", core)
        yield True, "matrix array", rf"\left(\begin{{array}}{{c}}{m[1]}\end{{array}}\right)"
        yield True, "matrix dfrac", re.sub(r"(-?)(\d+)/(\d+)", r"\1\\dfrac{\2}{\3}", core)
    flat = core.replace("\\left", "").replace("\\right", "")
    parts = [INTERVAL.fullmatch(p.strip()) for p in re.sub(r"^x \\in", "", flat).split("\\cup")]
    is_interval = "\\infty" in core or "\\cup" in core or "]" in core
    if is_interval and all(parts):
        yield True, "interval x in", rf"x \in {re.sub(r'^x .in', '', core)}"
        for le in (r"\le", r"\leq", r"\leqslant"):
            yield True, "inequality", r" \text{ or } ".join(_inequality(m, le) for m in parts)
        if len(parts) > 1:
            yield True, "union reversed", r" \cup ".join(m[0] for m in parts[::-1])
    if is_interval and len(parts) == 1 and parts[0]:
        low, high = parts[0][2].strip(), parts[0][3].strip()
        yield True, "set builder", rf"\{{x \mid {_inequality(parts[0], chr(92) + 'le')}\}}"
        if "infty" not in low + high:
            left = r"\ge" if parts[0][1] == "[" else ">"
            right = r"\ge" if parts[0][4] == "]" else ">"
            yield True, "inequality reversed", f"{high} {right} x {left} {low}"
    if (m := POINT.fullmatch(flat)) and "infty" not in core:
        items = _top_split(m[1])
        yield True, "named point", f"P = ({', '.join(items)})"
        yield True, "named tuple", f"({', '.join('abcdefghijklmnopqr'[: len(items)])}) = ({m[1]})"
        spaced = r" ,\ ".join(items)
        yield True, "point spacing", rf"\left( {spaced} \right)"
    if re.fullmatch(r"k \\geqslant 2", core):
        for answer in (r"k \ge 2", r"k \geq 2", r"[2,\infty)", r"k\in[2,\infty)", r"2 \le k"):
            yield True, "inequality", answer
    if "\\pm" in core and (m := re.fullmatch(r"([^,\\]*)\\pm\s*([^,]*)", core)):
        yield True, "plus minus split", f"{m[1]}+{m[2]}, {m[1]}-{m[2]}"
        yield True, "plus minus split", f"x = {m[1]}-{m[2]} \\text{{ or }} x = {m[1]}+{m[2]}"
    yield from _right_formula(core)


def _right_formula(core: str) -> Iterator[tuple[bool, str, str]]:
    if (
        "=" in core
        or _list(core)
        or SCIENTIFIC.fullmatch(core)
        or "\\" in re.sub(r"\\(?:frac|sqrt|pi|left|right)", "", core)
    ):
        return
    if re.fullmatch(r"[^+,()\[\]{}_]+(?: ?[-+] ?[^-+,()\[\]{}_]+)+", core) and core[0] not in "-+":
        terms = re.findall(r"[-+]?[^-+]+", core.replace(" ", ""))
        if "^-" not in core:
            yield True, "terms reordered", _join([*terms[1:], f"+{terms[0]}"])
            yield True, "terms grouped", f"({core})"
            yield True, "doubled half", rf"\frac{{2({core})}}{{2}}"
    if m := re.fullmatch(r"(-?\d*)\s*\\sqrt\{?(\d+)\}?", core):
        lead = m[1] or "1"
        lead = "-1" if lead == "-" else lead
        if lead not in ("-1", "1"):
            yield True, "root times", rf"{lead}\cdot\sqrt{{{m[2]}}}"
            yield True, "root order", rf"\sqrt{{{m[2]}}} \cdot {lead}"
            if int(lead) > 0:
                yield True, "root inside", rf"\sqrt{{{int(lead) ** 2 * int(m[2])}}}"
        yield True, "root plain", f"{lead}*sqrt({m[2]})"
        yield (
            True,
            "root power",
            rf"{lead}\cdot {m[2]}^{{1/2}}" if m[1] else rf"{m[2]}^{{\frac{{1}}{{2}}}}",
        )
    if m := re.fullmatch(r"(\d+)\s*\\pi", core):
        yield True, "pi cdot", rf"{m[1]}\cdot\pi"
        yield True, "pi unicode", f"{m[1]}π"
        yield True, "pi order", rf"\pi \cdot {m[1]}"


def _join(terms: list[str]) -> str:
    return re.sub(r"^\+", "", "".join(terms))


def _frac(value: Fraction) -> str:
    sign = "-" if value < 0 else ""
    return rf"{sign}\frac{{{abs(value.numerator)}}}{{{value.denominator}}}"


def _inequality(m: re.Match[str], le: str) -> str:
    low, high = m[2].strip(), m[3].strip()
    left, right = (le if m[1] == "[" else "<"), (le if m[4] == "]" else "<")
    if "infty" in low:
        return f"x {right} {high}"
    if "infty" in high:
        return f"x {le.replace('le', 'ge') if m[1] == '[' else '>'} {low}"
    return f"{low} {left} x {right} {high}"


def _wrong(core: str, draw: random.Random) -> Iterator[tuple[bool, str, str]]:
    """(False, kind, answer): another answer that a careless grader takes for the gold."""
    if (value := _number(core)) is not None:
        yield from _wrong_number(core, value)
    if items := _list(core):
        yield from _wrong_list(items)
    if m := POINT.fullmatch(core.replace("\\left", "").replace("\\right", "")):
        parts = [p.strip() for p in _top_split(m[1])]
        if parts != parts[::-1]:
            yield False, "point reversed", f"({', '.join(parts[::-1])})"
        yield False, "point first plus one", f"({', '.join([parts[0] + '+1', *parts[1:]])})"
        yield (
            False,
            "point negated",
            f"({', '.join(f'-({p})' for p in parts)})"
            if any(p != "0" for p in parts)
            else "(1, 1)",
        )
        yield False, "point dropped", f"({', '.join(parts[:-1])})"
        yield False, "point extra", f"({', '.join(parts)}, 1)"
        yield False, "point to set", rf"\{{{', '.join(parts)}\}}"
        yield False, "square brackets", f"[{', '.join(parts)}]"
        yield False, "half open", f"({', '.join(parts)}]"
    flat = core.replace("\\left", "").replace("\\right", "")
    if "]" in flat and (m := INTERVAL.fullmatch(flat)):
        swap = {"(": "[", "[": "(", ")": "]", "]": ")"}
        yield False, "interval end", f"{swap[m[1]]}{m[2]},{m[3]}{m[4]}"
        yield False, "interval end", f"{m[1]}{m[2]},{m[3]}{swap[m[4]]}"
        yield False, "interval shifted", f"{m[1]}{m[2]},{m[3]}+1{m[4]}"
        yield False, "interval open ray", f"x > {m[2]}"
        yield False, "interval as set", rf"\{{{m[2]},{m[3]}\}}"
        yield False, "inequality ends", f"{m[2]} < x < {m[3]}"
    if "\\cup" in core:
        yield False, "union part", core.split("\\cup")[0]
        yield False, "union cap", core.replace("\\cup", "\\cap")
    if m := BASE.fullmatch(core):
        yield False, "other base", f"{m[1]}_{int(m[2]) + 1}"
        yield False, "other base", f"{m[1]}_{{{int(m[2]) - 1}}}"
        yield False, "base digit", f"{int(m[1]) + 1}_{m[2]}"
        yield False, "base ten value", str(int(m[1], int(m[2])))
    if m := CHOICE.fullmatch(core):
        other = "ABCDE"[("ABCDE".index(m[1]) + 1) % 5]
        for answer in (other, rf"\text{{({other})}}", f"({other})"):
            yield False, "other choice", answer
    elif m := WORD.fullmatch(core):
        yield False, "other word", rf"\text{{not {m[1]}}}"
        yield False, "other word", rf"\text{{{m[1][::-1]}}}"
        yield False, "word to number", "1"
    if m := MATRIX.fullmatch(core):
        rows = m[1].split("\\\\")
        yield False, "matrix negated", f"-{core}"
        yield False, "matrix doubled", f"2{core}"
        yield False, "matrix entry", core.replace("pmatrix} ", "pmatrix} 9", 1)
        yield False, "matrix row dropped", rf"\begin{{pmatrix}}{rows[0]}\end{{pmatrix}}"
        if "&" not in core:
            yield False, "matrix transposed", rf"\begin{{pmatrix}}{'&'.join(rows)}\end{{pmatrix}}"
    if "=" in core and not _list(core):
        yield False, "equation right side", f"{core} + 1"
        yield (
            False,
            "equation sign",
            re.sub(r"=\s*", "= -(", core, count=1) + ")"
            if not core.endswith("=0") and ("= 0" not in core)
            else f"{core[:-1]}1",
        )
    if m := DEGREES.fullmatch(core):
        yield False, "degrees off by one", rf"{int(float(m[1])) + 1}^\circ"
        yield False, "degrees to radians", rf"{m[1]} \text{{ radians}}"
    if m := re.fullmatch(r"([\d.]+)\s*\\?%", core):
        yield False, "percent x100", rf"{float(m[1]) * 100:g}\%"
        yield False, "percent /100", rf"{float(m[1]) / 100:g}\%"
    if (
        value is None
        and not _list(core)
        and re.search(r"[a-z\\]", core)
        and not re.search(r"text|mbox|begin|=|\\circ|in |ge|cup|infty|\\pm|,|%", core)
    ):
        yield False, "formula plus one", f"{core}+1"
        yield False, "formula doubled", f"2({core})"
        yield False, "formula negated", f"-({core})"
        for k, m in enumerate(re.finditer(r"\d+", core)):
            changed = core[: m.start()] + str(int(m[0]) + 1) + core[m.end() :]
            if (
                not core[: m.start()].endswith("_{")
                and not core[: m.start()].endswith("_")
                and k < 4
            ):
                yield False, "formula digit", changed
        if re.search(r"(?<![\\a-zA-Z{])[a-z](?![a-z])", core):
            yield (
                False,
                "formula variable",
                re.sub(r"(?<![\\a-zA-Z{])([a-z])(?![a-z])", "q", core, count=1),
            )
    if draw.random() < 0.2 and (value is not None):
        yield False, "no solution", r"\text{no solution}"


def _wrong_number(core: str, value: Fraction) -> Iterator[tuple[bool, str, str]]:
    plain = re.sub(r",\\!\s*|\\\$", "", core)
    if value:
        yield False, "sign", f"-{plain}" if value > 0 else re.sub("-", "", plain, count=1)
    if m := SCIENTIFIC.fullmatch(core):
        mantissa, exponent = m[1], int(m[2])
        up = _last_digit(mantissa)
        for answer in (
            f"{up}e{exponent}",
            rf"{up} \times 10^{{{exponent}}}",
            rf"{mantissa} \times 10^{{{exponent + 1}}}",
            rf"{mantissa} \times 10^{{{exponent - 1}}}",
            rf"{mantissa} \times 10^{{{-exponent}}}",
            rf"{mantissa}\cdot {exponent}",
            mantissa,
            rf"{mantissa} \times 10^{{{exponent + 2}}}",
            f"{mantissa}e{exponent - 2}",
        ):
            if exponent or "10^" not in answer:
                yield False, "scientific", answer
    elif FRACTION.fullmatch(core):
        top, bottom = value.numerator, value.denominator
        if abs(top) != bottom:
            yield False, "fraction inverted", _frac(1 / value)
        yield False, "numerator off", rf"\frac{{{top + 1}}}{{{bottom}}}"
        yield False, "denominator off", rf"\frac{{{top}}}{{{bottom + 1}}}"
        yield False, "fraction x100", rf"\frac{{{100 * top}}}{{{bottom}}}"
        yield False, "fraction dropped", str(top)
        yield (
            False,
            "short decimal",
            f"{float(value):.2f}" if Fraction(f"{float(value):.2f}") != value else str(top),
        )
    elif value.denominator == 1 and "." not in plain:
        plain = plain.replace(",", "")
        for kind, other in {
            "off by one": value + 1,
            "off by minus one": value - 1,
            "x10": value * 10,
            "x100": value * 100,
        }.items():
            if other != value:
                yield False, kind, str(other)
        if value:
            yield (
                False,
                "/100",
                f"{float(value / 100):.10g}" if abs(value) < 10**8 else str(value + 10),
            )
            yield False, "reciprocal", rf"\frac{{1}}{{{plain}}}" if abs(value) != 1 else "3"
            yield (
                False,
                "digits swapped",
                plain[:-2] + plain[:-3:-1]
                if len(plain) > 2 and plain[-1] != plain[-2]
                else str(value + 2),
            )
        yield False, "half more", f"{plain}.5"
        yield False, "tiny more", f"{plain}.001"
        yield False, "second item", f"{plain}, {value + 1}"
        yield False, "with variable", f"{plain}x" if value else "x"
        yield False, "power", f"{plain}^2" if abs(value) > 1 else "7"
        yield False, "as base", f"{plain}_{{3}}"
        yield False, "times pi", rf"{plain}\pi" if value else r"\pi"
        yield False, "imaginary", f"{plain}i" if value else "i"
        yield False, "root", rf"\sqrt{{{plain}}}" if value > 1 else "17"
        yield False, "factorial", f"{plain}!" if value > 2 else "17"
        yield False, "sum with one", f"{plain}+1"
        yield False, "plus minus", rf"\pm {plain}" if value else "1"
        yield False, "open pair", f"({plain}, {value + 1})"
        yield False, "inequality", f"x > {plain}"
    else:
        yield False, "last place", _last_digit(plain)
        yield False, "x100", f"{float(value * 100):.10g}" if value else "1"
        yield False, "/100", f"{float(value / 100):.10g}" if value else "1"
        yield False, "extra place", f"{plain}1"


def _last_digit(text: str) -> str:
    """`text` with its last digit changed by one: one unit in the last place."""
    last = int(text[-1])
    return text[:-1] + str(last + 1 if last < 9 else last - 1)


def _wrong_list(items: list[str]) -> Iterator[tuple[bool, str, str]]:
    yield False, "list dropped", ", ".join(items[:-1])
    yield False, "list dropped", ", ".join(items[1:])
    yield False, "list extra", ", ".join([*items, "12345"])
    yield False, "list duplicate", ", ".join([*items, items[0]])
    yield False, "list first only", items[0]
    yield False, "list square brackets", f"[{', '.join(items)}]"
    if all(INTEGER.fullmatch(item) for item in items):
        yield False, "list item off", ", ".join([*items[:-1], str(int(items[-1]) + 1)])
        yield (
            False,
            "list item sign",
            ", ".join([*items[:-1], str(-int(items[-1]))])
            if int(items[-1]) and (sorted([*items[:-1], str(-int(items[-1]))]) != sorted(items))
            else "12345",
        )
        yield False, "list summed", str(sum(map(int, items)) + 1000)
    if all(item.startswith("(") for item in items):
        first = _top_split(items[0][1:-1])
        swapped = f"({','.join(first[::-1])})"
        if (
            len(first) > 1
            and first != first[::-1]
            and swapped.replace(" ", "") not in [i.replace(" ", "") for i in items]
        ):
            yield False, "list pair swapped", ", ".join([swapped, *items[1:]])


def report(holdout: bool, show: str | None) -> tuple[Counter, Counter]:
    """Grade every case, print error rates, and return (errors, totals) by (label, kind)."""
    from rectify.grade import grade

    errors, totals = Counter(), Counter()
    for case in cases(holdout):
        verdict = grade(case.gold, rf"So the answer is $\boxed{{{case.answer}}}$.", case.benchmark)
        keys = [(case.label, case.kind), (case.label, case.benchmark), (case.label, "all")]
        totals.update(keys)
        if verdict.corrected != case.label:
            errors.update(keys)
            if show in (case.kind, "all"):
                print(
                    f"{case.label!s:5} {case.benchmark:13} {case.kind:22} "
                    f"{case.gold!r} <- {case.answer!r} {verdict.status}"
                )
    for label, name in ((True, "false negatives"), (False, "false positives")):
        print(f"{name}: {errors[label, 'all']} of {totals[label, 'all']}")
        for (of, kind), count in sorted(totals.items(), key=lambda kv: -errors[kv[0]] / kv[1]):
            if of is label and errors[of, kind] and kind != "all":
                print(
                    f"  {kind:24} {errors[of, kind]:5} of {count:5} {errors[of, kind] / count:7.2%}"
                )
    return errors, totals


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--holdout", action="store_true", help="the golds kept unseen while tuning")
    parser.add_argument("--show", metavar="KIND", help="print the errors of one kind, or of all")
    options = parser.parse_args()
    report(options.holdout, options.show)


if __name__ == "__main__":
    main()
