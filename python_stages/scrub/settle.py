"""A finding, and which of several that overlap is the one to be replaced.

Presidio names every match of every recogniser, one over the other. What is to be replaced must not
overlap, and each character that some finding covers has to be covered still: whatever loses keeps
what is left of it beside the winner. The rule, from strong to weak:

1. Overlapping findings of one entity are one finding.
2. A structured identifier that is sure of itself (a checksum, a shape that nothing else has) beats
   names, places, dates and vague digits.
3. Otherwise the longer covers the shorter, and of two equally long the surer.

Pieces of one name, or of one address, with nothing but a blank or comma between them are joined
first; blanks, punctuation and a possessive `'s` around a name are not part of it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

UNREADABLE: Final = "UNREADABLE"
"""The entity of a text, or part of one, on which the search gave up: nobody knows what is in it."""

WORDED: Final = frozenset({"LOCATION", "NRP", "ORGANIZATION", "PERSON", "STREET_ADDRESS"})
"""Entities that are words of the language, and that an allowed value may turn out to be."""

_PROSE: Final = WORDED | {"AGE", "DATE_OF_BIRTH", "DATE_TIME", "PO_BOX", "TITLE", "ZIP_CODE"}
_SURE_SCORE: Final = 0.5
_CLOSED_UP: Final = re.compile(r"[ \t\xa0]+")
_ONE_WORD_A_LINE: Final = re.compile(r"[ \t]*\r?\n[ \t]*")
_ADDRESS_GAP: Final = re.compile(r"[ \t\xa0]*(?:[,\n]|\r\n)?[ \t\xa0]*(?:[,\n]|\r\n)?[ \t\xa0]*")
_ADDRESS_PARTS: Final = frozenset({"STREET_ADDRESS", "LOCATION", "PO_BOX", "ZIP_CODE"})
_AROUND: Final = " \t\r\n\xa0,;:!?\"“”„«»‘’'()[]{}<>|*_=/\\-–—.&"
_POSSESSIVE: Final = re.compile(r"['’´`][sS]$")
_ABBREVIATED: Final = re.compile(
    r"(?:\b(?:mrs?|ms|prof|rev|hon|jr|sr|inc|ltd|co|corp|llc|bros|st|ave|av|rd|blvd|dr|ln|ct|pl|sq|hwy|apt|no|str)"
    r"|(?:^|[\s.])[^\W\d_])\.$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One identifier: its entity, its span in characters, and how sure the recogniser is (0..1)."""

    entity: str
    start: int
    end: int
    score: float


