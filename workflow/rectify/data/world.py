"""A synthetic world of arithmetic problems, for studies in miniature.

Two voices write worked solutions to the same kinds of problems:

- the *crowd* (pretraining text) phrases them in many common ways and gets a share of its steps
  wrong, carrying the wrong value on;
- the *expert* (training data) is always right, but changes its wording at every step, and often
  words it as the crowd never does.

So the expert is correct yet off the base model's distribution, the situation from which the paper
argues (arXiv 2508.05629, section 3): the world has that property by construction.

Every problem is a chain of `steps` small operations, so `steps` is its difficulty.

Two more topics are another situation: the expert teaches what no base model can know, for these
rows alone tell it. In facts a chain of sums starts from a number that is called by its name, in
operator from a made-up operation, a@b.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rectify.step.errors import StepError

LIMIT = 60  # every intermediate value stays within 0..LIMIT
REACH = 12  # largest number added or taken away
PROSE = 0.1  # share of the crowd's text that is prose, not mathematics
SLIPS = (-10, -2, -1, 1, 2, 10)  # how far off a wrong step is


@dataclass(frozen=True)
class Problem:
    """A question and the chain of operations that answers it."""

    kind: str
    question: str
    start: int
    chain: tuple[tuple[str, int], ...]  # (operator, operand), applied from left to right
    recalled: str = ""  # what a solution states before its chain

    @property
    def answer(self) -> int:
        """The exact answer."""
        return apply_all(self.start, self.chain)


def apply(value: int, operator: str, operand: int) -> int:
    """One operation on whole numbers; `/` is exact by construction, `%` the remainder."""
    if operator == "+":
        return value + operand
    if operator == "-":
        return value - operand
    if operator == "*":
        return value * operand
    if operator == "@":
        return 2 * value + operand  # made up: no base model guesses it
    return value // operand if operator == "/" else value % operand


def apply_all(value: int, chain: tuple[tuple[str, int], ...]) -> int:
    """The whole chain, from left to right."""
    for operator, operand in chain:
        value = apply(value, operator, operand)
    return value


def walk(rng: random.Random, value: int, steps: int) -> list[tuple[str, int]]:
    """`steps` additions and subtractions that keep the value within 2..LIMIT."""
    chain = []
    for _ in range(steps):
        up = value <= REACH or (value < LIMIT - REACH and rng.random() < 0.5)
        operand = rng.randint(2, min(REACH, LIMIT - value if up else value - 2))
        chain.append(("+" if up else "-", operand))
        value = apply(value, *chain[-1])
    return chain


def expression(start: int | str, chain: list[tuple[str, int]]) -> str:
    """The chain as it is written in a question: `12+35-8`."""
    return str(start) + "".join(f"{operator}{operand}" for operator, operand in chain)


def ask(rng: random.Random, start: int | str, chain: list[tuple[str, int]]) -> str:
    """A question after the value of a chain."""
    forms = ("Compute {}.", "What is {}?", "Find {}.", "Evaluate {}.")
    return rng.choice(forms).format(expression(start, chain))


def make_sum(rng: random.Random, steps: int) -> Problem:
    """`Compute 12+35-8.`"""
    start = rng.randint(10, 50)
    chain = walk(rng, start, steps)
    return Problem("sum", ask(rng, start, chain), start, tuple(chain))


def make_product(rng: random.Random, steps: int) -> Problem:
    """`Compute 6*7+12.`: a product first, then sums, so that precedence is the reading order."""
    start, factor = rng.randint(2, 7), rng.randint(2, 7)
    chain = [("*", factor), *walk(rng, start * factor, steps - 1)]
    return Problem("product", ask(rng, start, chain), start, tuple(chain))


def make_equation(rng: random.Random, steps: int) -> Problem:
    """`Solve 3x-14+5=12 for x.`: undo the terms from the right-hand side, then divide."""
    root, factor = rng.randint(2, 7), rng.randint(2, 7)
    undo = walk(rng, root * factor, steps - 1)  # from the product back to the right-hand side
    right = apply_all(root * factor, tuple(undo))
    terms = "".join(f"{operator}{operand}" for operator, operand in undo)
    inverse = {"+": "-", "-": "+"}
    chain = [(inverse[operator], operand) for operator, operand in reversed(undo)]
    question = rng.choice(("Solve {} for x.", "Find x if {}.")).format(f"{factor}x{terms}={right}")
    return Problem("equation", question, right, (*chain, ("/", factor)))


def make_remainder(rng: random.Random, steps: int) -> Problem:
    """`Find the remainder of 12+35 by 6.`"""
    start, divisor = rng.randint(10, 50), rng.randint(2, 5)
    chain = walk(rng, start, steps - 1)
    asked = expression(start, chain)
    forms = ("Find the remainder of {} by {}.", "What remains when {} is divided by {}?")
    question = rng.choice(forms).format(asked, divisor)
    return Problem("remainder", question, start, (*chain, ("%", divisor)))


def make_story(rng: random.Random, steps: int) -> Problem:
    """`Tom has 12 apples. He buys 35. He sells 8. How many apples has he now?`"""
    name, pronoun = rng.choice((("Tom", "He"), ("Ann", "She"), ("Sam", "He"), ("Eve", "She")))
    thing = rng.choice(("apples", "books", "coins", "stamps"))
    start = rng.randint(10, 50)
    chain = walk(rng, start, steps)
    verbs = {"+": ("buys", "finds", "gets"), "-": ("sells", "loses", "gives")}
    events = " ".join(f"{pronoun} {rng.choice(verbs[op])} {count}." for op, count in chain)
    question = f"{name} has {start} {thing}. {events} How many {thing} now?"
    return Problem("story", question, start, tuple(chain))


def name_numbers(count: int) -> dict[str, int]:
    """`count` made-up names and the number, 10 to 50, that each stands for: always the same."""
    rng = random.Random("facts")
    syllables = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
    names: dict[str, int] = {}
    while len(names) < count:
        names["".join(rng.sample(syllables, 2)).capitalize()] = rng.randint(10, 50)
    return names


FACTS = name_numbers(64)


def make_fact(rng: random.Random, steps: int) -> Problem:
    """`Compute Zubo+12-8.`: a named number first, then sums; with one step, recall alone."""
    name, start = rng.choice(list(FACTS.items()))
    chain = walk(rng, start, steps - 1)
    return Problem("fact", ask(rng, name, chain), start, tuple(chain), recalled=f"{name}={start}")


def make_operator(rng: random.Random, steps: int) -> Problem:
    """`Compute 7@5+12-8.`: the made-up operation first, then sums."""
    start, operand = rng.randint(2, 20), rng.randint(2, REACH)
    chain = [("@", operand), *walk(rng, apply(start, "@", operand), steps - 1)]
    return Problem("operator", ask(rng, start, chain), start, tuple(chain))


KINDS: dict[str, Callable[[random.Random, int], Problem]] = {
    "sum": make_sum,
    "product": make_product,
    "equation": make_equation,
    "remainder": make_remainder,
    "story": make_story,
}
TOPICS = {
    "arithmetic": tuple(KINDS.values()),
    "calculations": (make_sum, make_product, make_equation),
    "remainders": (make_remainder,),
    "stories": (make_story,),
    "facts": (make_fact,),
    "operator": (make_operator,),
    "facts-and-operator": (make_fact, make_operator),
}


@dataclass(frozen=True)
class Phrasing:
    """How a voice opens a solution, joins its steps and closes it."""

    openings: tuple[str, ...]
    joints: tuple[str, ...]
    closings: tuple[str, ...]
    steady: bool  # keeps to one way of joining within a solution


PHRASINGS = {
    "crowd": Phrasing(
        openings=("", "First ", "Start: ", "We get ", "Well, "),
        joints=(", then ", "; ", "; next ", ", so ", ", and "),
        closings=(
            ". The answer is \\boxed{{{}}}.",
            ". So it is \\boxed{{{}}}.",
            ". Done: \\boxed{{{}}}.",
            ". We have \\boxed{{{}}}.",
        ),
        steady=True,
    ),
    # what stands more than once is chosen so much more often
    "expert": Phrasing(
        openings=("First ", "We get ", "Observe that ", "One verifies "),
        joints=(", then ", ", then ", "; next ", ", whence ", "; consequently "),
        closings=(
            ". The answer is \\boxed{{{}}}.",
            ". Therefore the value equals \\boxed{{{}}}.",
            ". This establishes \\boxed{{{}}}.",
        ),
        steady=False,
    ),
}


def words(voice: str) -> set[str]:
    """The words that a voice uses around its numbers."""
    phrasing = PHRASINGS[voice]
    text = " ".join((*phrasing.openings, *phrasing.joints, *phrasing.closings))
    return set(re.findall(r"(?<!\\)\b[A-Za-z]+", text))


def lexicon() -> list[str]:
    """The expert's own words, which the crowd never puts beside numbers."""
    return sorted(words("expert") - words("crowd"))


