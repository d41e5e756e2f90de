"""Cities, regions and countries."""

from random import Random
from typing import Final

from python_stages.scrub.ner.generate import lists
from python_stages.scrub.ner.generate.choice import choose, listed
from python_stages.scrub.ner.generate.names import Names

SUFFIXES: Final = (
    "ville", "ton", "burg", "bury", "ford", "field", "wood", "port", "mouth", "haven", "berg",
    "dorf", "heim", "stadt", "stad", "by", "sund", "vik", "grad", "ovo", "owice", "abad", "pur",
    "nagar", "polis", " Falls", " Springs", " City", " Beach", " Heights", " Park", " Junction",
)  # fmt: skip
PREFIXES: Final = (
    "New ", "Port ", "Lake ", "Fort ", "Mount ", "St. ", "Saint ", "San ", "Santa ", "El ", "Los ",
    "Las ", "La ", "Le ", "North ", "South ", "East ", "West ", "Upper ", "Bad ", "Saint-", "Al ",
)  # fmt: skip
LANDMARKS: Final = (
    "Mount {}", "Lake {}", "{} Lake", "{} River", "{} Valley", "{} Bay", "{} Island", "Cape {}",
    "{} County", "{} Park", "{} Airport", "{} Station", "{} Bridge", "{} Square", "{} Beach",
    "the {} Mountains", "{} Hills", "Gulf of {}", "Isle of {}", "Province of {}", "{} Province",
    "{} Oblast", "{} Prefecture", "{} District", "{} Desert", "{} Stadium", "{} Forest",
)  # fmt: skip


class Places:
    """Makes names of places."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def _of_locale(self, random: Random) -> str:
        while not (cities := self._names.pool(random).cities):
            pass
        return random.choice(cities)

    def _of_other_script(self, random: Random) -> str:
        while not (cities := self._names.other_pool(random).cities):
            pass
        return random.choice(cities)

    def city(self, random: Random) -> str:
        """Return a city: of the world, of Faker's locales, or made up."""
        invented = self._names.invented
        return choose(
            random,
            (40, listed(lists.values("cities"))),
            (10, listed(lists.world_cities())),
            (27, self._of_locale),
            (1, self._of_other_script),
            (9, lambda random: invented(random) + random.choice(SUFFIXES)),
            (6, lambda random: random.choice(PREFIXES) + invented(random)),
            (7, invented),
        )

    def country(self, random: Random) -> str:
        """Return a country, in English for the most part, with an article where speech has one."""
        return choose(
            random, (25, listed(lists.values("countries"))), (75, listed(lists.countries()))
        )

    def region(self, random: Random) -> str:
        """Return a state, a province, a continent, a mountain range, …."""
        return choose(
            random,
            (80, listed(lists.values("regions"))),
            (10, lambda random: random.choice(LANDMARKS).format(self._names.invented(random))),
            (10, lambda random: random.choice(LANDMARKS).format(self._names.last(random))),
        )