def settle(text: str, found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return what is to be replaced in a text: in order, not overlapping, covering all of it.

    Args:
        text: what was searched.
        found: findings in it, in any order and number.
    """
    trimmed = [finding for each in found if (finding := _trimmed(text, each)) is not None]
    if len(trimmed) < 2:  # noqa: PLR2004  # nothing to settle
        return tuple(trimmed)
    settled: list[Finding] = []
    for cluster in _clusters(_joined(text, _united(trimmed))):
        kept: list[Finding] = []
        for finding in sorted(cluster, key=_rank):
            for piece in _beside(finding, kept):
                rest = piece if piece == finding else _trimmed(text, piece)
                if rest is not None and (rest == finding or _says_something(text, rest)):
                    kept.append(rest)
        settled.extend(sorted(kept, key=lambda finding: finding.start))
    return tuple(settled)


def covers(found: Iterable[Finding], text: str, start: int, end: int) -> bool:
    """Return whether findings cover every letter and digit of a part of a text.

    Where a part has neither (letters in circles are symbols), they have to cover all of it.
    """
    found = list(found)
    if not any(map(str.isalnum, text[start:end])):
        return any(finding.start <= start and finding.end >= end for finding in found)
    at = start
    for finding in sorted(found, key=lambda each: each.start):
        if finding.end > at and finding.start < end:
            if any(map(str.isalnum, text[at : max(at, finding.start)])):
                return False
            at = finding.end
    return not any(map(str.isalnum, text[at:end]))


def _rank(finding: Finding) -> tuple[bool, bool, int, float, int, str]:
    """Return what sorts a finding: who comes first stays whole."""
    is_sure = finding.entity not in _PROSE and finding.score >= _SURE_SCORE
    return (
        finding.entity != UNREADABLE,
        not is_sure,
        finding.start - finding.end,
        -finding.score,
        finding.start,
        finding.entity,
    )


def _united(found: Iterable[Finding]) -> list[Finding]:
    """Unite findings of one entity that overlap."""
    united: list[Finding] = []
    last: Finding | None = None
    for finding in sorted(found, key=lambda each: (each.entity, each.start, -each.end)):
        if last is not None and last.entity == finding.entity and finding.start < last.end:
            last = replace(
                last, end=max(last.end, finding.end), score=max(last.score, finding.score)
            )
            united[-1] = last
        else:
            last = finding
            united.append(last)
    return united


def _joined(text: str, found: Iterable[Finding]) -> list[Finding]:
    """Join the pieces of a name, and those of an address around its street."""
    joined: list[Finding] = []
    for finding in sorted(found, key=lambda each: (each.start, each.end)):
        last = joined[-1] if joined else None
        if last is None or last.end > finding.start or not _is_one(text, last, finding):
            joined.append(finding)
            continue
        is_address = last.entity in _ADDRESS_PARTS
        entity = "STREET_ADDRESS" if is_address else last.entity
        joined[-1] = Finding(entity, last.start, finding.end, max(last.score, finding.score))
    return joined


def _is_one(text: str, last: Finding, finding: Finding) -> bool:
    """Return whether a finding continues the one before it."""
    gap = text[last.end : finding.start]
    if last.entity == finding.entity == "PERSON":
        if _CLOSED_UP.fullmatch(gap):
            return True
        words = (text[last.start : last.end] + text[finding.start : finding.end]).split()
        return len(words) == 1 and _ONE_WORD_A_LINE.fullmatch(gap) is not None
    pair = {last.entity, finding.entity}
    return (
        "STREET_ADDRESS" in pair
        and pair <= _ADDRESS_PARTS
        and bool(gap)
        and _ADDRESS_GAP.fullmatch(gap) is not None
    )


def _clusters(found: Iterable[Finding]) -> Iterator[list[Finding]]:
    """Yield findings, which are in order, by groups that do not touch each other."""
    cluster: list[Finding] = []
    end = 0
    for finding in found:
        if cluster and finding.start >= end:
            yield cluster
            cluster = []
        cluster.append(finding)
        end = max(end, finding.end)
    if cluster:
        yield cluster


def _beside(finding: Finding, kept: Iterable[Finding]) -> list[Finding]:
    """Return what is left of a finding beside those that are kept."""
    pieces = [finding]
    for other in kept:
        if other.start < finding.end and finding.start < other.end:
            pieces = [
                replace(piece, start=start, end=end)
                for piece in pieces
                for start, end in (
                    (piece.start, min(piece.end, other.start)),
                    (max(piece.start, other.end), piece.end),
                )
                if start < end
            ]
    return pieces


def _trimmed(text: str, finding: Finding) -> Finding | None:
    """Return a finding without what surrounds it, or None where nothing else is in it."""
    if finding.entity == UNREADABLE:
        return finding
    part = text[finding.start : finding.end]
    if finding.entity in _PROSE:
        inner = part.lstrip(_AROUND)
        start = finding.end - len(inner)
        inner = _without_tail(inner)
    else:
        inner = part.lstrip()
        start = finding.end - len(inner)
        inner = inner.rstrip()
    if not inner:
        return None
    if len(inner) == len(part):
        return finding
    return replace(finding, start=start, end=start + len(inner))


def _without_tail(part: str) -> str:
    """Strip punctuation and a possessive from the end, but leave `Jr.` and `(Ohio)` whole."""
    while part:
        shorter = part.rstrip() if part[-1:].isspace() else part
        if shorter.endswith(".") and _ABBREVIATED.search(shorter):
            return shorter
        if shorter.endswith(")") and "(" in shorter:
            return shorter
        shorter = _POSSESSIVE.sub("", shorter)
        if shorter and shorter[-1] in _AROUND:
            shorter = shorter[:-1]
        if shorter == part:
            return part
        part = shorter
    return part


def _says_something(text: str, finding: Finding) -> bool:
    """Return whether a remainder holds a letter or digit."""
    return any(map(str.isalnum, text[finding.start : finding.end]))
