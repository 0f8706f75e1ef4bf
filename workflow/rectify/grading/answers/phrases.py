"""What words around a number say: a sign, a power, a fraction, or that it is not the answer."""

import re

_DENOMINATORS = {
    "half": 2,
    "halve": 2,
    "third": 3,
    "fourth": 4,
    "quarter": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "twelfth": 12,
    "hundredth": 100,
    "thousandth": 1000,
    "millionth": 10**6,
    "billionth": 10**9,
}
_FRACTION = re.compile(rf"(\d+)\s*(?:-\s*)?({'|'.join(_DENOMINATORS)})s?(?![a-z])(?:\s+of\b.*)?")
_POWER = re.compile(r"(.+?)\s*(squared|cubed|factorial|dozens?)")
_POWERS = {"squared": "({})^{{2}}", "cubed": "({})^{{3}}", "factorial": "({})!"}
_HALF = re.compile(r"(\d+)\s+and\s+(?:a|one)\s+half")
_REMAINDER = re.compile(
    r"(-?[\d.,]*\d)[\s,;]*(?:(?:with\s+)?(?:an?\s+|the\s+)?(?:remainder|rem\.?)\s*(?:of|is|=|:)?|[rR]\.?)\s*\d+"
)
_MINUS = re.compile(r"(?:negative|minus|neg\.?)\s+(?=[\d.\\(]|[a-z]+$)", re.IGNORECASE)

REFUSING = re.compile(
    r"\b(?:not|no|never|neither|nor|cannot|can't|isn't|doesn't|don't|non|un\w*able|without|unless|except"
    r"|excluding|but|other|impossible|invalid|undefined|exists?|extraneous|reject\w*|fail\w*|incorrect"
    r"|wrong|false|contradict\w*|bound\w*|least|most|more|less|fewer|greater|larger|smaller|than|over"
    r"|under|above|below|beyond|between|up|if|unknown|undetermined|insufficient|too)\b|n't\b",
    re.IGNORECASE,
)
"""Words by which a clause takes back the number beside it, or makes it a bound."""
PART = r"(?:four|fif|six|seven|eigh|nin|ten|eleven|twelf|\w*(?:teen|tie|hundred|thousand|illion))th"
"""An ordinal that counts parts, but no length or path."""
_CHANGING = re.compile(
    rf"\b(?:hal(?:f|ves)|thirds?|quarters?|{PART}s?|gcd|lcm|floor|ceil\w*|twice|double|triple|thrice|squared?|cubed?|roots?|reciprocal|inverse"
    r"|opposite|multiples?|powers?|factorial|times|plus|divided|log|choose|mod|modulo|multipl(?!icit)\w+|dozens?|first|last)\b",
    re.IGNORECASE,
)
"""Words before a number by which it is reckoned into another."""
_LEAD = re.compile(
    r"(?:\\text\{([^{}]*)\}|([A-Za-z][A-Za-z' ]*?))\s*(?:[:=]|\\approx)?\s*(?=[-+\d\\(.])"
)
_STATING = re.compile(
    r"\b(?:is|are|was|be|equals|to|exactly|only|about|approximately|roughly|answer|total|so|thus|hence)$",
    re.IGNORECASE,
)


def lead(text: str) -> str:
    r"""`text` without the words before its number: `\text{Area: } 12`; as it is where they say that
    the number is not the answer: `\text{at least } 12`.
    """
    if not (match := _LEAD.match(text)):
        return text
    words = (match[1] or match[2] or "").strip(" :,")
    if match[2] and not _STATING.search(words) and text[match.end(2) : match.end()].strip() != ":":
        return text
    if REFUSING.search(words) or _CHANGING.search(words):
        return text
    return text[match.end() :]


def reckoned(text: str) -> str:
    r"""Words that reckon with a number as signs: `\text{minus } 5` is -5, `12\text{ squared}` 12^2,
    `3\text{ quarters}` 3/4.
    """
    if not re.search(r"[a-z]{3}", text):
        return text
    plain = re.sub(r"\s+", " ", re.sub(r"\\text\s*\{([^{}]*)\}", r" \1 ", text)).strip()
    if match := _MINUS.match(plain):
        return f"-{plain[match.end() :]}"
    if match := _FRACTION.fullmatch(plain):
        return rf"\frac{{{match[1]}}}{{{_DENOMINATORS[match[2]]}}}"
    if match := _HALF.match(plain):
        return rf"{match[1]}\frac{{1}}{{2}}{plain[match.end() :]}"
    if (match := _POWER.fullmatch(plain)) and re.fullmatch(r"[^a-z]*|\\?[a-z]", match[1]):
        return _POWERS.get(match[2], "12*({})").format(match[1])
    return text


