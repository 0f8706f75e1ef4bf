"""Blocks that say where rows come from: training data and benchmarks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from rectify.data.mixing import mixed_in
from rectify.grading.graders import MATH, NAMES, check_grader
from rectify.step.blocks import Block, Name, Positive, Share


def compiles(pattern: str) -> str:
    """A regular expression; raises ValueError if it is none."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


GRADERS = [{"enum": list(NAMES)}, {"pattern": r"^.+\.py:[A-Za-z_]\w*$"}]
Grader = Annotated[str, Field(json_schema_extra={"anyOf": GRADERS})]
Pattern = Annotated[str, Field(min_length=1), AfterValidator(compiles)]


class World(Block):
    """Rows of the synthetic world (rectify.data.world)."""

    voice: Literal["crowd", "expert"] = "expert"
    """who writes the solutions: the crowd of the pretraining text, or the expert"""
    topic: Literal[
        "arithmetic", "calculations", "remainders", "stories", "facts", "operator",
        "facts-and-operator",
    ] = "arithmetic"  # fmt: skip
    """arithmetic: sums, products, equations, remainders and stories by turns; or a part of it:
    calculations, the first three; remainders; stories; or what only these rows tell: facts, sums
    that start from a named number; operator, sums that start from a made-up operation, a@b; or the
    two by turns"""
    steps: tuple[Positive, Positive]
    """difficulty: operations per problem, from and to (both included); recalling a fact is one"""
    wrong: Share = 0.0
    """probability that a step of a solution is wrong"""

    @model_validator(mode="after")
    def _ordered(self) -> World:
        if self.steps[0] > self.steps[1]:
            raise ValueError(f"steps go from {self.steps[0]} down to {self.steps[1]}")
        return self


class Source(Block):
    """Where rows come from: exactly one of `world`, `file`, `hub`."""

    world: World | None = None
    """rows of the synthetic world"""
    file: str | None = None
    """a JSONL, JSON (an array of objects), CSV or Parquet file, gzipped or not: local, from
    `data_dir`, or remote, a URL with its `sha256`"""
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    """checksum of `file`; another content is refused"""
    hub: str | None = None
    """a data set on the Hugging Face hub, or a local folder of one"""
    name: str | None = None
    """configuration of the `hub` data set, where it has several"""
    revision: str | None = None
    """commit of the `hub` data set"""
    split: str = "train"
    """split of the `hub` data set"""
    problem: str = "problem"
    """field that holds the question"""
    only: dict[str, str | int] | None = None
    """fields and the value that each must have for a row to be taken, such as {level: 1}"""
    rows: Positive | None = None
    """how many rows to take; all if not given (the synthetic world needs a number)"""
    pick: Literal["random", "first"] = "random"
    """a seeded random sample (the paper's words), or the first rows (its released code)"""

    @model_validator(mode="after")
    def _one_origin(self) -> Source:
        given = [key for key in ("world", "file", "hub") if getattr(self, key) is not None]
        if len(given) != 1:
            raise ValueError(f"needs exactly one of world, file, hub; has {given or 'none'}")
        if self.world and not self.rows:
            raise ValueError("a world needs `rows`")
        if self.world and self.only:
            raise ValueError("a world's rows have no fields that `only` could name; leave it out")
        if self.file and "://" in self.file and not self.sha256:
            raise ValueError("a remote file needs `sha256`")
        if self.hub and not Path(self.hub).is_dir() and not self.revision:
            raise ValueError("a hub data set needs `revision`")
        if self.name and not self.hub:
            raise ValueError("`name` is the configuration of a hub data set; leave it out")
        return self


class Text(Source):
    """Problems with their worked solutions."""

    solution: str = "solution"
    """field that holds the worked solution"""
    messages: str | None = None
    """field that holds a conversation, a list of turns with `role` (system, user, assistant) and
    `content`, instead of `problem` and `solution`: the solution is the answer that is trained on,
    the problem the user's turn that it is to; for the prompt styles chat and chat-boxed"""
    loss_on: Literal["last", "assistant"] | None = None
    """of `messages`, what is trained on: last (null, too), the last turn, the assistant's; or
    assistant, all of the assistant's turns behind a user's, each as a row of its own with the turns
    before it for a prompt"""

    @model_validator(mode="after")
    def _pairs_or_conversations(self) -> Text:
        if self.loss_on and not self.messages:
            raise ValueError("`loss_on` is about `messages`; leave it out")
        if self.messages and self.world:
            raise ValueError("a world's rows have no `messages`; leave it out")
        if self.messages and (self.problem, self.solution) != ("problem", "solution"):
            raise ValueError("has both `messages` and `problem` or `solution`; rows have one")
        return self


