"""Documents: one template or several in a row, varied, filled and disturbed."""

from collections.abc import Iterator
from functools import cache
from random import Random
from typing import Final

from python_stages.scrub.ner.generate import lists, noise
from python_stages.scrub.ner.generate.choice import chance
from python_stages.scrub.ner.generate.invented import Inventor
from python_stages.scrub.ner.generate.labelled import Document, Piece, document
from python_stages.scrub.ner.generate.slots import Slots
from python_stages.scrub.ner.generate.templates import Template, templates

NEGATIVE: Final = 33  # percent of negatives among the templates of a document
IN_A_ROW: Final = (62, 22, 11, 5)  # weights of one, two, … templates in a document
BETWEEN: Final = (" ", " ", "\n", "\n\n")
VARIED: Final = 60  # percent of slots
STRANGE: Final = 45  # percent of documents in which words are replaced
STRANGE_WORDS: Final = 18  # percent of their words


class Writer:
    """Writes documents. What it writes depends on the random source alone.

    Args:
        is_held_out: write from the held-out templates, which no training sees, as they stand.
        negative: percent of templates without people, places and organisations.
    """

    def __init__(self, *, is_held_out: bool = False, negative: int = NEGATIVE) -> None:
        self._slots = _slots()
        known = templates(self._slots.known)
        chosen = [template for template in known if template.is_held_out == is_held_out]
        self._positives = [template for template in chosen if not template.is_negative]
        self._negatives = [template for template in chosen if template.is_negative]
        self._negative = negative
        self._is_plain = is_held_out
        words = [
            word.lower()
            for template in known
            for part in template.parts
            if not part.is_slot and not template.is_held_out
            for word in noise.WORD.findall(part.text)
        ]
        self._strange = noise.StrangeWords(lists.values("words"), Inventor(words))

    @property
    def known_slots(self) -> frozenset[str]:
        """The slots that a template may have."""
        return self._slots.known

    def _pieces(self, random: Random, template: Template) -> list[Piece]:
        percent = 0 if self._is_plain else VARIED
        return self._slots.fill(random, self._slots.varied(random, template.parts, percent))

    def document(self, random: Random) -> Document:
        """Return a document."""
        n_templates = 1
        if not self._is_plain:
            n_templates += random.choices(range(len(IN_A_ROW)), IN_A_ROW)[0]
        pieces: list[Piece] = []
        between = random.choice(BETWEEN)
        for n in range(n_templates):
            is_negative = chance(random, self._negative)
            template = random.choice(self._negatives if is_negative else self._positives)
            if n:
                pieces.append(Piece(between))
            pieces.extend(self._pieces(random, template))
        if not self._is_plain and chance(random, STRANGE):
            pieces = self._strange.put(random, pieces, STRANGE_WORDS)
        return document(pieces if self._is_plain else noise.disturbed(random, pieces))

    def documents(self, random: Random, count: int) -> Iterator[Document]:
        """Return so many documents."""
        return (self.document(random) for _ in range(count))


@cache
def _slots() -> Slots:
    return Slots()
