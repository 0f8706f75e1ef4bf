"""Answers that are nearly a gold: (False, kind, answer)."""

import random
import re
from collections.abc import Iterator
from fractions import Fraction

from gold_text import (
    BASE,
    CHOICE,
    DEGREES,
    FRACTION,
    INTEGER,
    INTERVAL,
    MATRIX,
    POINT,
    SCIENTIFIC,
    WORD,
    fraction_text,
    listed,
    number,
    top_split,
)


def near_misses(core: str, draw: random.Random) -> Iterator[tuple[bool, str, str]]:
    """(False, kind, answer): another answer that a careless grader takes for the gold."""
    if (value := number(core)) is not None:
        yield from _numbers(core, value)
    if items := listed(core):
        yield from _lists(items)
    if m := POINT.fullmatch(core.replace("\\left", "").replace("\\right", "")):
        parts = [p.strip() for p in top_split(m[1])]
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
    if "=" in core and not listed(core):
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
        and not listed(core)
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


def _numbers(core: str, value: Fraction) -> Iterator[tuple[bool, str, str]]:
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
            yield False, "fraction inverted", fraction_text(1 / value)
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


def _lists(items: list[str]) -> Iterator[tuple[bool, str, str]]:
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
        first = top_split(items[0][1:-1])
        swapped = f"({','.join(first[::-1])})"
        if (
            len(first) > 1
            and first != first[::-1]
            and swapped.replace(" ", "") not in [i.replace(" ", "") for i in items]
        ):
            yield False, "list pair swapped", ", ".join([swapped, *items[1:]])
