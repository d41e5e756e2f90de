"""What spaCy's entity recogniser decides, several times faster.

It goes through a text word by word: a word begins an entity (B), is one (U) or none (O), and inside
of one goes on with it (I) or ends it (L); the best of what is possible is taken. As no decision
outside of an entity depends on those before, all of them are taken at once here, and only the words
of entities are gone through one by one. spaCy's own way calls a library at every word, which costs
more than the network.

What the network makes of a word alone, before it looks at its neighbours, is remembered.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from python_stages.scrub.ner.window import Window

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc, Span

NAME: Final = "sealtune_greedy"

WORDS_KEPT: Final = 20_000
"""Words that are remembered, of which each takes some 500 bytes."""

_REPLACED: Final = "ner"
_AT_A_TIME: Final = 8  # words of an entity

_Floats = NDArray[np.float32]


class Greedy:
    """Part of a pipeline: finds what the entity recogniser that it takes the place of would find.

    Args:
        trained: spaCy's EntityRecognizer, of three features, without a hidden layer of its own, and
            whose words are mixed each alone before their neighbours are looked at.

    Attributes:
        model: of what is replaced.
        labels: the same.
    """

    def __init__(self, trained: Any) -> None:
        self.model: Final = trained.model
        self.labels: Final[tuple[str, ...]] = trained.labels
        tok2vec = self.model.get_ref("tok2vec")
        embedded, _, self._narrowed = tok2vec.layers
        alone, in_context = embedded.layers
        self._in_context: Final = Window(in_context)
        features, _, tables, mixed, _ = alone.layers
        self._columns: Final = features.attrs["columns"]
        self._mixed: Final = (tables.layers[0], mixed.layers[0])
        self._states: Final = self.model.get_ref("lower")
        self._rows: Final[dict[tuple[int, ...], int]] = {}
        self._words = _table(WORDS_KEPT, embedded.get_dim("nO"))
        names = [trained.moves.get_class_name(at) for at in range(self._states.get_dim("nO"))]
        self._out: Final = names.index("O")
        self._starts: Final = {at: name[2:] for at, name in enumerate(names) if name[:2] == "B-"}
        self._alone: Final = {at: name[2:] for at, name in enumerate(names) if name[:2] == "U-"}
        self._inside: Final = {
            label: np.array([names.index(f"I-{label}"), names.index(f"L-{label}")])
            for label in self._starts.values()
        }
        usable = {self._out, *self._starts, *(at for at, label in self._alone.items() if label)}
        self._unusable: Final = sorted(set(range(len(names))) - usable)

    @property
    def n_words(self) -> int:
        """Return how many words are remembered."""
        return len(self._rows)

    def __call__(self, doc: "Doc") -> "Doc":
        """Name the entities of a document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable["Doc"], *, batch_size: int = 64) -> Iterator["Doc"]:
        """Name the entities of documents, some at a time."""
        rest = iter(stream)
        while docs := list(islice(rest, batch_size)):
            for doc, entities in zip(docs, self._read(docs), strict=True):
                doc.set_ents(entities)
                yield doc

    def _read(self, docs: Sequence["Doc"]) -> list[list["Span"]]:
        """Return the entities of documents."""
        from spacy.attrs import IS_SPACE  # noqa: PLC0415  # it is loaded by now
        from spacy.tokens import Span  # noqa: PLC0415  # the same

        found: list[list[Span]] = [[] for _ in docs]
        attributes: list[NDArray[np.uint64]] = [
            np.asarray(doc.to_array([*self._columns, IS_SPACE]), dtype=np.uint64)
            for doc in docs
            if len(doc)
        ]
        if not attributes:
            return found
        is_space = np.concatenate([each[:, -1] for each in attributes]).astype(bool)
        scores = self._scores([each[:, :-1] for each in attributes])
        ends = list(accumulate(map(len, attributes)))
        starts = [0, *ends[:-1]]
        at = 0
        docs_read = [at for at, doc in enumerate(docs) if len(doc)]
        for start, end, label in self._entities(scores, is_space, ends):
            while start >= ends[at]:
                at += 1
            doc = docs[docs_read[at]]
            found[docs_read[at]].append(
                Span(doc, start - starts[at], end - starts[at], label=label)
            )
        return found

    def _scores(self, attributes: list[NDArray[np.uint64]]) -> _Floats:
        """Return what each word adds to the score of each move, (n + 1, 3, n_moves, n_pieces).

        As the word itself, as the first of its entity, and as the one before; the first row stands
        for no word.
        """
        rows = self._rows_of(attributes)
        in_context = self._in_context.read(self._words, rows, len(self._words) - 1)
        tokens = self._narrowed.predict(in_context)
        scores: _Floats = self._states.predict(tokens)
        return scores

    def _rows_of(self, attributes: list[NDArray[np.uint64]]) -> list[list[int]]:
        """Return the rows of words in the table of those that are remembered."""
        keys = [list(map(tuple, each.tolist())) for each in attributes]
        new = {key for some in keys for key in some if key not in self._rows}
        if new:
            if len(self._rows) + len(new) >= len(self._words):
                new = {key for some in keys for key in some}
                self._rows.clear()
                self._words = _table(max(WORDS_KEPT, len(new)), self._words.shape[1])
            vectors = np.array(list(new), dtype=np.uint64)
            for layer in self._mixed:
                vectors = layer.predict(vectors)
            first = len(self._rows)
            self._words[first : first + len(new)] = vectors
            self._rows.update((key, at) for at, key in enumerate(new, first))
        return [[self._rows[key] for key in some] for some in keys]

    def _entities(
        self, scores: _Floats, is_space: NDArray[np.bool_], ends: Sequence[int]
    ) -> Iterator[tuple[int, int, str]]:
        """Yield first word, end and label of each entity, counting the words of all documents."""
        bias = self._states.get_param("b")
        nobody = scores[0]
        outside = (scores[1:, 0] + nobody[1] + nobody[2] + bias).max(axis=2)
        outside[:, self._unusable] = -np.inf
        last = np.array(ends) - 1
        outside[last[:, None], np.array(list(self._starts))] = -np.inf
        moves = outside.argmax(axis=1)
        moves[is_space] = self._out
        free = 0
        for at in np.flatnonzero(moves != self._out).tolist():
            if at < free:
                continue
            move = int(moves[at])
            if move in self._alone:
                free = at + 1
                yield at, free, self._alone[move]
            else:
                label = self._starts[move]
                stop = int(last[np.searchsorted(last, at)])
                free = self._last(scores, bias, at, stop, self._inside[label]) + 1
                yield at, free, label

    def _last(
        self, scores: _Floats, bias: _Floats, first: int, stop: int, moves: NDArray[np.intp]
    ) -> int:
        """Return the last word of an entity.

        Args:
            scores: of all words.
            bias: added to them.
            first: the word with which the entity begins.
            stop: the last of its document.
            moves: the numbers of "goes on" and "ends", for its label.
        """
        from_first = scores[first + 1, 1, moves]
        for at in range(first + 1, stop, _AT_A_TIME):
            end = min(at + _AT_A_TIME, stop)
            words = scores[at + 1 : end + 1, 0][:, moves]
            before = scores[at:end, 2][:, moves]
            inside = (words + from_first + before + bias[moves]).max(axis=2)
            is_last = inside[:, 1] > inside[:, 0]
            if is_last.any():
                return at + int(is_last.argmax())
        return stop


def _table(n_words: int, width: int) -> _Floats:
    """Return a table for some words, with a row of zeros behind them."""
    table = np.empty((n_words + 1, width), dtype=np.float32)
    table[-1] = 0
    return table


def put_into(nlp: "Language") -> "Language":
    """Replace the entity recogniser of a pipeline; return it."""
    from spacy.language import Language  # noqa: PLC0415  # takes seconds

    if not Language.has_factory(NAME):
        Language.factory(NAME, func=_in_place)
    nlp.add_pipe(NAME, after=_REPLACED)
    nlp.remove_pipe(_REPLACED)
    nlp.rename_pipe(NAME, _REPLACED)
    return nlp


def _in_place(nlp: "Language", name: str) -> Greedy:  # noqa: ARG001  # spaCy's contract
    return Greedy(nlp.get_pipe(_REPLACED))