_CJK = "\u3040-\u30ff\u4e00-\u9fff"
_CHANGING_CJK = re.compile("[不非没無无至大小多少最负負半百千万萬亿億倍分]")


def foreign(text: str) -> str:
    """`text` without Chinese or Japanese words before and behind its number, where they change
    nothing.
    """
    if text.isascii() or _CHANGING_CJK.search(text):
        return text
    return re.sub(rf"^[{_CJK}]+\s*[:=]?\s*|\s*\(?[{_CJK}]+\)?\.?$", "", text)


def quotient(text: str) -> str:
    r"""`12\text{ with a remainder of }3` without its remainder."""
    if "r" not in text and "R" not in text:
        return text
    match = _REMAINDER.fullmatch(re.sub(r"\\text\s*\{([^{}]*)\}", r" \1 ", text).strip())
    return match[1] if match else text


_SMALL = re.findall(
    r"\w+",
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen",
)
_TENS = re.findall(r"\w+", "twenty thirty forty fifty sixty seventy eighty ninety")
_CARDINALS = {word: n for n, word in enumerate(_SMALL)} | {
    word: 10 * n for n, word in enumerate(_TENS, 2)
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6}
_SPELLED = re.compile(r"\\text\s*\{([a-zA-Z -]+)\}|([a-zA-Z -]+)")


def spelled(text: str) -> str | None:
    """The digits of a number in words (`twenty-four`, `three quarters`, `two and a half`, `three
    dozen`), None for another text.
    """
    match = _SPELLED.fullmatch(text)
    if not match:
        return None
    words = re.findall(r"[a-z]+", (match[1] or match[2]).lower())
    sign = "-" if words and words[0] in ("minus", "negative") else ""
    words = words[1:] if sign else words
    if fraction := _fraction(words):
        return sign + fraction
    if "and" in words and (fraction := _fraction(words[words.index("and") + 1 :])):
        number = _cardinal(words[: words.index("and")])
        return None if number is None else f"{sign}{number}{fraction}"
    if words and words[-1] == "dozen":
        dozens = _AMOUNTS.get(" ".join(words[:-1]), _cardinal(words[:-1]))
        return None if dozens is None else f"{sign}{int(12 * dozens)}"
    number = _cardinal(words)
    return None if number is None else f"{sign}{number}"


_AMOUNTS = {"a": 1, "an": 1, "half a": 0.5}


def _fraction(words: list[str]) -> str | None:
    """`half`, `a third`, `three quarters` in digits."""
    if not words or (len(words) == 1 and words != ["half"]):
        return None
    last = re.sub("s$", "", words[-1]).replace("halve", "half")
    if last not in _DENOMINATORS:
        return None
    number = _AMOUNTS.get(" ".join(words[:-1]) or "a", _cardinal(words[:-1]))
    return None if number is None else rf"\frac{{{int(number)}}}{{{_DENOMINATORS[last]}}}"


_ORDINALS = {"first": "one", "second": "two", "third": "three", "fifth": "five", "eighth": "eight"}
_ORDINALS |= {"ninth": "nine", "twelfth": "twelve"}
_ORDINAL = re.compile(r"(?:the\s+)?((?:[a-z]+[- ])?)([a-z]+(?:st|nd|rd|th))((?:\s+[a-z]+)?)")


def ordinal(text: str) -> str | None:
    r"""The digits of an ordinal in words, with or without a noun: `\text{the third term}` -> "3";
    None for another text, a fraction such as `one third` among them.
    """
    if not re.search("(?:st|nd|rd|th)\\b", text):
        return None
    match = _ORDINAL.fullmatch(re.sub(r"\\text\s*\{([^{}]*)\}", r"\1", text).strip().lower())
    if not match or REFUSING.search(match[3]) or _CHANGING.search(match[3]):
        return None
    tens, last = match[1].rstrip("- "), _ORDINALS.get(match[2], re.sub("ie$", "y", match[2][:-2]))
    if tens and tens not in _TENS:
        return None
    number = _cardinal([tens, last] if tens else [last])
    return None if number is None else str(number)


def _cardinal(words: list[str]) -> int | None:
    total = part = 0
    if not words or words[0] in _SCALES:
        return None
    for before, word in zip(["", *words], words, strict=False):
        if word in _CARDINALS:
            if before in _CARDINALS and not (before in _TENS and 0 < _CARDINALS[word] < 10):
                return None
            part += _CARDINALS[word]
        elif word in _SCALES:
            part *= _SCALES[word]
            if word != "hundred":
                total, part = total + part, 0
        elif word != "and" or before not in _SCALES:
            return None
    return total + part