class TrainingData(Text):
    """Rows to fine-tune on."""

    reward: str | None = None
    """field that holds a row's reward, a number, for the objectives that weigh rows by it"""
    behaviour_logp: str | None = None
    """field that holds the log-probabilities (nats) of the solution's tokens and EOS under whoever
    wrote them, a list with one for each token of the model that is trained, for the objectives
    that weigh tokens by it"""
    answer_after: Pattern | None = None
    """regular expression, such as "####": a solution's gold answer, for the methods whose own
    answers are graded, is the text behind its last match, or what its group holds; if not given,
    the last \\boxed{}"""

    @model_validator(mode="after")
    def _one_answer(self) -> TrainingData:
        if self.loss_on == "assistant" and self.behaviour_logp:
            raise ValueError("behaviour_logp is of one answer a row; leave it or loss_on out")
        return self


class Mixed(TrainingData):
    """Other rows to fine-tune on among those of `data`: replay against forgetting."""

    share: Annotated[float, Field(gt=0, lt=1)]
    """their share of all training rows, drawn at random by the study's seed"""


class Data(TrainingData):
    """Rows that the methods fine-tune on."""

    mix: dict[Name, Mixed] | None = None
    """other rows mixed in, by name, with their shares; those of `data` are all kept"""

    @model_validator(mode="after")
    def _shares_leave_some(self) -> Data:
        if (total := sum(block.share for block in (self.mix or {}).values())) >= 1:
            raise ValueError(f"mix: the shares add up to {total:g}; they must leave some of `data`")
        return self

    @property
    def all_rows(self) -> int | None:
        """Rows with those that are mixed in; None where it is not known."""
        if self.rows is None:
            return None
        return self.rows + sum(mixed_in(self.rows, self.shares).values())

    @property
    def shares(self) -> dict[str, float]:
        """What is mixed in, by name: its share of all."""
        return {name: block.share for name, block in (self.mix or {}).items()}


class Benchmark(Source):
    """Problems to be answered."""

    title: str
    """column heading in the tables"""
    answer: str = "answer"
    """field that holds the gold answer (a list of one is unwrapped)"""
    boxed: bool = False
    """the gold answer is the last \\boxed{} of the answer field, not the field itself"""
    answer_after: Pattern | None = None
    """regular expression, such as "####": the gold answer is the text behind its last match in the
    answer field, or what its group holds"""
    instruction: str | None = None
    """text behind the problem in its prompt, instead of the prompt style's own; "" for none"""
    grader: Grader = MATH
    """math; exact: the same text but for Unicode's forms, case and punctuation around it; choice:
    the letter, or the text of an option where rows have a list `options`; or a function of your
    own, `path/to/file.py:function`, of (gold, response, row), the row a dictionary, that returns
    True or False"""
    published: str | None = None
    """benchmark of config/published.csv that it is, or stands for"""
    role: Literal["test", "validation", "retention"] = "test"
    """test: a column of every table; validation: no table shows it, and by it the learning rate of
    a method with a `sweep` is chosen; retention: what training should not hurt, shown apart"""

    @model_validator(mode="after")
    def _one_gold(self) -> Benchmark:
        check_grader(self.grader)
        if self.world and self.world.voice == "crowd":
            raise ValueError(
                "world.voice: the crowd's text is prose in part, without an answer; leave it out: "
                "the questions are the same"
            )
        if self.boxed and self.answer_after:
            raise ValueError("has both boxed and answer_after; the gold answer is behind one")
        return self


class Retention(Block):
    """What training should not hurt, beside the benchmarks of `role: retention`."""

    margin: Annotated[float, Field(gt=0)] = 2.0
    """percentage points of such a benchmark that may be lost: it is kept where the 95 % interval of
    the difference to the base model is above minus that, lost where it is below, and else
    inconclusive"""
    rows: Text | None = None
    """text that the base model knows, such as held-out rows of its pretraining: on the solutions'
    tokens KL(base || trained) is measured; questions of a world are those that no training text is
    about"""
