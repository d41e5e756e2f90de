"""What every fact is, and a judgement on facts."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict


class Level(StrEnum):
    """How a verdict reads in one word."""

    GOOD = "good"
    """Everything that was promised was shown."""
    OPEN = "open"
    """Nothing is wrong, and something was not measured or not finished."""
    BAD = "bad"
    """Something is wrong: a check failed, or a file is not what was checked."""


class Fact:
    """Base of all facts: pydantic takes their descriptions from the texts under the fields."""

    __slots__ = ()
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(use_attribute_docstrings=True)


@dataclass(frozen=True, slots=True)
class Verdict(Fact):
    """A judgement in one sentence, and what it rests on."""

    level: Level
    """good, open or bad."""
    sentence: str
    """The judgement, for people."""
    reasons: tuple[str, ...]
    """What is missing or wrong; empty where the level is good."""
