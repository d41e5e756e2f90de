"""Names to choose surrogates from: the lists of Faker, by locale, gender and initial."""

import importlib
import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, Final

_SMALLEST_POOL: Final = 20
_NAMES_PER_INITIAL: Final = 7
_FEWEST_INITIALS: Final = 4
_MOST_DRAWS: Final = 50
_ACCENT: Final = re.compile("[\u0300-\u036f]")


class Pool:
    """Names to choose from, by their initials too."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names: Final = tuple(names)
        self._folded: Final = [(fold(name), name) for name in names]
        self.known: Final = frozenset(folded for folded, _ in self._folded)
        self._by_initial: Final[dict[str, list[tuple[str, str]]]] = {}
        for folded, name in self._folded:
            self._by_initial.setdefault(folded[:1], []).append((folded, name))

    def initials(self) -> set[str]:
        """Return the initials that enough names have."""
        return {
            initial
            for initial, names in self._by_initial.items()
            if len(names) >= _NAMES_PER_INITIAL and initial.isascii()
        }

    def choose(
        self,
        initial: str,
        other_than: str,
        choice: random.Random,
        is_taken: Callable[[str], bool],
    ) -> str:
        """Return a name, with that initial if one has it, that does not fold to `other_than`.

        A name that is taken is drawn again, so that the others stay what they were, whatever is
        taken. Where no draw is free, not even with another initial, the first of them counts.
        """
        names = self._by_initial.get(initial, self._folded)
        first = _other(names, other_than, choice)
        more = (
            _other(pool, other_than, choice)
            for pool in (names, self._folded)
            for _ in range(_MOST_DRAWS)
        )
        return next(
            (name for folded, name in chain([first], more) if not is_taken(folded)), first[1]
        )


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one locale.

    Attributes:
        male: given names of men.
        female: given names of women.
        surnames: surnames of men, and of women where they are the same.
        female_surnames: surnames of women.
        initials: those that enough names have; empty in scripts that are not Latin.
    """

    male: Pool
    female: Pool
    surnames: Pool
    female_surnames: Pool
    initials: tuple[str, ...]

    def is_given(self, part: str) -> bool:
        """Return whether a folded part of a name is a given name."""
        return part in self.male.known or part in self.female.known

    def is_surname(self, part: str) -> bool:
        """Return whether a folded part of a name is a surname."""
        return part in self.surnames.known or part in self.female_surnames.known


def fold(text: str) -> str:
    """Return the letters of a text in lower case and without their marks: `É` is `e`."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(one for one in decomposed if _is_letter(one) and not _ACCENT.match(one))


def _other(names: Sequence[tuple[str, str]], than: str, choice: random.Random) -> tuple[str, str]:
    """Return a name, folded and as it is, that does not fold to `than`."""
    return choice.choice([one for one in names if one[0] != than])


@lru_cache(64)
def names_of(locale: str) -> Names:
    """Return the names that Faker has for a locale, in a fixed order."""
    male, female = _listed(locale, "first_names_male"), _listed(locale, "first_names_female")
    either = _listed(locale, "first_names")
    surnames = _listed(locale, "last_names_male", "last_names_unisex", "last_names")
    female_surnames = _listed(locale, "last_names_female") or surnames
    if locale != "en_US":  # which has them all, and lends them
        american = names_of("en_US")
        male = _enough(male, either, american.male.names)
        female = _enough(female, either, american.female.names)
        surnames = _enough(surnames, _drawn(locale), american.surnames.names)
        female_surnames = _enough(female_surnames, surnames)
    pools = (Pool(male), Pool(female), Pool(surnames), Pool(female_surnames))
    initials = sorted(set[str].intersection(*(pool.initials() for pool in pools)))
    return Names(*pools, initials=tuple(initials) if len(initials) >= _FEWEST_INITIALS else ())


def _listed(locale: str, *attributes: str) -> tuple[str, ...]:
    """Return the one-word names of the first attribute that has some."""
    try:
        provider: Any = importlib.import_module(f"faker.providers.person.{locale}").Provider
    except ImportError:
        return ()
    for attribute in attributes:
        names = {name for name in getattr(provider, attribute, None) or () if _is_one_word(name)}
        if len(names) >= _SMALLEST_POOL:
            return tuple(sorted(names))
    return ()


def _drawn(locale: str) -> tuple[str, ...]:
    """Return surnames that Faker composes, where it has no list of them."""
    from faker import Faker  # noqa: PLC0415  # takes half a second

    faker = Faker(locale)
    faker.seed_instance(0)
    names = {faker.last_name() for _ in range(500)}
    return tuple(sorted(filter(_is_one_word, names)))


def _enough(*pools: tuple[str, ...]) -> tuple[str, ...]:
    return next((pool for pool in pools if len(pool) >= _SMALLEST_POOL), pools[-1])


def _is_one_word(name: str) -> bool:
    return all(_is_letter(one) and not one.isdecimal() for one in name)


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LMN"
