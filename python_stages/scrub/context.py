"""Which words stand before a match and make it surer, as Presidio's LemmaContextAwareEnhancer says.

The same rules to the letter, for one match at a time: Presidio copies all findings and all words of
a text first, and looks each word up twice.
"""

from bisect import bisect_right
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from python_stages.scrub.settle import Finding

if TYPE_CHECKING:
    from spacy.tokens import Doc

SURE: Final = 1.0
"""The score that no context can raise."""

_CONTEXT_WORDS: Final = 5
_CONTEXT_FACTOR: Final = 0.35
_LEAST_SCORE_IN_CONTEXT: Final = 0.4


class Words:
    """The words of a text, and which of them stand before a place.

    Of the word at the place and those before it, the last six that
    are no stop words and no punctuation; a word with a colon inside is none, but its parts make
    words like them count.
    """

    def __init__(self, doc: "Doc") -> None:
        self._tokens: Final = list(doc)
        self._ends: Final = [token.idx + len(token) for token in self._tokens]
        self._parts: Final = {
            part
            for token in self._tokens
            if ":" in (lower := token.lower_) and not (token.is_stop or token.is_punct)
            for part in lower.split(":")
        }

    def before(self, start: int) -> set[str]:
        """Return the context words of a match, in lower case, by its first character."""
        words: set[str] = set()
        n_words = 0
        at = bisect_right(self._ends, start)
        if at == len(self._ends):
            raise ValueError("a match begins after the last word")  # as Presidio does
        while at >= 0 and n_words <= _CONTEXT_WORDS:
            word = self._tokens[at].lower_
            if self._counts(word, at):
                words.add(word)
                n_words += 1
            at -= 1
        return words

    def _counts(self, word: str, at: int) -> bool:
        if ":" in word:
            return False
        token = self._tokens[at]
        return word in self._parts or not (token.is_stop or token.is_punct or word == "be")


def raised(finding: Finding) -> Finding:
    """Return a finding beside a word that says what it is."""
    score = max(finding.score + _CONTEXT_FACTOR, _LEAST_SCORE_IN_CONTEXT)
    return replace(finding, score=min(score, SURE))
