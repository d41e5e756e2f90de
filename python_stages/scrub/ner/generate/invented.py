"""Words that nobody has seen, made letter by letter after the manner of given ones."""

from collections import defaultdict
from collections.abc import Iterable
from random import Random
from typing import Final

ORDER: Final = 3  # letters that decide the next one: pronounceable, seldom an old word
END: Final = "\n"
LONGEST: Final = 14
SHORTEST: Final = 3


class Inventor:
    """A Markov chain over the letters of some words.

    Args:
        words: the words to learn from.
    """

    def __init__(self, words: Iterable[str]) -> None:
        following: defaultdict[str, list[str]] = defaultdict(list)
        for word in words:
            state = END * ORDER
            for letter in word.lower() + END:
                following[state].append(letter)
                state = state[1:] + letter
        self._following = dict(following)

    def word(self, random: Random) -> str:
        """Return a word in lower case."""
        while True:
            letters: list[str] = []
            state = END * ORDER
            while (letter := random.choice(self._following[state])) != END:
                letters.append(letter)
                state = state[1:] + letter
                if len(letters) > LONGEST:
                    break
            if SHORTEST <= len(letters) <= LONGEST:
                return "".join(letters)
