"""What is done with a piece of a column, here or in a worker: found, replaced, counted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

from python_stages.scrub.engine import Engine
from python_stages.scrub.operators import UNREADABLE, Replacer
from python_stages.scrub.policy import Policy
from python_stages.scrub.recognizers.catalogue import NER_ENTITIES
from python_stages.scrub.row_values import RowValues

# Small enough that workers end together and an answer takes about a second, large enough that
# sending them costs nothing.
_CHUNK_TEXTS: Final = 512
_CHUNK_CHARACTERS: Final = 65_536
# Measured on one core (tests/benchmarks/pii_pool.py): for a text and for a character of it, without
# and with the language model.
_SECONDS: Final = {False: (5e-4, 3e-6), True: (3e-3, 2e-5)}


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
class Scrubbing:
    """The work of the stage; it is sent to workers without its engine, which they make themselves.

    Attributes:
        policy: column -> rule.
        key: of pseudonyms and surrogates, where the policy needs one.
        engine: for this process; made when the first text comes if there is none.
    """

    policy: Policy
    key: bytes | None = field(repr=False)
    engine: Engine | None = field(default=None, repr=False, compare=False)

    def __reduce__(self) -> tuple[type["Scrubbing"], tuple[Policy, bytes | None]]:
        return Scrubbing, (self.policy, self.key)

    def start(self) -> Callable[[Chunk], list[Scrubbed]]:
        """Return what scrubs a chunk; engine and operators are loaded for the first text."""

        @cache
        def engine() -> Engine:
            return self.engine or Engine(self.policy.entities, ner=self.policy.ner)

        replacer = Replacer(self.key, self.policy.dataset)
        return lambda chunk: self._scrub(chunk, engine(), replacer) if chunk.texts else []

    def seconds(self, chunk: Chunk, /) -> float:
        """Return about how long a chunk takes on one core."""
        if not chunk.texts:
            return 0.0
        operators = self.policy.rules[chunk.column].operators
        has_ner = any(entity in operators for entity in NER_ENTITIES)
        per_text, per_character = _SECONDS[has_ner]
        return len(chunk.texts) * per_text + sum(map(len, chunk.texts)) * per_character

    def _scrub(self, chunk: Chunk, engine: Engine, replacer: Replacer) -> list[Scrubbed]:
        rule = self.policy.rules[chunk.column]
        spans = engine.spans(chunk.texts, rule.operators, rule.min_score, rows=chunk.rows or None)
        scrubbed = []
        for text, found in zip(chunk.texts, spans, strict=True):
            replaced, n_masked = replacer.replace(text, found, rule)
            is_unreadable = any(finding.entity == UNREADABLE for finding in found)
            scrubbed.append(Scrubbed(replaced, 0 if is_unreadable else n_masked, is_unreadable))
        return scrubbed


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
