"""Which parts of a text are identifiers, names and places, and which of them are to be replaced.

    findings    what stock Presidio finds, faster (search.py)
    spans       what is to be replaced: the same, and besides
                - what is disguised (normalize.py),
                - what a neighbour hides: a card number that directly follows a phone number makes
                  it look too long, so what was found is blanked and patterns are searched again,
                - what the row's other columns tell (row_values.py),
                settled so that nothing overlaps (settle.py)

Equal texts are read once; long ones in windows (windows.py). A text that nobody can read, or on
which a recogniser gives up, is one finding from end to end: nothing passes unread, and no text
stops the others. Nothing is loaded but from disk, nothing goes to the network, nothing is logged.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from python_stages.errors import ConfigError, StageError
from python_stages.scrub import normalize, presidio, recognizers, row_values, windows
from python_stages.scrub.policy import MIN_SCORE
from python_stages.scrub.row_values import RowValues
from python_stages.scrub.search import Found, Search
from python_stages.scrub.settle import UNREADABLE, WORDED, Finding, covers, settle

__all__ = ["MIN_SCORE", "UNREADABLE", "Engine", "Finding", "RowValues", "expand"]

_TEXTS_REMEMBERED: Final = 20_000
_LONGEST_REMEMBERED: Final = 1_000  # characters
_MOST_ROUNDS: Final = 20
_WINDOWS_AT_A_TIME: Final = 16
_MOST_UNREAD: Final = 2  # windows of a text; whoever builds such texts gets no more time
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BLANK: Final = "\ufffc"  # stands for an object; no letter, digit, blank or punctuation
_DIGIT_AFTER: Final = re.compile(r"[^\w\n]{0,3}\w{0,8}?[0-9]")
_DIGIT_BEFORE: Final = re.compile(r"[0-9]\w{0,8}[^\w\n]{0,3}\Z")
_FAR: Final = 12  # characters: more than these two look at


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is looked for: findings of some entities, from some score on."""

    entities: frozenset[str]
    min_score: float

    def of(self, found: Iterable[Finding]) -> list[Finding]:
        """Return the findings that are looked for."""
        return [f for f in found if f.score >= self.min_score and f.entity in self.entities]


