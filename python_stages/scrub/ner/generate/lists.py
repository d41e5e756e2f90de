"""Lists of values: our own (lists/*.txt), babel's territories and Faker's cities of the world."""

from functools import cache
from importlib import resources


@cache
def values(name: str) -> tuple[str, ...]:
    """Return the values of a list: separated by commas or line ends, each once, in their order."""
    path = resources.files(__package__) / "lists" / f"{name}.txt"
    text = path.read_text(encoding="utf-8").replace("\n", ",")
    return tuple(dict.fromkeys(value.strip() for value in text.split(",") if value.strip()))


@cache
def countries() -> tuple[str, ...]:
    """Return the English names of the world's countries."""
    from babel import Locale  # noqa: PLC0415  # only a training run needs it

    names = Locale("en").territories
    return tuple(
        str(name).replace(" & ", " and ")
        for code, name in sorted(names.items())
        if len(code) == 2 and code.isalpha() and code not in {"EU", "EZ", "UN", "XA", "XB", "ZZ"}  # noqa: PLR2004  # ISO 3166
    )


@cache
def world_cities() -> tuple[str, ...]:
    """Return cities of all continents: the well-known ones of our list, and Faker's."""
    from faker.providers.geo import Provider  # noqa: PLC0415  # only a training run needs it

    of_faker = (place[2] for place in Provider.land_coords)
    return tuple(dict.fromkeys((*values("cities"), *of_faker)))
