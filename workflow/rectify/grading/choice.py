r"""Multiple choice: the letter that a response commits to.

Read in this order: the last box, an option's text after the last "Answer:" or as all there is, the
last "Answer: C", a first line that is a letter, the last bold letter, the last letter that stands
alone. What is ruled out ("not C", "C is wrong") and options that are listed again are left out; two
letters at once ("A or B") are no answer. Where the row lists options, the text of one counts as its
letter, and only as many letters count as there are options.
"""

from __future__ import annotations

import json
import re
import string
import unicodedata
from collections.abc import Sequence
from typing import Any

from rectify.grading.boxed import boxed_answer
from rectify.grading.plain import WORDS, answer_in, plain

OPTIONS = "options"  # the field of a row that lists the texts to choose from

# a letter by itself, in brackets or not: no C++, A-level, B's, x_A or A = 3
BEFORE, AFTER = r"(?<![\w'’\\^-])", r"(?![\w'’+#^]|-\w|\s*=)"
LETTER = rf"{BEFORE}\(?([A-Za-z])\)?{AFTER}"
CAPITAL = rf"{BEFORE}\(?[A-Z]\)?{AFTER}"
# "the answer is a city": an article is none
STATED = re.compile(
    r"(?i:\b(?:answer|correct (?:choice|option))\b\W{0,5}(?:is|would be|must be|:|=|-)"
    rf"[\s:*_$]{{0,9}}(?:(?:option|choice)\s+)?)(?![ai]\s+[a-z]){LETTER}"
)
FIRST = re.compile(
    rf"\A\s*[*_]*{LETTER}(?:[.:)]?[*_]*\s*(?:\n|$)|[.:)*_]*,?\s+(?i:because|since)\b)"
)
BOLD = re.compile(rf"\*\*\s*{LETTER}\s*(?:[.:)][^*\n]*)?\*\*")
# neither the article "A thing" nor the pronoun "I do"
STANDING = re.compile(rf"{BEFORE}\(?(?![AI]\s+(?!is\b|because\b|since\b)[a-z])([A-Z])\)?{AFTER}")
ALSO = re.compile(
    rf"[\s*]{{0,9}}(?:[,/&]|\bor\b|\band\b)(?:\s+or\b|\s+and\b)?[\s*]{{0,9}}(?!I\s+[a-z]){CAPITAL}"
)
RULED_OUT = re.compile(
    rf"(?i:\b(?:not|never|than|cannot|n['’]t)(?:\s+be)?\s+(?:option\s+|choice\s+)?){CAPITAL}"
    rf"|{CAPITAL}(?:(?:\s?,|\s?\band\b|\s?\bor\b){{1,2}}\s?{CAPITAL}){{0,5}}\s+"
    r"(?i:(?:is|are|was)(?:n['’]t|\s+(?:not|wrong|incorrect|false|out))\b|cannot\b|can['’]t\b)"
)
LABELLED = re.compile(r"\s*\(?([A-Za-z])\)?\s*(?:(?:[.:)]|(?=\())\s*(.*))?\s*", re.DOTALL)
# of a short text alone: "[C]", "**C**", "option C", "the answer is C", and "C - Paris", "C, Paris"
AROUND = re.compile(r"[\[\s$*_\"“”]*(.*?)[\]\s$*_\"“”.]*", re.DOTALL)
WORDED = re.compile(
    r"(?i:(?:(?:the\s+)?(?:(?:final|correct)\s+)?(?:answer|option|choice)\b(?:\s+is\b|\s*:)?\s*)+)"
)
BESIDE = re.compile(r"\(?([A-Za-z])\)?(?:\s*[,–—-]\s*|\s+)(\S.*)", re.DOTALL)
QUOTED = re.compile(r"(?<!\w)['‘]([A-Za-z])['’](?!\w)")


