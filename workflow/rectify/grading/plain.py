r"""Texts that are the same but for spelling: Unicode's forms, case, and punctuation around them."""

from __future__ import annotations

import re
import unicodedata

from rectify.grading.boxed import boxed_answer

# looked for once more in what follows: "Answer: the answer is Paris"
ANSWER = re.compile(
    r"(?:(?i:(?<![^\W_])answer(?![^\W_])[\s*_]*(?:is\b|:|=))"
    r"|(?im:^#+[ \w]*\banswer[*_ ]*$))[\s*_:]*(?=(.*))"
)
WORDS = re.compile(r"\\(?:text\w*|math(?:rm|bf|it|sf|tt))\s*\{([^{}]*)\}")  # \text{Paris}
FORMULA = re.compile(r"\s*\$([^$]*)\$\s*[.,;]?\s*")  # $5$, and not $5
# what Unicode's compatible form would make other numbers: 10² is not 102, nor –5 and .5 a 5
RAISED = str.maketrans({digit: f"^{i}" for i, digit in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")})
DASHES = str.maketrans(dict.fromkeys("−‐‑‒–—―", "-"))
MEANT = "%‰‱#@&/\\§"  # punctuation that is part of what is said: 50%, C#


def plain(text: str) -> str:
    """A text in Unicode's compatible form, without case, its spaces single, no punctuation around
    it unless it is all that there is.
    """
    text = WORDS.sub(r"\1", text)
    if formula := FORMULA.fullmatch(text):
        text = formula[1]
    text = unicodedata.normalize("NFKC", text.translate(RAISED)).translate(DASHES)
    words = " ".join(text.casefold().split())
    start, end = 0, len(words)
    while start < end and aside(words[start]) and not re.match(r"\.\d", words[start:end]):
        start += 1
    while end > start and aside(words[end - 1]):
        end -= 1
    return unicodedata.normalize("NFKC", words[start:end] or words)


def aside(character: str) -> bool:
    """Whether a character is a space or punctuation that says nothing: no sign, no bracket."""
    kind = unicodedata.category(character)
    return character == "`" or (
        (kind[0] == "Z" or kind in ("Pc", "Pf", "Pi", "Po")) and character not in MEANT
    )


def answer_in(response: str) -> str | None:
    """What a response answers: its last box, else what follows its last "Answer:" on that line,
    else all of it; None for an empty one.
    """
    box = boxed_answer(response)
    if box is not None:
        return box
    stated = [found for match in ANSWER.finditer(response) if (found := match[1].strip())]
    return (stated[-1] if stated else response.strip()) or None
