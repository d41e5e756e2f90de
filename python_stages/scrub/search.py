"""What stock Presidio finds, several times faster.

AnalyzerEngine runs every recogniser on every text, splits each text into words, and copies all it
found before it looks for context words. Most texts hold nothing that resembles an identifier, so
here

* an expression is tried only where the text contains what every match of it needs (needs.py), and
  another recogniser only where its gate is open: a cheap expression that every match contains;
* the model reads many texts at a time, which changes nothing in what it finds in each;
* words are split, and context looked for, only where a match is not sure and its recogniser has
  context words.

A test compares the findings with AnalyzerEngine's over thousands of texts.
"""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache, partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from python_stages.errors import StageError
from python_stages.scrub import presidio, recognizers
from python_stages.scrub.contents import SHORT, Contents
from python_stages.scrub.context import SURE, Words, raised
from python_stages.scrub.index import Index, Places
from python_stages.scrub.needs import Needs, needs
from python_stages.scrub.settle import Finding

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

Found = tuple[Finding, ...]

WORDS_KEPT: Final = 30_000
"""Words that spaCy splits once and for all, the first that it sees: some ten megabytes."""

_ZONE_CHARACTERS: Final = 60_000  # after which spaCy forgets any other word it has seen
_ZONE_TEXTS: Final = 1_000
_MODEL_CHARACTERS: Final = 6_000  # what the model reads at a time; more is slower, not faster
_MODEL_TEXTS: Final = 32
_LONG_WORD: Final = re.compile(r"[^\w\s]{100}|\S{300}")


@dataclass(frozen=True, slots=True)
class _Recognizer:
    """One of Presidio's recognisers: its entity, and the words in lower case that make it surer."""

    recognizer: Any
    entity: str
    context: frozenset[str]

    def find(self, text: str) -> list[Finding]:
        """Return what a recogniser that is no PatternRecognizer finds, context aside."""
        return [
            Finding(result.entity_type, result.start, result.end, result.score)
            for result in self.recognizer.analyze(text, [self.entity], None)
        ]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """One expression of a recogniser, which is nothing but its expressions."""

    of: _Recognizer
    expression: str
    flags: int
    score: float
    needs: Needs

    def find(self, text: str, contents: Contents, places: Places) -> Iterator[Finding]:
        """Yield what PatternRecognizer finds by this expression, context aside.

        Args:
            text: is searched.
            contents: of it.
            places: where alone a match can begin, in order; None where it can anywhere.
        """
        recognizer = self.of.recognizer
        for match in self._anywhere(text, contents) if places is None else self._at(text, places):
            start, end = match.span()
            if start == end:
                continue
            is_valid = recognizer.validate_result(match.group())
            score = self.score if is_valid is None else float(is_valid)
            if score > 0 and not recognizer.invalidate_result(match.group()):
                yield Finding(self.of.entity, start, end, score)

    def _anywhere(self, text: str, contents: Contents) -> Iterator[Any]:
        """Yield the matches in a text."""
        # to watch the clock takes a tenth of the time of a short text, on which no expression takes
        # long: the tests have some that are made for that, and five times as long
        timeout = presidio.SECONDS_PER_PATTERN if len(text) > SHORT else None
        search = _compiled(self.expression, self.flags).finditer
        for region_start, region_end in contents.regions(self.needs):
            for match in search(text, region_start, region_end + self.needs.reach, timeout=timeout):
                if match.start() >= region_end:
                    break
                yield match

    def _at(self, text: str, places: Iterable[int]) -> Iterator[Any]:
        """Yield the matches in a text that begin at one of some places."""
        begin = _compiled(self.expression, self.flags).match
        deadline = time.monotonic() + presidio.SECONDS_PER_PATTERN if len(text) > SHORT else None
        end = 0
        for place in places:
            if place < end:
                continue
            match = begin(text, place, timeout=_left(deadline))
            if match is not None:
                end = match.end()
                yield match