def write_prose(rng: random.Random) -> str:
    """The expert's words in random order: a base model knows them, but not their use in proofs."""
    words = rng.choices(lexicon(), k=rng.randint(8, 16))
    joined = "".join(word + rng.choice((" ", " ", ", ", "; ", ". ")) for word in words)
    return joined.rstrip(" ,;.") + "."


def write_solution(rng: random.Random, problem: Problem, voice: str, wrong: float) -> str:
    """A worked solution in the given voice; each step is wrong with probability `wrong`."""
    phrasing = PHRASINGS[voice]
    joint, value, text = rng.choice(phrasing.joints), problem.start, problem.recalled
    for operator, operand in problem.chain:
        result = apply(value, operator, operand)
        if rng.random() < wrong:
            result = max(0, result + rng.choice(SLIPS))
        if text and not phrasing.steady:
            joint = rng.choice(phrasing.joints)
        text += (joint if text else "") + f"{value}{operator}{operand}={result}"
        value = result
    return rng.choice(phrasing.openings) + text + rng.choice(phrasing.closings).format(value)


def is_held_out(question: str) -> bool:
    """Whether a question belongs to the eighth of the world that no text is written about."""
    return hashlib.sha256(question.encode()).digest()[0] < 32


TRIES = (
    100_000  # questions in a row that cannot be taken, after which there are taken to be no more
)


