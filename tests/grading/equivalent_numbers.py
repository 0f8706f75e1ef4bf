"""The same number written in another way: (True, kind, answer)."""

import random
import re
from collections.abc import Iterator
from fractions import Fraction

from gold_text import DECIMAL, FRACTION, SCIENTIFIC, decimal_text, fraction_text


def equivalent_numbers(
    core: str, value: Fraction, draw: random.Random
) -> Iterator[tuple[bool, str, str]]:
    """(True, kind, answer): the number `core`, whose value is `value`, written in another way."""
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
        if -8 < int(exponent) < 12 and (text := decimal_text(value)):
            yield True, "scientific to decimal", text
    if DECIMAL.fullmatch(plain) and "e" not in plain:
        yield True, "trailing zero", plain + "0"
        yield True, "leading zero", re.sub(r"^(-?)0?\.", r"\g<1>0.", plain)
        yield True, "no leading zero", re.sub(r"^(-?)0\.", r"\1.", plain)
        if value.denominator < 10**7 and value.denominator != 1:
            yield True, "decimal to frac", fraction_text(value)
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
                rf"{decimal_text(value / 10**power)} \times 10^{{{power}}}"
                if (decimal_text(value / 10**power))
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
        if text := decimal_text(value):
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