class Search:
    """Finds what AnalyzerEngine finds with the same recognisers and pipeline.

    Args:
        entities: members of `recognizers.ENTITIES`.
        language: what splits words, and names people and places if it has a model.
        words_kept: how many words spaCy may keep; it keeps all of a batch that begins below that.
    """

    def __init__(
        self, entities: Sequence[str], language: "Language", words_kept: int = WORDS_KEPT
    ) -> None:
        self._language: Final = language
        self._words_kept: Final = words_kept
        # of no entity, Presidio would take its own choice
        analyzer = presidio.analyzer(entities, language) if entities else None
        recognizers = analyzer.registry.recognizers if analyzer else []
        self._named: Final = _named_entities(recognizers)
        self._patterns: Final[list[_Pattern]] = []
        self._others: Final[list[_Recognizer]] = []
        for recognizer in recognizers:
            for entity in recognizer.supported_entities:
                context = frozenset(word.lower() for word in recognizer.context or ())
                known = _Recognizer(recognizer, entity, context)
                if _is_by_pattern(recognizer):
                    self._patterns.extend(_patterns(known))
                elif not _reads_the_model(recognizer):
                    self._others.append(known)
        self._index: Final = Index([pattern.needs for pattern in self._patterns])

    def run(self, texts: Sequence[str], *, is_named: bool = True) -> list[Found | None]:
        """Return what is in each text; None where a recogniser failed or gave up.

        Args:
            texts: each of at most a window.
            is_named: ask the model, too, and not only patterns.
        """
        found: list[Found | None] = []
        for batch in _batches(texts, _ZONE_CHARACTERS, _ZONE_TEXTS):
            with self._zone():
                if is_named and self._named:
                    found.extend(self._read(batch))
                else:
                    found.extend(self._sealed(text, None) for text in batch)
        return found

    def _zone(self) -> AbstractContextManager[Any]:
        """Return a context at whose end spaCy forgets the words it saw in it, once it has enough.

        It keeps every word otherwise, and splits none from memory that is not kept.
        """
        is_full = len(self._language.vocab) >= self._words_kept
        return self._language.memory_zone() if is_full else nullcontext()

    def _read(self, texts: Sequence[str]) -> Iterator[Found | None]:
        """Have the model read some texts, and search each."""
        for some in _batches(texts, _MODEL_CHARACTERS, _MODEL_TEXTS):
            # spaCy gives its model a quarter of a batch at a time
            read = self._language.pipe(map(_splittable, some), batch_size=4 * len(some))
            try:
                docs: list[Doc] = presidio.sealed("model's reading", partial(list, read))
            except StageError:
                if len(some) == 1:
                    yield None
                else:  # one of them is to blame
                    yield from (found for text in some for found in self._read([text]))
                continue
            yield from (self._sealed(text, doc) for text, doc in zip(some, docs, strict=True))

    def _sealed(self, text: str, doc: "Doc | None") -> Found | None:
        try:
            return presidio.sealed("search", lambda: self._search(text, doc))
        except StageError:
            return None

    def _search(self, text: str, doc: "Doc | None") -> Found:
        """Return what is in one text, in order."""
        words: Words | None = None
        found: list[Finding] = []
        for recognizer, some in self._by_recognizer(text):
            for finding in _undoubled(some) if len(some) > 1 else some:
                if not recognizer.context or finding.score >= SURE:
                    found.append(finding)
                    continue
                if words is None:
                    words = Words(
                        self._language.make_doc(_splittable(text)) if doc is None else doc
                    )
                is_meant = not recognizer.context.isdisjoint(words.before(finding.start))
                found.append(raised(finding) if is_meant else finding)
        if doc is not None:
            found.extend(
                Finding(span.label_, span.start_char, span.end_char, presidio.NER_SCORE)
                for span in doc.ents
                if span.label_ in self._named
            )
        return tuple(sorted(_undoubled(found) if len(found) > 1 else found, key=_place))

    def _by_recognizer(self, text: str) -> Iterator[tuple[_Recognizer, list[Finding]]]:
        """Yield what each recogniser finds, if anything, context aside."""
        contents = Contents(text)
        met = ((self._patterns[at], places) for at, places in self._index.met(contents).items())
        for _, patterns in groupby(met, key=lambda each: id(each[0].of)):
            some = list(patterns)
            found = [
                finding
                for pattern, places in some
                for finding in pattern.find(text, contents, places)
            ]
            if found:
                yield some[0][0].of, found
        for recognizer in self._others:
            gate = recognizers.GATES.get(recognizer.entity)
            if gate is None or gate.search(text):
                yield recognizer, recognizer.find(text)