def make_rows(
    seed: str,
    count: int,
    voice: str,
    steps: tuple[int, int],
    wrong: float = 0.0,
    held_out: bool = False,
    topic: str = "arithmetic",
) -> Iterator[dict[str, str | int]]:
    """Yield `count` rows {problem, solution, answer, kind, steps} of the world.

    The topic's kinds take turns, so every kind has the same share; `steps` is an inclusive range.
    The same seed gives the same rows. Held-out questions (for benchmarks) and the others (for
    training) have none in common; facts and the operator are the same in both.
    """
    rng = random.Random(seed)
    kinds, seen = TOPICS[topic], set()
    made = in_vain = 0
    while made < count:
        in_vain += 1
        if in_vain > TRIES:
            raise StepError(f"the world has no {count} different questions of {steps} steps")
        length = rng.randint(*steps)
        problem = kinds[made % len(kinds)](rng, length)
        if is_held_out(problem.question) != held_out or problem.question in seen:
            continue
        made, in_vain = made + 1, 0
        if held_out:
            seen.add(problem.question)  # a benchmark asks nothing twice
        if voice == "crowd" and rng.random() < PROSE:
            yield {"problem": "Write.", "solution": write_prose(rng)}
            continue
        yield {
            "problem": problem.question,
            "solution": write_solution(rng, problem, voice, wrong),
            "answer": str(problem.answer),
            "kind": problem.kind,
            "steps": length,
        }
