"""Units behind an answer: recognise them, drop them, and notice when two of them differ."""

import re
from fractions import Fraction

from rectify.grading.answers.phrases import PART, REFUSING

_NAMES = {
    "m": "meter metre meters metres",
    "cm": "centimeter centimetre centimeters centimetres",
    "mm": "millimeter millimetre millimeters millimetres",
    "nm": "nanometer nanometers",
    "km": "kilometer kilometre kilometers kilometres",
    "in": "inch inches",
    "ft": "foot feet",
    "yd": "yard yards",
    "mi": "mile miles",
    "s": "sec secs second seconds",
    "ms": "millisecond",
    "min": "mins minute minutes",
    "h": "hr hrs hour hours",
    "day": "days",
    "week": "weeks",
    "month": "months",
    "yr": "year years",
    "g": "gram grams gm",
    "kg": "kilogram kilograms kgs",
    "mg": "milligram milligrams",
    "lb": "lbs pound pounds",
    "oz": "ounce ounces",
    "L": "l liter litre liters litres",
    "mL": "ml milliliter milliliters",
    "gal": "gallon gallons",
    "cent": "cents",
    "dollar": "dollars usd",
    "degree": "degrees deg",
    "radian": "radians rad",
    "unit": "units",
    "mph": "",
    "kmh": "kmph kph",
    "J": "joule joules",
    "N": "newton newtons",
    "W": "watt watts",
    "V": "volt volts",
    "A": "amp amps ampere amperes",
    "K": "kelvin kelvins",
    "Pa": "pascal pascals",
    "Hz": "hertz",
    "eV": "",
    "keV": "",
    "MeV": "",
    "GeV": "",
    "erg": "ergs",
    "pc": "parsec parsecs",
    "kpc": "",
    "Mpc": "",
    "AU": "au",
    "mol": "mole moles",
    "kJ": "",
    "mK": "",
    "Å": "angstrom angstroms",
    "C": "coulomb",
    "T": "tesla",
    "G": "gauss",
    "dyn": "dyne dynes",
    "amu": "",
    "ly": "",
    "kHz": "",
    "MHz": "",
    "GHz": "",
    "kW": "",
    "MW": "",
    "MPa": "",
    "GPa": "",
    "sq": "square squared",
    "cu": "cubic cubed",
    "per": "",
    "ohm": "ohms Omega Ω",
    "atm": "",
    "bar": "",
    "rev": "revolutions",
    "bit": "bits",
    "byte": "bytes",
    "dB": "",
    "arcsec": "arcseconds",
    "um": "µm μm",
    "students": "",
    "ways": "way",
    "points": "point",
    "Msun": "",
    "Lsun": "",
    "Rsun": "",
    "magnitude": "mag magnitudes",
    "micro": "mu µ μ",
    "Gyr": "",
    "Myr": "",
}
CANONICAL = {alias: name for name, aliases in _NAMES.items() for alias in [name, *aliases.split()]}
_KINDS = [
    "m cm mm nm km in ft yd mi",
    "s ms min h day week month yr",
    "g kg mg lb oz",
    "L mL gal",
    "cent dollar",
    "degree radian",
    "J kJ erg eV keV MeV",
    "pc kpc Mpc AU ly",
]
_KIND = {name: kind for kind in _KINDS for name in kind.split()}

_LETTERS = "A-Za-zÅµμΩ"
_ATOM = (
    rf"(?:\\text\{{[^{{}}]*\}}|\\(?:mu|Omega|sec)(?![a-z])|\{{\s*[{_LETTERS}]+\s*\}}"
    rf"|[{_LETTERS}]++(?:_\{{?\\odot\}}?)?)"
)
_EXPONENT = r"(?:\s*\^\s*(?:\{\s*-?\d+\s*\}|-?\d))?"
_PRODUCT = rf"(?:\s*+(?:/|\\cdot|\\times|\*|\(|\))?\s*+{_ATOM}{_EXPONENT})++\s*"
_TAIL = re.compile(rf"\s*+(?:{_PRODUCT}|\\frac\{{{_PRODUCT}\}}\{{{_PRODUCT}\}})\)?$")
_NUMERIC_END = re.compile(r"[\d})%!.]$|\\pi$")
_NO_UNIT = re.compile(
    r"\b(?:and|or|if|where|for|when|with|half|halves|dozens?|(?:hundr|thous|[mb]illi)\w+|\w+factorial|plus"
    rf"|minus|{PART}s|ths|thirds|quarters|mod|modulo|powers?|choose)\b"
)
_COUNTED = re.compile(  # ferrets, Bushels, years old: whatever is counted, and how
    r"[A-Za-z][a-z]{3,}|of|in|on|at|to|by|is|the|are|was|all|per|old|new|big|red|men|boy|girl|dog|cat|cow|hen"
    r"|pig|egg|pen|cup|box|bag|toy|bus|car|pie|jar|key|day|way|one"
)
_MAX_CHARS = 400  # a number and its unit; the search below is quadratic


