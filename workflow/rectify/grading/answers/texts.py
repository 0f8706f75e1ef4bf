"""Answers that are texts: names, options of a multiple-choice question, digits in a base."""

import re

from rectify.grading.answers.measures import date, measure
from rectify.grading.answers.phrases import spelled
from rectify.grading.answers.real_sets import is_empty_set
from rectify.grading.answers.values import Based, Items, Value, Words
from rectify.grading.notation.normalise import whole_group

_ASKED = (
    r"(?:(?:the\s+)?(?:(?:correct|right|best|final)\s+)?(?:answer|option|choice)\s*(?:is|:)?\s*)*"
)
_OPTION = re.compile(
    rf"(?P<asked>{_ASKED})(?P<open>[(\[])?\s*(?P<letter>[A-Za-z])(?![A-Za-z'_^])\s*(?P<close>[)\]])?"
    r"\s*(?P<mark>[.:)]|-(?=\s))?\s*(?P<behind>.*)",
    re.DOTALL | re.IGNORECASE,
)
_SECOND = re.compile(
    r"\s*(?:,|/|&|\+|;|\band\b|\bor\b|\bto\b)?\s*[(\[]?\s*[A-Ja-j]\s*(?:[)\]]|[.:]|$)"
)
_JOINED = re.compile(
    r"\s*(?:,|/|&|;|\band\b|\bor\b|=|\+|\*|<|>|\^|_|'|\\(?:le|ge|ne|in|cdot|times|cup|cap|to|pm)\b)"
)


def plain(text: str) -> str:
    """The text without font commands, braces and quotation marks."""
    text = re.sub(r"\\text\s*\{([^{}]*)\}", r"\1", text)
    return whole_group(re.sub(r"[\"`]|''", "", text).strip(" ."))


def option(text: str, bare: bool) -> tuple[str, str] | None:
    r"""(letter, the text behind it) of an option: `B`, `(B) 12`, `\text{Option B}`, `B: the slope`;
    None for anything else, two options among it. `bare` says that a lone small letter is one too.
    """
    match = _OPTION.fullmatch(plain(text))
    if not match or (match["open"] and not match["close"]):
        return None
    marked = match["asked"] or match["close"] or match["mark"]
    if match["letter"].islower() and not (bare or match["asked"] or match["open"]):
        return None
    behind = re.sub(
        r"^is\s+(?:the\s+)?(?:correct|right|best|answer)\b.*", "", match["behind"].strip()
    )
    behind = re.sub(r"(?<=[\d}])\s*([A-Za-z][A-Za-z ]+)$", r"\\text{\1}", behind)
    if behind and (not marked or _SECOND.match(behind) or _JOINED.match(behind)):
        return None
    return match["letter"].lower(), behind


def is_option(text: str) -> bool:
    r"""Whether a gold is one: `B` to `J`, `(B)`, `\textbf{(B)}\ 12`, `B. the slope`."""
    return bool(re.match(r"(?:\\text\s*\{\s*)?[(\[]?\s*[A-J]\s*(?:[)\]]|[.:]\s|\}?$)", text))


def undressed(text: str) -> str:
    r"""A value without the option's letter before it: `(B) 12`, `\text{B: } 12`."""
    return re.sub(r"^\(?\s*[A-J]\s*(?:\)|[:.](?=\s))\s*(?=[-\d\\.$])", "", text)


_BASED = re.compile(r"(-?(?:[0-9A-F]*\d[0-9A-F]*|[A-F]{2,}(?=_16$)))_(\d{1,2}|[a-z]+)")
_BASES = {
    w: n
    for n, w in enumerate(
        ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"], 2
    )
} | {"hex": 16, "sixteen": 16, "twelve": 12, "eleven": 11}
_PLAIN_WORDS = re.compile(r"[A-Za-z][A-Za-z' -]+")
_SENTENCE = re.compile(r"[A-Za-z][^\\]*")
_BETWEEN_NAMES = re.compile(r"\s*(?:,\s*(?:and\s+)?|;|&|\band\b)\s*")


