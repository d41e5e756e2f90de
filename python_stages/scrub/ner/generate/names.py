"""Names of people, in the ways in which people write them."""

from random import Random
from typing import Final

from python_stages.scrub.ner.generate import lists
from python_stages.scrub.ner.generate.choice import chance, choose, listed
from python_stages.scrub.ner.generate.invented import Inventor
from python_stages.scrub.ner.generate.locales import LATIN, OTHER_SCRIPTS, Pool, pool

INVENTED: Final = 25  # percent of first and of last names that are words nobody has seen
COMMON: Final = 22  # percent that are among the world's most frequent names
ROMANISED: Final = 14  # percent from languages of other scripts, in Latin letters
OTHER_SCRIPT: Final = 1
LONGEST_LIST: Final = 600  # names that a locale gives to the words from which names are invented

INITIALS: Final = "ABCDEFGHJKLMNPRSTW"
PARTICLES: Final = (
    "de ", "de la ", "del ", "della ", "di ", "da ", "dos ", "van ", "van der ", "van den ",
    "van de ", "von ", "von der ", "zu ", "le ", "la ", "du ", "des ", "ter ", "ten ", "af ",
    "St. ", "al-", "Al ", "bin ", "ben ", "O'", "Mc", "Mac", "D'", "Fitz",
)  # fmt: skip
GENERATIONS: Final = ("Jr.", "Jr", "Sr.", "II", "III", "IV")


class Names:
    """Makes names; the first and the last name of a person are of one locale."""

    def __init__(self) -> None:
        self._latin = [pool(locale) for locale in LATIN]
        self._other = [pool(locale) for locale in OTHER_SCRIPTS]
        self._romanised = (
            lists.values("romanised_first_names"),
            lists.values("romanised_last_names"),
        )
        self._common = (lists.values("common_first_names"), lists.values("common_last_names"))
        first = [name for each in self._latin for name in each.first_names[:LONGEST_LIST]]
        last = [name for each in self._latin for name in each.last_names[:LONGEST_LIST]]
        self._first_inventor = Inventor((*first, *self._romanised[0]))
        self._last_inventor = Inventor((*last, *self._romanised[1]))

    def pool(self, random: Random) -> Pool:
        """Return a locale whose language is written in Latin letters."""
        return random.choices(self._latin, list(LATIN.values()))[0]

    def other_pool(self, random: Random) -> Pool:
        """Return a locale of another script."""
        return random.choices(self._other, list(OTHER_SCRIPTS.values()))[0]

    def invented(self, random: Random) -> str:
        """Return a name-like word that nobody has seen."""
        return self._last_inventor.word(random).capitalize()

    def pair(self, random: Random) -> tuple[str, str]:
        """Return a first and a last name that can go together."""
        if chance(random, OTHER_SCRIPT):
            other = self.other_pool(random)
            return random.choice(other.first_names), random.choice(other.last_names)
        if chance(random, COMMON):
            first, last = map(random.choice, self._common)
        elif chance(random, ROMANISED):
            first, last = map(random.choice, self._romanised)
        else:
            latin = self.pool(random)
            first, last = random.choice(latin.first_names), random.choice(latin.last_names)
        if chance(random, INVENTED):
            first = self._first_inventor.word(random).capitalize()
        if chance(random, INVENTED):
            last = self.invented(random)
        return first, last

    def _given(self, random: Random) -> str:
        return self.pair(random)[0]

    def _family(self, random: Random) -> str:
        return self.pair(random)[1]

    def first(self, random: Random) -> str:
        """Return what a person is called by: a first name, a nickname, seldom two names."""
        return choose(
            random,
            (85, self._given),
            (12, listed(lists.values("nicknames"))),
            (3, lambda random: f"{self._given(random)}{random.choice('- ')}{self._given(random)}"),
        )

    def last(self, random: Random) -> str:
        """Return a last name: plain, hyphenated, double, or with a particle."""
        return choose(
            random,
            (88, self._family),
            (4, lambda random: f"{self._family(random)}-{self._family(random)}"),
            (3, lambda random: f"{self._family(random)} {self._family(random)}"),
            (5, lambda random: random.choice(PARTICLES) + self._family(random)),
        )

    def full(self, random: Random) -> str:
        """Return a full name."""
        first, last = self.pair(random)
        nicknames = lists.values("nicknames")
        return choose(
            random,
            (62, lambda _: f"{first} {last}"),
            (8, lambda random: f"{first} {random.choice(INITIALS)}. {last}"),
            (3, lambda random: f"{first} {random.choice(INITIALS)} {last}"),
            (10, lambda random: f"{first} {self.last(random)}"),
            (7, lambda random: f"{first} {self._given(random)} {last}"),
            (3, lambda random: f"{first} {last} {self.last(random)}"),
            (2, lambda random: f"{first}-{self._given(random)} {last}"),
            (1, lambda random: f'{first} "{random.choice(nicknames)}" {last}'),
            (1, lambda random: f"{first} {last}, {random.choice(GENERATIONS)}"),
            (1, lambda random: f"{first} {last} {random.choice(GENERATIONS)}"),
            (2, self.initials),
        )

    def last_first(self, random: Random) -> str:
        """Return a name as registers have it: last name, comma, the rest."""
        first, last = self.pair(random)
        last = last.upper() if chance(random, 15) else last
        initial = random.choice((" A.", " J.", " M", " L.")) if chance(random, 40) else ""
        return f"{last}, {first}{initial}"

    def initials(self, random: Random) -> str:
        """Return a name of which one part is written out."""
        first, last = self.pair(random)
        second = random.choice(INITIALS)
        return random.choice(
            (
                f"{first[0]}. {last}",
                f"{first[0]}. {last}",
                f"{first[0]}.{second}. {last}",
                f"{first[0]}. {second}. {last}",
                f"{first[0]} {last}",
                f"{first} {last[0]}.",
                f"{last} {first[0]}.",
            )
        )