class Engine:
    """Finds what is personal in texts; construct once, it takes seconds.

    Args:
        entities: members of `recognizers.ENTITIES`, or groups of `recognizers.GROUPS`.
        ner: what names people and places, as `ner.loading.load` takes it; by default the model of
            this project. Loaded only where an entity needs it.

    Attributes:
        entities: all that it finds, in order, groups resolved.
        language: the spaCy pipeline that splits words, and names people and places.

    Raises:
        ConfigError: an entity is unknown, or the model cannot be loaded.
    """

    def __init__(
        self, entities: Iterable[str], *, ner: str | Mapping[str, Any] | None = None
    ) -> None:
        self.entities: Final = expand(entities)
        self.language: Final = _language(self.entities, ner)
        self._search: Final = Search(self.entities, self.language)
        self._remembered: Final[dict[tuple[str, _Asked], list[Finding]]] = {}

    def findings(self, texts: Sequence[str]) -> list[Found]:
        """Return what Presidio finds in every text, at any score, in order."""
        distinct = list(dict.fromkeys(texts))
        found = {
            text: tuple(here) for text, here in zip(distinct, self._all(distinct), strict=True)
        }
        return [found[text] for text in texts]

    def spans(
        self,
        texts: Sequence[str],
        entities: Iterable[str] | None = None,
        min_score: float = MIN_SCORE,
        *,
        rows: Sequence[RowValues] | None = None,
    ) -> list[Found]:
        """Return what is to be replaced in every text: in order, not overlapping.

        Args:
            texts: of any length and content.
            entities: entities and groups to look for; by default all that the engine knows.
            min_score: findings below it stay.
            rows: for each text, what the other columns of its row tell.

        Returns:
            For each text its findings; `UNREADABLE` for what of it was not read.

        Raises:
            ConfigError: the engine was not built for an entity.
        """
        wanted = self.entities if entities is None else expand(entities)
        self._require(wanted)
        asked = _Asked(frozenset({*wanted, UNREADABLE}), min_score)
        found = self._found(dict.fromkeys(texts), asked)
        keys = list(zip(texts, rows or [RowValues()] * len(texts), strict=True))
        settled = {
            (text, row): settle(
                text,
                [
                    *row_values.without_allowed(text, row, found[text]),
                    *row_values.denied(text, row),
                ],
            )
            for text, row in dict.fromkeys(keys)
        }
        return [settled[key] for key in keys]

    def count_findings(
        self, texts: Sequence[str], entities: Iterable[str], min_score: float
    ) -> dict[str, NDArray[np.int32]]:
        """Return, per entity, the number of spans to be replaced in every text.

        Raises:
            ConfigError: the engine was not built for an entity.
            StageError: a text cannot be read.
        """
        wanted = expand(entities)
        counts = {entity: np.zeros(len(texts), dtype=np.int32) for entity in wanted}
        for row, found in enumerate(self.spans(texts, wanted, min_score)):
            for finding in found:
                if finding.entity == UNREADABLE:
                    raise StageError(
                        "a text cannot be read, and so not be counted: clean it before this stage"
                    )
                counts[finding.entity][row] += 1
        return counts

    def forget(self) -> None:
        """Forget the texts that were read lately; what is found stays the same."""
        self._remembered.clear()

    def _require(self, entities: Iterable[str]) -> None:
        absent = sorted(set(entities) - set(self.entities))
        if absent:
            raise ConfigError(
                f"the engine was not built for {', '.join(absent)}: "
                f"it knows {', '.join(self.entities)}",
            )

    def _found(self, texts: Iterable[str], asked: _Asked) -> dict[str, list[Finding]]:
        """Return what is asked for in some texts, those that were read lately from memory."""
        found = {}
        unread = []
        for text in texts:
            remembered = self._remembered.pop((text, asked), None)
            if remembered is None:
                unread.append(text)
            else:
                found[text] = self._remembered[text, asked] = remembered
        for text, here in zip(unread, self._all(unread, asked), strict=True):
            found[text] = here
            if len(text) <= _LONGEST_REMEMBERED:
                self._remembered[text, asked] = here
        while len(self._remembered) > _TEXTS_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        return found

    def _all(self, texts: Sequence[str], asked: _Asked | None = None) -> list[list[Finding]]:
        """Read texts of any length; look behind disguises where something is asked for."""
        found: list[list[Finding]] = [[] for _ in texts]
        short = []
        for at, text in enumerate(texts):
            if not text.isascii() and _SURROGATE.search(text):
                found[at] = [Finding(UNREADABLE, 0, len(text), 1.0)]
            elif windows.is_long(text):
                found[at] = self._long(text, asked)
            else:
                short.append(at)
        pieces = [texts[at] for at in short]
        for at, here in zip(short, self._pieces(pieces, asked), strict=True):
            found[at] = here
        return found

    def _long(self, text: str, asked: _Asked | None) -> list[Finding]:
        """Read a text window by window; give up where several cannot be read."""
        found: list[Finding] = []
        rest = list(windows.split(text))
        n_unread = 0
        while rest and n_unread < _MOST_UNREAD:
            some, rest = rest[:_WINDOWS_AT_A_TIME], rest[_WINDOWS_AT_A_TIME:]
            pieces = [text[window.start : window.end] for window in some]
            for window, here in zip(some, self._pieces(pieces, asked), strict=True):
                for finding in here:
                    start, end = finding.start + window.start, finding.end + window.start
                    if finding.entity == UNREADABLE:
                        n_unread += 1
                        found.append(Finding(UNREADABLE, start, end, 1.0))
                    elif window.reports(start, end):
                        found.append(replace(finding, start=start, end=end))
        if rest:
            found.append(Finding(UNREADABLE, rest[0].core_start, len(text), 1.0))
        return list(dict.fromkeys(found))

    def _pieces(self, pieces: Sequence[str], asked: _Asked | None) -> list[list[Finding]]:
        """Read texts that are no longer than a window."""
        distinct = list(dict.fromkeys(pieces))
        found = [_or_unreadable(piece, here) for piece, here in self._run(distinct)]
        if asked is not None:
            found = [asked.of(here) for here in found]
            self._look_behind(distinct, found, asked)
            self._look_beside(distinct, found, asked)
        here = dict(zip(distinct, found, strict=True))
        return [here[piece] for piece in pieces]

    def _run(
        self, texts: Sequence[str], *, is_named: bool = True
    ) -> Iterable[tuple[str, Found | None]]:
        return zip(texts, self._search.run(texts, is_named=is_named), strict=True)

    def _look_behind(
        self, pieces: Sequence[str], found: list[list[Finding]], asked: _Asked
    ) -> None:
        """Add what disguises hide, and the plain text does not give away already."""
        excerpts = [
            (at, excerpt)
            for at, piece in enumerate(pieces)
            for excerpt in normalize.excerpts(piece)
        ]
        for is_worded in (False, True):
            some = [(at, excerpt) for at, excerpt in excerpts if excerpt.is_worded == is_worded]
            read = self._run([excerpt.text for _, excerpt in some], is_named=is_worded)
            for (at, excerpt), (text, here) in zip(some, read, strict=True):
                for finding in asked.of(_or_unreadable(text, here)):
                    if finding.entity in WORDED and not excerpt.differs(finding.start, finding.end):
                        continue
                    start, end = excerpt.original(finding.start, finding.end)
                    if not covers(found[at], pieces[at], start, end):
                        found[at].append(replace(finding, start=start, end=end))

    def _look_beside(
        self, pieces: Sequence[str], found: list[list[Finding]], asked: _Asked
    ) -> None:
        """Add what is found once that beside it is blanked."""
        hiding = [at for at, piece in enumerate(pieces) if _may_hide(piece, found[at])]
        for _ in range(_MOST_ROUNDS):
            blanked = [_blanked(pieces[at], found[at]) for at in hiding]
            still = []
            for at, (text, here) in zip(hiding, self._run(blanked, is_named=False), strict=True):
                more = [
                    finding
                    for finding in asked.of(_or_unreadable(text, here))
                    if _BLANK not in text[finding.start : finding.end] and finding not in found[at]
                ]
                if more:
                    found[at].extend(more)
                    still.append(at)
            hiding = still
            if not hiding:
                return
        for at in hiding:
            found[at] = [Finding(UNREADABLE, 0, len(pieces[at]), 1.0)]


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


def _language(entities: Iterable[str], ner: str | Mapping[str, Any] | None) -> Any:
    """Return what splits words, and names people and places where an entity needs that."""
    if set(entities).isdisjoint(recognizers.NER_ENTITIES):
        return presidio.word_splitter()
    from python_stages.scrub.ner.loading import load  # noqa: PLC0415  # imports spaCy

    return load("sealtune" if ner is None else ner)


def _or_unreadable(text: str, found: Found | None) -> list[Finding]:
    return [Finding(UNREADABLE, 0, len(text), 1.0)] if found is None else list(found)


def _may_hide(text: str, found: Iterable[Finding]) -> bool:
    """Return whether digits directly beside a finding may belong to one that it hides."""
    return any(
        _DIGIT_AFTER.match(text, finding.end)
        or _DIGIT_BEFORE.search(text[max(0, finding.start - _FAR) : finding.start])
        for finding in found
        if finding.entity not in WORDED
    )


def _blanked(text: str, found: Iterable[Finding]) -> str:
    """Return a text with as many fillers as a finding has characters in its place."""
    for finding in found:
        if finding.entity not in WORDED:
            n_characters = finding.end - finding.start
            text = text[: finding.start] + _BLANK * n_characters + text[finding.end :]
    return text
