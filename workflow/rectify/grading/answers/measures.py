"""Times of day, durations, ratios and dates."""

import re
from dataclasses import dataclass
from fractions import Fraction

_CLOCK = re.compile(
    r"(?:at\s+)?(\d{1,2})(?:\s*[:.]\s*(\d{2}))?(?:\s*:\s*(\d{2}))?\s*([ap])?\.?\s*(m)?\.?(?:\s*o'?clock)?",
    re.IGNORECASE,
)
_HALVES = {
    r"^(?:12(?::00)?\s*)?noon$": "12:00 pm",
    r"^(?:12(?::00)?\s*)?midnight$": "12:00 am",
    r"\s*(?:in the|at) (?:afternoon|evening|night)$": " pm",
    r"\s*in the morning$": " am",
}
_RATIO = re.compile(r"-?[\d.]+(?:\s*(?::|to)\s*-?[\d.]+)+")
_UNITS = {"day": 86400, "h": 3600, "min": 60, "s": 1}
_SPELLINGS = {
    "day": r"days?|d",
    "h": r"hours?|hrs?|h",
    "min": r"minutes?|mins?|m",
    "s": r"seconds?|secs?|s",
}
_DURATION = re.compile(
    "".join(
        rf"(?:(?P<{unit}>\d+(?:\.\d+)?)\s*(?:{spelling})(?![a-z])\.?[\s,]*(?:and\s+)?)?"
        for unit, spelling in _SPELLINGS.items()
    )
)
_MONTHS = "january february march april may june july august september october november december"
_MONTH = {name[:3]: name for name in _MONTHS.split()} | {name: name for name in _MONTHS.split()}
_NAMED = rf"({'|'.join(sorted(_MONTH, key=len, reverse=True))}|sept)\.?"
_DATE = re.compile(
    rf"(?:{_NAMED}\s*(\d{{1,2}})|(?:the\s+)?(\d{{1,2}})\s*(?:of\s+)?{_NAMED})(?:\s*,?\s*(\d{{4}}))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Clock:
    """A time of day: `seconds` since midnight; `half` says whether morning or afternoon is known
    (where it is not, the time is given on a clock of twelve hours).
    """

    seconds: int
    half: bool

    def same(self, other: "Clock") -> bool:
        """Whether both are one time: 6:30 p.m. is 18:30."""
        if self.half and other.half:
            return self.seconds == other.seconds
        return self.seconds % 43200 == other.seconds % 43200


@dataclass(frozen=True)
class Ratio:
    """3:5, or 1:2:3. `clock` is the time of day that the same figures are, if they are one."""

    parts: tuple[Fraction, ...]
    clock: Clock | None

    def same(self, other: "Ratio") -> bool:
        """Whether the parts are in proportion."""
        if len(self.parts) != len(other.parts):
            return False
        pairs = list(zip(self.parts, other.parts, strict=True))
        return (
            all(a * d == b * c for a, b in pairs for c, d in pairs)
            and any(self.parts)
            and any(other.parts)
        )

    def quotient(self) -> Fraction | None:
        """The value of a ratio of two parts."""
        if len(self.parts) != 2 or not self.parts[1]:
            return None
        return self.parts[0] / self.parts[1]


def measure(text: str) -> Clock | Ratio | None:
    r"""The time or ratio that a normalised text is: `6:30\text{ p.m.}`, `3 \text{ to } 5`."""
    if ":" not in text and not re.search(r"(?i)[ap]\.?\s*m\b|to\b|clock|noon|night", text):
        return None
    plain = re.sub(r"\\text\s*|[{}$]|\\", " ", text)
    plain = re.sub(r"\s+", " ", plain).strip(" .,")
    for words, half in _HALVES.items():
        plain = re.sub(words, half, plain, flags=re.IGNORECASE)
    clock = _clock(plain)
    if clock and clock.half and not _RATIO.fullmatch(plain):
        return clock
    if _RATIO.fullmatch(plain):
        try:
            parts = tuple(Fraction(part) for part in re.split(r"\s*(?::|to)\s*", plain))
        except ValueError:
            return None
        return Ratio(parts, clock)
    return clock if clock and (":" in plain or "clock" in plain.lower()) else None


def _clock(plain: str) -> Clock | None:
    match = _CLOCK.fullmatch(plain)
    if not match or bool(match[4]) != bool(match[5]):
        return None
    hour, minute, second = (int(match[k] or 0) for k in (1, 2, 3))
    if hour > 24 or minute > 59 or second > 59 or (match[4] and hour > 12):
        return None
    half = (match[4] or "").lower()
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    return Clock(
        (hour % 24 * 60 + minute) * 60 + second,
        bool(half) or hour > 12 or (len(match[1]) == 2 and match[1][0] == "0"),
    )


def duration(text: str) -> str:
    r"""`2\text{ hours }30\text{ minutes}` in its largest unit, 5/2 hours; other text as it is."""
    if len(re.findall(r"\d\W*[a-z]", text)) < 2:
        return text
    plain = re.sub(r"\s+", " ", re.sub(r"\\text\s*\{([^{}]*)\}", r" \1 ", text)).strip(" .")
    match = _DURATION.fullmatch(plain)
    given = {unit: figure for unit, figure in match.groupdict().items() if figure} if match else {}
    if len(given) < 2:
        return text
    largest = next(iter(given))
    value = sum(Fraction(given[unit]) * _UNITS[unit] for unit in given) / _UNITS[largest]
    return rf"\frac{{{value.numerator}}}{{{value.denominator}}}\text{{{largest}}}"


def date(text: str) -> str | None:
    """A day of the year in one spelling: June 20, 20 June, the 20th of June."""
    if not any(c.isdigit() for c in text):
        return None
    match = _DATE.fullmatch(re.sub(r"\s+", " ", re.sub(r"\\text\s*|[{}]", " ", text)).strip(" ."))
    if not match:
        return None
    month, day = (match[1] or match[4]).lower()[:3], match[2] or match[3]
    return " ".join(filter(None, (_MONTH[month], str(int(day)), match[5])))
