"""Presidio, offline and lean: which parts of a text are identifiers, and the text without them.

The analyser runs the pattern recognisers of the entities asked for, on a blank spaCy pipeline that
only splits words. Nothing is loaded from disk, nothing goes to the network, nothing is logged.
Whatever fails inside Presidio surfaces as a StageError without its cause, which may quote the text.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from python_stages.errors import ConfigError, StageError
from python_stages.scrub import presidio, recognizers

_TEXTS_REMEMBERED: Final = 20_000
_MOST_ROUNDS: Final = 20
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_LONGEST_TEXT: Final = 1_000_000  # characters; spaCy's own limit


@dataclass(frozen=True, slots=True)
class Finding:
    """One identifier: its entity, its span in characters, and how sure the recogniser is (0..1)."""

    entity: str
    start: int
    end: int
    score: float


class Engine:
    """Finds and replaces the identifiers of some entities; construct once, it takes seconds.

    Args:
        entities: members of `recognizers.ENTITIES`, or groups of `recognizers.GROUPS`.

    Raises:
        ConfigError: an entity is unknown.
    """

    def __init__(self, entities: Iterable[str]) -> None:
        self.entities: Final = expand(entities)
        self._words: Final = presidio.word_splitter()
        self._analyzer: Final = presidio.analyzer(self.entities, self._words)
        self._anonymizer: Final = presidio.anonymizer()
        self._gated: Final = [
            (entity, recognizers.GATES.get(entity), recognizer)
            for recognizer in self._analyzer.registry.recognizers
            for entity in recognizer.supported_entities
        ]
        self._remembered: Final = lru_cache(_TEXTS_REMEMBERED)(self._analyze)

    def findings(self, texts: Sequence[str]) -> list[tuple[Finding, ...]]:
        """Return the findings of every text, at any score; equal texts are analysed once.

        Raises:
            StageError: a text cannot be read, or Presidio failed on one.
        """
        return [self._remembered(text) for text in texts]

    def count_findings(
        self,
        texts: Sequence[str],
        entities: Iterable[str],
        min_score: float,
    ) -> dict[str, NDArray[np.int32]]:
        """Return, per entity, the number of findings in every text.

        Raises:
            ConfigError: the engine was not built for an entity.
            StageError: a text cannot be read, or Presidio failed on one.
        """
        wanted = expand(entities)
        self._require(wanted)
        counts = {entity: np.zeros(len(texts), dtype=np.int32) for entity in wanted}
        for row, found in enumerate(self.findings(texts)):
            for finding in found:
                if finding.entity in counts and finding.score >= min_score:
                    counts[finding.entity][row] += 1
        return counts

    def replace(
        self,
        text: str,
        operators: Mapping[str, str],
        min_score: float,
    ) -> tuple[str, int]:
        """Return the text without its identifiers, and how many were replaced.

        Args:
            text: what to scrub.
            operators: entity -> `placeholder` (`[CREDIT_CARD]`) or `mask` (`*` for each character).
            min_score: findings below it stay.

        Raises:
            ConfigError: the engine was not built for an entity.
            StageError: the text cannot be read, or Presidio failed on it.
        """
        self._require(operators)
        n_replaced = 0
        # One identifier can hide its neighbour (a card number that directly follows a phone number
        # makes it look too long), so the text is read again until nothing is found.
        for _ in range(_MOST_ROUNDS):
            found = [
                finding
                for finding in self._remembered(text)
                if finding.entity in operators and finding.score >= min_score
            ]
            if not found:
                return text, n_replaced
            text, n_more = self._replace(text, found, operators)
            n_replaced += n_more
        raise StageError(
            f"a text still held identifiers after {_MOST_ROUNDS} rounds: "
            "it was not let through; split or drop very long texts before this stage",
        )

    def _require(self, entities: Iterable[str]) -> None:
        absent = sorted(set(entities) - set(self.entities))
        if absent:
            raise ConfigError(
                f"the engine was not built for {', '.join(absent)}: "
                f"it knows {', '.join(self.entities)}",
            )

    def _analyze(self, text: str) -> tuple[Finding, ...]:
        """Analyse one text, and let nothing of it out in an error."""
        _check_readable(text)
        results = presidio.sealed("search", lambda: self._results(text))
        return tuple(
            sorted(
                (Finding(r.entity_type, r.start, r.end, r.score) for r in results),
                key=lambda finding: (finding.start, finding.end, finding.entity),
            ),
        )

    def _replace(
        self,
        text: str,
        found: Iterable[Finding],
        operators: Mapping[str, str],
    ) -> tuple[str, int]:
        """Replace findings; presidio-anonymizer settles those that overlap."""
        results = [presidio.result(f.entity, f.start, f.end, f.score) for f in found]
        configs = presidio.operators(operators)
        replaced = presidio.sealed(
            "replacement",
            lambda: self._anonymizer.anonymize(text, results, configs),
        )
        return replaced.text, len(replaced.items)

    def _results(self, text: str) -> list[Any]:
        """Run Presidio on what may match: most texts hold nothing that resembles an identifier.

        A closed gate proves that a recogniser cannot match, and without any match there is nothing
        that context could raise; so this finds what Presidio finds, several times faster.
        """
        hints = {
            entity
            for entity, gate, recognizer in self._gated
            if (gate is None or gate.search(text)) and recognizer.analyze(text, [entity], None)
        }
        if not hints:
            return []
        # Presidio keeps every word it has seen; the zone makes it forget.
        with self._words.memory_zone():
            results: list[Any] = self._analyzer.analyze(text, presidio.LANGUAGE, sorted(hints))
        return results


def expand(entities: Iterable[str]) -> tuple[str, ...]:
    """Return entities in order, with the groups among them resolved.

    Raises:
        ConfigError: one is unknown.
    """
    names: set[str] = set()
    for entity in entities:
        names.update(recognizers.GROUPS.get(entity, (entity,)))
    unknown = sorted(names - recognizers.ENTITIES)
    if unknown:
        known = ", ".join(sorted({*recognizers.ENTITIES, *recognizers.GROUPS}))
        raise ConfigError(f"unknown entity {', '.join(unknown)}: the known ones are {known}")
    return tuple(sorted(names))


def _check_readable(text: str) -> None:
    """Raise StageError for text that could hide something from a recogniser.

    A lone surrogate cannot be written as UTF-8, and NUL ends a string for some readers.
    """
    if not text.isascii() and _SURROGATE.search(text):
        raise StageError("a text is not valid unicode: clean it before this stage")
    if "\0" in text:
        raise StageError("a text holds a nul character: clean it before this stage")
    if len(text) > _LONGEST_TEXT:
        raise StageError(
            f"a text is longer than {_LONGEST_TEXT} characters: split it before this stage"
        )