def options_of(row: dict[str, Any]) -> list[str]:
    """The texts that a row lists to choose from, by letter or in their order; none if none.

    Raises ValueError for a field of that name that lists none, more than there are letters, other
    things than texts, or letters that are not A, B and so on.
    """
    if OPTIONS not in row:
        return []
    given = row[OPTIONS]
    if isinstance(given, dict):
        names = sorted(given)
        if [name.upper() for name in names] != [*string.ascii_uppercase[: len(names)]]:
            raise ValueError(f"has '{OPTIONS}' named {', '.join(names)}, not A, B and so on")
        given = [given[key] for key in sorted(given)]
    if not isinstance(given, list) or not given:
        raise ValueError(f"has no list of texts in '{OPTIONS}'")
    if len(given) > len(string.ascii_uppercase):
        raise ValueError(f"has more texts in '{OPTIONS}' than there are letters")
    if odd := [option for option in given if not isinstance(option, str | int | float)]:
        raise ValueError(f"has {json.dumps(odd[0])} in '{OPTIONS}', which is no text")
    return [str(option) for option in given]


def chosen(response: str, options: Sequence[str] = ()) -> str | None:
    """The letter that a response gives, in capitals; None if it gives none.

    A box, or an "Answer:", that names neither a letter nor an option's text is no answer.
    """
    box = boxed_answer(response)
    if box is not None:
        return letter_of(box, options)
    words = WORDS.sub(r"\1", unicodedata.normalize("NFKC", response))
    lines = QUOTED.sub(r'"\1"', words).splitlines()
    repeats = [repeats_option(line, options) for line in lines]
    again = [line for line, is_one in zip(lines, repeats, strict=True) if is_one]
    if len(again) > 1:  # the options, listed once more
        lines = [line for line, is_one in zip(lines, repeats, strict=True) if not is_one]
    text = RULED_OUT.sub(" ", "\n".join(lines))
    if by_text := named(answer_in(text) or "", options):
        return by_text
    stated = [*STATED.finditer(text)]
    if len(again) == 1 and not stated:
        return letter_of(again[0].strip("*_ "), options)
    others = ([*rule.finditer(text)] for rule in (FIRST, BOLD, STANDING))
    found = stated or next(filter(None, others), [])
    if not found or any(ALSO.match(text, match.end()) for match in found[-2:]):
        return None
    letter = found[-1][1].upper()
    return letter if letter in letters(options) else None


def repeats_option(line: str, options: Sequence[str]) -> bool:
    """Whether a line is an option's letter and its text."""
    at = label_of(line.strip("*_ "), options)
    return at is not None and at[0] == at[1]


def letters(options: Sequence[str]) -> str:
    """The letters that count."""
    return string.ascii_uppercase[: len(options) or None]


def letter_of(text: str, options: Sequence[str] = ()) -> str | None:
    """The letter that a short text is: "C", "(c)", "C. Paris", or an option's text, "Paris"; with
    brackets or stars around it, and "option" or "the answer is" before it.

    None where its letter and its text are two options'.
    """
    text = WORDS.sub(r"\1", text).strip(" $")
    if by_text := named(text, options):
        return by_text
    bare = AROUND.fullmatch(WORDED.sub("", AROUND.fullmatch(text)[1], count=1))[1]
    for inner in dict.fromkeys((text, bare)):
        if found := label_of(inner, options):
            return found[0] if found[1] in (None, found[0]) else None
    beside = BESIDE.fullmatch(bare)
    if beside and (letter := beside[1].upper()) == named(beside[2], options):
        return letter
    return named(bare, options)


def label_of(text: str, options: Sequence[str]) -> tuple[str, str | None] | None:
    """The letter that a text begins with, and that of the option whose text follows, if one's does;
    None if it begins with none.
    """
    found = LABELLED.fullmatch(text)
    if not found or found[1].upper() not in letters(options):
        return None
    rest = (found[2] or "").strip()
    inner = rest[1:-1] if rest.startswith("(") and rest.endswith(")") else rest
    return found[1].upper(), named(inner, options)


def named(text: str, options: Sequence[str]) -> str | None:
    """The letter of the option whose text this is, but for spelling."""
    same = [i for i, option in enumerate(options) if plain(option) and plain(option) == plain(text)]
    return string.ascii_uppercase[same[0]] if len(same) == 1 else None
