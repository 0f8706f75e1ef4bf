"""The same answer written in another way: (True, kind, answer)."""

import random
import re
from collections.abc import Iterator

from equivalent_numbers import equivalent_numbers
from gold_text import (
    ASSIGNMENT,
    BASE,
    CHOICE,
    DEGREES,
    FRACTION,
    INTERVAL,
    MATRIX,
    POINT,
    SCIENTIFIC,
    WITH_UNIT,
    WORD,
    inequality,
    join,
    listed,
    number,
    top_split,
)


def equivalents(core: str, draw: random.Random) -> Iterator[tuple[bool, str, str]]:
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
    if (value := number(core)) is not None:
        yield from equivalent_numbers(core, value, draw)
    elif items := listed(core):
        yield from _lists(items, draw)
    elif m := ASSIGNMENT.fullmatch(core):
        yield True, "value only", m[2]
        yield True, "spaced equation", f"{m[1]}  =  {m[2]}"
    yield from _special(core)
    if not listed(core) and not re.search(
        r"[=,_]|\\in|\\ge|\\text|\\begin|\\cup|\\mbox|\\pm|%", core
    ):
        yield True, "x=", f"x={core}"
        yield True, "x = spaced", f"x = {core}"
        yield True, "prefixed text", rf"\text{{Answer}} = {core}"


def _lists(items: list[str], draw: random.Random) -> Iterator[tuple[bool, str, str]]:
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


def _special(core: str) -> Iterator[tuple[bool, str, str]]:
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
            yield True, "inequality", r" \text{ or } ".join(inequality(m, le) for m in parts)
        if len(parts) > 1:
            yield True, "union reversed", r" \cup ".join(m[0] for m in parts[::-1])
    if is_interval and len(parts) == 1 and parts[0]:
        low, high = parts[0][2].strip(), parts[0][3].strip()
        yield True, "set builder", rf"\{{x \mid {inequality(parts[0], chr(92) + 'le')}\}}"
        if "infty" not in low + high:
            left = r"\ge" if parts[0][1] == "[" else ">"
            right = r"\ge" if parts[0][4] == "]" else ">"
            yield True, "inequality reversed", f"{high} {right} x {left} {low}"
    if (m := POINT.fullmatch(flat)) and "infty" not in core:
        items = top_split(m[1])
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
    yield from _formulas(core)


def _formulas(core: str) -> Iterator[tuple[bool, str, str]]:
    if (
        "=" in core
        or listed(core)
        or SCIENTIFIC.fullmatch(core)
        or "\\" in re.sub(r"\\(?:frac|sqrt|pi|left|right)", "", core)
    ):
        return
    if re.fullmatch(r"[^+,()\[\]{}_]+(?: ?[-+] ?[^-+,()\[\]{}_]+)+", core) and core[0] not in "-+":
        terms = re.findall(r"[-+]?[^-+]+", core.replace(" ", ""))
        if "^-" not in core:
            yield True, "terms reordered", join([*terms[1:], f"+{terms[0]}"])
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