def split_unit(text: str, bare: bool) -> tuple[str, str | None]:
    r"""(`text` without its trailing unit, the unit in one spelling or None).

    `\text{...}` behind a number is always a unit; bare letters (`12 cm`) only where `bare` says
    that no letter can belong to the answer, and only letters that name a unit or a word.
    """
    if len(text) > _MAX_CHARS or not text or (text[-1] in "0123456789.%" and "^" not in text):
        return text, None
    for match in re.finditer(r"[\s\d})%!.]|\\pi(?![a-z])|(?<=[A-Za-z])(?=\\text\{)", text):
        head, tail = text[: match.end()].rstrip(), text[match.end() :]
        if not _TAIL.match(tail) or (tail[0] == "{" and text[match.end() - 1] == "}"):
            continue
        unit = _canonical(tail, bare)
        if not _NUMERIC_END.search(head) and (unit or "^").startswith("^"):
            continue  # behind a letter, `\text{...}` has to name a unit
        if unit is not None and all(head.count(a) == head.count(b) for a, b in ("{}", "()")):
            return head, unit
    return text, None


def _canonical(tail: str, bare: bool) -> str | None:
    """One spelling of a unit, e.g. "cm^2"; None where `tail` is no unit."""
    words = re.sub(r"\\text\{([^{}]*)\}", r" \1 ", tail)
    if not bare and re.search(r"[A-Za-z]", re.sub(r"\\text\{[^{}]*\}", "", tail)):
        return None
    if _NO_UNIT.search(words) or REFUSING.search(words):
        return None
    named = re.findall(f"[{_LETTERS}]+", words.replace(r"\frac", ""))
    names = [CANONICAL.get(word) or CANONICAL.get(word.lower()) for word in named]
    if r"\text" not in tail and not all(
        name or _COUNTED.fullmatch(word) for name, word in zip(names, named, strict=True)
    ):
        return None
    parts = [name for name in names if name] if all(names) else []
    power = re.search(r"\^\s*\{?\s*(-?\d+)", words)
    known = [{"sq": "", "cu": "", "per": "/"}.get(p, p) for p in parts]
    exponent = power[1] if power else "2" if "sq" in parts else "3" if "cu" in parts else "1"
    return f"{''.join(known)}^{exponent}"


def conflict(one: str | None, other: str | None) -> bool:
    """True where two units of one kind differ: cents and dollars. Powers do not matter (an area in
    "cm" is a slip of the pen), nor does a unit of another kind, which no conversion could explain.
    """
    first, second = ((unit or "").split("^")[0] for unit in (one, other))
    return first != second and first in _KIND and _KIND[first] == _KIND.get(second)


_SIZES = {
    **{"mm": 1, "cm": 10, "m": 1000, "km": 10**6, "nm": Fraction(1, 10**6)},
    **{"in": 1, "ft": 12, "yd": 36, "mi": 63360},
    **{"s": 1, "min": 60, "h": 3600, "day": 86400, "week": 604800, "ms": Fraction(1, 1000)},
    **{"mg": 1, "g": 1000, "kg": 10**6, "oz": 1, "lb": 16, "mL": 1, "L": 1000},
    **{"cent": 1, "dollar": 100},
}
_SYSTEMS = [
    "mm cm m km nm",
    "in ft yd mi",
    "s min h day week ms",
    "mg g kg",
    "oz lb",
    "mL L",
    "cent dollar",
]
_SYSTEM = {name: system for system in _SYSTEMS for name in system.split()}


def converted(one: str | None, other: str | None) -> Fraction | None:
    """How many of unit `other` one of unit `one` is, where that is exact: 60 for hours and minutes.
    None for units of other kinds, and for powers of units.
    """
    first, second = ((unit or "").removesuffix("^1") for unit in (one, other))
    if first not in _SYSTEM or _SYSTEM[first] != _SYSTEM.get(second):
        return None
    return Fraction(_SIZES[first]) / _SIZES[second]