def _left(deadline: float | None) -> float | None:
    """Return how many seconds are left, of as many as there are."""
    if deadline is None:
        return None
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _undoubled(found: Iterable[Finding]) -> list[Finding]:
    """Drop findings inside a surer, or as sure, one of their entity: remove_duplicates' rule."""
    kept: list[Finding] = []
    around: list[Finding] = []
    for finding in sorted(set(found), key=_widest_first):
        around = [
            each for each in around if each.entity == finding.entity and each.end >= finding.start
        ]
        if not any(finding.end <= each.end and finding.score <= each.score for each in around):
            kept.append(finding)
            around.append(finding)
    return kept


def _widest_first(finding: Finding) -> tuple[str, int, int, float]:
    return (finding.entity, finding.start, -finding.end, -finding.score)


def _place(finding: Finding) -> tuple[int, int, str, float]:
    return (finding.start, finding.end, finding.entity, finding.score)


def _batches(texts: Sequence[str], n_characters: int, n_texts: int) -> Iterator[list[str]]:
    """Yield texts in batches of at most so many characters, or one text, and so many texts."""
    batch: list[str] = []
    total = 0
    for text in texts:
        if batch and (total + len(text) > n_characters or len(batch) == n_texts):
            yield batch
            batch = []
            total = 0
        batch.append(text)
        total += len(text)
    if batch:
        yield batch


def _splittable(text: str) -> str:
    """Return a text of the same length whose words a tokenizer can split.

    spaCy's takes quadratic time on a single word: half a minute for ten thousand brackets. What is
    longer than any word is cut by a blank, for the model only.
    """
    if _LONG_WORD.search(text) is None:
        return text
    return _LONG_WORD.sub(lambda match: match.group()[:-1] + " ", text)


def _is_by_pattern(recognizer: Any) -> bool:
    """Return whether a recogniser is nothing but its expressions and what checks their matches.

    Where this project overrides PatternRecognizer.analyze, that is but a gate.
    """
    from presidio_analyzer import PatternRecognizer  # noqa: PLC0415  # takes seconds

    return isinstance(recognizer, PatternRecognizer) and (
        type(recognizer).analyze is PatternRecognizer.analyze
        or type(recognizer).__module__.startswith(recognizers.__name__)
    )


def _patterns(known: _Recognizer) -> Iterator[_Pattern]:
    """Yield the expressions of a recogniser."""
    flags = known.recognizer.global_regex_flags
    is_cased = not flags & re.IGNORECASE  # regex has the same flags
    for pattern in known.recognizer.patterns:
        need = needs(pattern.regex, is_cased=is_cased)
        yield _Pattern(known, pattern.regex, flags, pattern.score, need)


@cache
def _compiled(expression: str, flags: int) -> Any:
    """Return an expression as Presidio compiles it; when it is needed, as that can take long."""
    import regex  # type: ignore[import-untyped]  # noqa: PLC0415  # as Presidio

    return regex.compile(expression, flags=flags)


def _reads_the_model(recognizer: Any) -> bool:
    """Return whether a recogniser reports what the model named."""
    from presidio_analyzer.predefined_recognizers import (  # noqa: PLC0415  # takes seconds
        SpacyRecognizer,
    )

    return isinstance(recognizer, SpacyRecognizer)


def _named_entities(recognizers: Iterable[Any]) -> frozenset[str]:
    """Return the entities that the pipeline's model is asked for."""
    return frozenset(
        entity
        for recognizer in recognizers
        if _reads_the_model(recognizer)
        for entity in recognizer.supported_entities
    )