def words(text: str, like: Value | None) -> Words | Items | None:
    r"""A text answer, or several in a list. Bare letters are text only where the gold is;
    `\text{}` around all always.
    """
    if isinstance(like, Items) and any(isinstance(item, Words) for item in like.items):
        return _names(plain(text.replace(r"\&", "&")).strip(r"\{}() "))
    if day := date(text):
        return Words(day)
    if not isinstance(like, Words):
        whole = re.fullmatch(r"\\text\s*\{([^{}\d]*)\}", text)
        if like is None and is_option(text) and (found := option(text, bare=False)):
            return Words(*found)
        if like is None and re.fullmatch("(?i)yes|no|true|false", text):
            return Words(text.lower(), text)
        if (
            not whole
            or not re.search("[A-Za-z]{2}", whole[1])
            or spelled(text)
            or is_empty_set(text)
            or measure(text)
        ):
            return None
        if like is None and (names := _names(whole[1])):
            return names
        return Words(_simple(whole[1]), whole[1])
    if len(like.text) == 1:
        found = option(text, bare=True)
        return Words(*found) if found else None
    bare = plain(text)
    if _PLAIN_WORDS.fullmatch(bare) or bare.isalpha() or _SENTENCE.fullmatch(bare):
        return Words(_simple(bare), bare)
    return None


def _names(text: str) -> Items | None:
    """Navin, Luca and Evelyn; None for a single name or a sentence."""
    names = _BETWEEN_NAMES.split(text.strip(" ."))
    if len(names) < 2 or not all(_PLAIN_WORDS.fullmatch(name) for name in names):
        return None
    if _simple(names[0]) in ("yes", "no", "true", "false"):
        return None
    return Items("", tuple(Words(_simple(name), name) for name in names))


_DAYS = "monday tuesday wednesday thursday friday saturday sunday"
_SHORT = {day[:3]: day for day in _DAYS.split()} | {"tues": "tuesday", "thurs": "thursday"}


def _simple(text: str) -> str:
    words = re.sub(r"[^a-z0-9]+", " ", text.lower()).strip()
    words = _SHORT.get(words, words)
    return re.sub(
        r"^(?:(?:the )?answer (?:is )?|it is )?(?:(?:an?|the|option|choice) )?(?=\w)", "", words
    )


_TELLING = re.compile(
    r"\s*(?:[.;:(\u2013-]|,?\s*(?:is|has|was|had|are|were|will|can|did|does|do|wins?|won|ran|gets?|got|because|since|as"
    r"|with|who|which|function|numbers?|having|being|by)\b)"
)
_TAKING_BACK = re.compile(
    r"\b(?:not|nor|neither|never|cannot|no|except|unless|nobody)\b|n't\b|\b(?:and|or) [A-Z]"
)


def begins(name: str, sentence: str) -> bool:
    """Whether a sentence begins with a text answer and goes on to speak of it: `Navin has the
    greatest speed`; for yes and no, whatever reason follows.
    """
    said = re.match(
        rf"(?:(?:the|an?) )?{re.escape(name).replace(chr(92) + ' ', '[ -]')}(?![A-Za-z-])",
        sentence,
        re.IGNORECASE,
    )
    if not said:
        return False
    rest = sentence[said.end() :]
    if name in ("yes", "no", "true", "false"):
        return bool(re.match(r"\s*[,.;:(-]", rest))
    return bool(_TELLING.match(rest)) and not _TAKING_BACK.search(rest)


def based(text: str, like: Value | None) -> Based | None:
    r"""52_8, 52_{8}, 52_{(8)}, 52_{\text{eight}}, 52 \text{ (base 8)}; 1af_{16} too for a gold in
    a base.
    """
    if "_" not in text and "base" not in text and not text.startswith("0x"):
        return None
    text = re.sub(r"^0x([0-9A-Fa-f]+)$", r"\1_{16}", text)
    text = re.sub(r"^\\text\s*\{\s*(?:in )?base[- ](\d+)\s*:?\s*\}\s*([^_]+)$", r"\2_{\1}", text)
    bare = re.sub(r"_?(?:in)?base-?", "_", re.sub(r"\\text|[(){}\s]", "", text))
    if isinstance(like, Based) and (head := re.match(r"-?[0-9A-Fa-f]+(?=_)", bare)):
        bare = head[0].upper() + bare[head.end() :]
    match = _BASED.fullmatch(bare)
    base = match and (int(match[2]) if match[2].isdigit() else _BASES.get(match[2], 0))
    if not base or (base < 11 and re.search("[A-F]", match[1])):
        return None
    return Based(match[1].lstrip("0") or "0", base)
