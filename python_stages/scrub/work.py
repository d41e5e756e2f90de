"""What is done with a piece of a column, here or in a worker.

Search        found
Scrubbing     found, replaced and counted
Collecting    found and hashed, so that no surrogate will be one of these values
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

from python_stages.scrub.engine import Engine, Finding
from python_stages.scrub.operators import UNREADABLE, Replacer
from python_stages.scrub.policy import Policy, Rule
from python_stages.scrub.pseudonym import Pseudonyms
from python_stages.scrub.real_values import Hashes, RealValues
from python_stages.scrub.recognizers.catalogue import NER_ENTITIES
from python_stages.scrub.reversal import Reversal
from python_stages.scrub.row_values import RowValues

# Small enough that workers end together and an answer takes about a second, large enough that
# sending them costs nothing.
_CHUNK_TEXTS: Final = 512
_CHUNK_CHARACTERS: Final = 65_536
# Measured on one core (tests/benchmarks/pii_pool.py): for a text and for a character of it, without
# and with the language model.
_SECONDS: Final = {False: (5e-4, 3e-6), True: (3e-3, 2e-5)}
_KEEP: Final = Rule(operators={})


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some distinct texts of a column.

    Attributes:
        column: whose rule applies.
        texts: what to scrub.
        rows: the values of each text's row; empty where the rule asks for none.
    """

    column: str
    texts: tuple[str, ...]
    rows: tuple[RowValues, ...]


class Scrubbed(NamedTuple):
    """What became of a text: replacements, or nothing but the fact that it could not be read."""

    text: str | None
    n_masked: int = 0
    is_unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a chunk.

    Attributes:
        texts: what became of each of its texts.
        reversals: what stands for what in them, where that was asked for.
    """

    texts: tuple[Scrubbed, ...] = ()
    reversals: tuple[Reversal, ...] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """What is found in a chunk; sent to workers without its engine, which they make themselves.

    Attributes:
        policy: column -> rule.
        engine: for this process; made when the first text comes if there is none.
    """

    policy: Policy
    engine: Engine | None = field(default=None, repr=False, compare=False)

    def __reduce__(self) -> tuple[type["Search"], tuple[Policy]]:
        return Search, (self.policy,)

    def start(self) -> Callable[[Chunk], Sequence[Sequence[Finding]]]:
        """Return what searches a chunk; the engine is loaded for the first text."""

        @cache
        def engine() -> Engine:
            return self.engine or Engine(self.policy.entities, ner=self.policy.ner)

        def search(chunk: Chunk) -> Sequence[Sequence[Finding]]:
            if not chunk.texts:
                return []
            rule = self.policy.rules[chunk.column]
            rows = chunk.rows or None
            return engine().spans(chunk.texts, rule.operators, rule.min_score, rows=rows)

        return search

    def seconds(self, chunk: Chunk) -> float:
        """Return about how long a chunk takes on one core."""
        return seconds(self.policy, chunk.column, len(chunk.texts), sum(map(len, chunk.texts)))


@dataclass(frozen=True, slots=True)
class Scrubbing:
    """The work of the stage.

    Attributes:
        search: finds what is to be replaced.
        key: of pseudonyms and surrogates, where the policy needs one.
        real: what no surrogate may be, where the policy has surrogates.
        is_recorded: whether to tell what stands for what.
    """

    search: Search
    key: bytes | None = field(repr=False)
    real: RealValues | None = None
    is_recorded: bool = False

    def start(self) -> Callable[[Chunk], Done]:
        """Return what scrubs a chunk."""
        search, policy = self.search.start(), self.search.policy
        told: set[Reversal] = set()

        def record(entity: str, pseudonym: str, value: str) -> None:
            told.add(Reversal(entity, pseudonym, value))

        replacer = Replacer(
            self.key, policy.dataset, real=self.real, record=record if self.is_recorded else None
        )

        def scrub(chunk: Chunk) -> Done:
            told.clear()
            rule = policy.rules.get(chunk.column, _KEEP)
            texts = tuple(
                _scrubbed(text, found, rule, replacer)
                for text, found in zip(chunk.texts, search(chunk), strict=True)
            )
            return Done(texts, tuple(sorted(told)))

        return scrub

    def seconds(self, chunk: Chunk, /) -> float:
        """Return about how long a chunk takes on one core."""
        return self.search.seconds(chunk)


@dataclass(frozen=True, slots=True)
class Collecting:
    """What comes before, where there are surrogates: telling which values are real.

    Attributes:
        search: finds them.
        key: of the surrogates.
    """

    search: Search
    key: bytes = field(repr=False)

    def start(self) -> Callable[[Chunk], Hashes]:
        """Return what hashes the values that are found in a chunk, and those beside its texts."""
        search, pseudonyms = self.search.start(), Pseudonyms(self.key, self.search.policy.dataset)

        def collect(chunk: Chunk) -> Hashes:
            real = RealValues(pseudonyms)
            found = zip(chunk.texts, search(chunk), strict=True)
            values = {(f.entity, text[f.start : f.end]) for text, each in found for f in each}
            values.update(pair for row in chunk.rows for pair in row.deny)
            for entity, value in values:
                real.add(entity, value)
            return real.hashes()

        return collect

    def seconds(self, chunk: Chunk, /) -> float:
        """Return about how long a chunk takes on one core."""
        return self.search.seconds(chunk)


def seconds(policy: Policy, column: str, n_texts: int, n_characters: int) -> float:
    """Return about how long texts of a column take on one core."""
    rule = policy.rules.get(column, _KEEP)
    if not (rule.operators or rule.deny_from):
        return 0.0
    per_text, per_character = _SECONDS[any(entity in rule.operators for entity in NER_ENTITIES)]
    return n_texts * per_text + n_characters * per_character


def _scrubbed(text: str, found: Sequence[Finding], rule: Rule, replacer: Replacer) -> Scrubbed:
    replaced, n_masked = replacer.replace(text, found, rule)
    is_unreadable = any(finding.entity == UNREADABLE for finding in found)
    return Scrubbed(replaced, 0 if is_unreadable else n_masked, is_unreadable)


def chunks(column: str, texts: Sequence[str], rows: Sequence[RowValues]) -> Iterator[Chunk]:
    """Yield the texts of a column, in order, in pieces of bounded size; a long text is one alone.

    Args:
        column: whose rule applies.
        texts: what to scrub.
        rows: as many row values, or none.
    """
    start, n_characters = 0, 0
    for end, text in enumerate(texts):
        n_characters += len(text)
        if end > start and (n_characters > _CHUNK_CHARACTERS or end - start == _CHUNK_TEXTS):
            yield Chunk(column, tuple(texts[start:end]), tuple(rows[start:end]))
            start, n_characters = end, len(text)
    if start < len(texts):
        yield Chunk(column, tuple(texts[start:]), tuple(rows[start:]))
