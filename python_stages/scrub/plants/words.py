"""Names, places, organisations, streets, dates, ages.

Names, firms and streets are Faker's, in a dozen locales and the one that the policy gives; Faker
invents cities, so places are from a list of real ones, as people mention them.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from random import Random
from typing import TYPE_CHECKING, Final

from python_stages.scrub.plants.forms import ALONE, Kind, fill, numbers, said
from python_stages.scrub.plants.places import firm, street

if TYPE_CHECKING:
    from faker import Faker

_LOCALES: Final = (
    "en_US", "en_US", "en_US", "en_GB", "en_GB", "en_IN", "de_DE", "fr_FR", "es_ES", "es_MX",
    "it_IT", "nl_NL", "pl_PL", "pt_BR", "sv_SE", "tr_TR",
)  # fmt: skip
_PLACES: Final = (
    "Antwerp", "Birmingham", "Boise", "Bologna", "Bremen", "Bordeaux", "Busan", "Calgary",
    "Chattanooga", "Cork", "Coventry", "Dayton", "Des Moines", "El Paso", "Eindhoven", "Freiburg",
    "Galway", "Gdynia", "Ghent", "Graz", "Grenoble", "Guadalajara", "Heidelberg", "Hyderabad",
    "Ipswich", "Izmir", "Kaunas", "Kingston upon Hull", "Kobe", "Las Palmas", "Leicester", "Linz",
    "Lubbock", "Malmö", "Medellín", "Nagpur", "Norwich", "Omaha", "Osaka", "Padua", "Pune",
    "Regensburg", "Rennes", "Saskatoon", "Spokane", "Tampere", "Toledo, Ohio", "Trondheim",
    "Tucson, Arizona", "Uppsala", "Valparaíso", "Wichita, KS", "Bavaria", "Andalusia", "Catalonia",
    "Lower Saxony", "New South Wales", "North Carolina", "Provence", "Yorkshire", "Brazil",
    "Canada", "Denmark", "Ghana", "Japan", "Kenya", "Mexico", "New Zealand", "Poland",
    "Portugal", "Vietnam",
)  # fmt: skip
_GROUPS: Final = (
    "American", "Argentine", "Belgian", "Brazilian", "British", "Canadian", "Chinese", "Danish",
    "Dutch", "Egyptian", "Filipino", "French", "German", "Greek", "Indian", "Iranian", "Irish",
    "Italian", "Kenyan", "Korean", "Mexican", "Nigerian", "Norwegian", "Pakistani", "Polish",
    "Portuguese", "Romanian", "Russian", "Spanish", "Swedish", "Syrian", "Turkish", "Ukrainian",
    "Vietnamese", "Buddhist", "Catholic", "Hindu", "Jewish", "Lutheran", "Methodist", "Muslim",
    "Sikh", "Republican", "Democrat",
)  # fmt: skip
_STREETS: Final = ("en_US", "en_US", "en_US", "en_GB", "de_DE", "fr_FR", "nl_NL", "it_IT", "es_ES")
_FIRMS: Final = ("en_US", "en_US", "en_GB", "de_DE", "fr_FR", "nl_NL", "it_IT")
_NAMED: Final = (
    "I spoke with {}", "{} called about it", "please ask {}", "my name is {}", "signed by {}",
    "{}", "the customer is {}", "on behalf of {}", "{} told me so", "cc {}", "thanks, {}",
)  # fmt: skip


@lru_cache(32)
def _faker(locale: str) -> "Faker":
    from faker import Faker  # noqa: PLC0415  # takes half a second, and numbers need none

    return Faker(locale)


def _seeded(draw: Random, locale: str, locales: tuple[str, ...]) -> "Faker":
    """Return Faker in one of the locales, or in that of the policy, at a place that `draw` says."""
    faker = _faker(locale or draw.choice(locales))
    faker.seed_instance(draw.getrandbits(64))
    return faker


def _person(draw: Random, locale: str) -> str:
    faker = _seeded(draw, locale, _LOCALES)
    first, last = faker.first_name(), faker.last_name()
    return draw.choice((
        f"{first} {last}", f"{first} {last}", f"{first} {last}", f"{first} {last}", first,
        f"{first[0]}. {last}", f"{first} {fill('?', draw)}. {last}", f"{last}, {first}",
        f"{first} {last}-{faker.last_name()}",
    ))  # fmt: skip


def _organisation(draw: Random, locale: str) -> str:
    made = str(_seeded(draw, locale, _FIRMS).company())
    return made if locale else draw.choice((made, firm(draw), firm(draw)))


def _street(draw: Random, locale: str) -> str:
    faker = _seeded(draw, locale, _STREETS)
    written = faker.street_address() if draw.random() < 0.5 else faker.address()  # noqa: PLR2004  # half of each
    made = written.strip().replace("\n", draw.choice((", ", "\n")))
    return made if locale else draw.choice((made, street(draw)))


def _day(draw: Random, first_year: int, n_years: int) -> date:
    return date(first_year, 1, 1) + timedelta(days=draw.randrange(365 * n_years))


def _written(day: date, draw: Random) -> str:
    return draw.choice((
        f"{day:%Y-%m-%d}", f"{day:%d.%m.%Y}", f"{day:%m/%d/%Y}", f"{day:%d/%m/%Y}",
        f"{day:%B} {day.day}, {day.year}", f"{day.day} {day:%B} {day.year}", f"{day:%d-%b-%Y}",
        f"{day:%b} {day.day}, {day.year}", f"{day.month}/{day.day}/{day:%y}",
    ))  # fmt: skip


def _date(draw: Random, _locale: str) -> str:
    return _written(_day(draw, 1990, 40), draw)


def _birthday(draw: Random, _locale: str) -> str:
    return _written(_day(draw, 1930, 75), draw)


KINDS: Final[Mapping[str, Kind]] = {
    "AGE": Kind(
        numbers("[23456789]#"),
        (
            "I am {} years old",
            "a {}-year-old",
            "she is {} years old",
            "age {}",
            "aged {}",
            "age: {}",
        ),
    ),
    "CA_POSTAL_CODE": Kind(
        numbers("[ABCEGHJKLMNPRSTVXY]#[ABCEGHJKLMNPRSTVWXYZ] #[ABCEGHJKLMNPRSTVWXYZ]#"),
        (*ALONE, *said("postal code")),
    ),
    "DATE_OF_BIRTH": Kind(
        _birthday, ("born {}", "born on {}", *said("date of birth", "DOB"), "birthday: {}")
    ),
    "DATE_TIME": Kind(_date, (*ALONE, "on {}", "by {}", "since {}", "dated {}")),
    "LOCATION": Kind(
        lambda draw, _: draw.choice(_PLACES),
        ("I live in {}", "we moved to {}", "he is from {}", "our office in {}", "back in {} soon"),
    ),
    "NRP": Kind(
        lambda draw, _: draw.choice(_GROUPS),
        ("he is {}", "she is a {} citizen", "my {} neighbour", "a {} family", "they are {}"),
    ),
    "ORGANIZATION": Kind(
        _organisation, ("I work at {}", "my employer is {}", "invoice from {}", "{} hired me", "{}")
    ),
    "PERSON": Kind(_person, _NAMED),
    "PO_BOX": Kind(
        numbers("P.O. Box %###", "PO Box %##", "P.O. Box %####", "Postfach %# ## ##"),
        (*ALONE, "send it to {}", "address: {}"),
    ),
    "STREET_ADDRESS": Kind(
        _street,
        ("I live at {}", "my address is {}", "ship to {}", "{}", "address: {}", "we met at {}"),
    ),
    "TITLE": Kind(
        lambda draw, _: draw.choice(
            ("Mr.", "Mrs.", "Ms.", "Dr.", "Prof.", "Mr", "Mrs", "Herr", "Frau")
        ),
        ("{} Miller called", "ask {} Okafor", "dear {} Schmidt", "I saw {} Rossi"),
    ),
    "UK_POSTCODE": Kind(
        numbers(
            "[BELNSW]%# #[ABDEFGHJLN][ABDEFGHJLN]",
            "[ABDEGLM][AEHLNORSTUY]% #[ABDEFGHJLN][ABDEFGHJLN]",
        ),
        (*ALONE, *said("postcode")),
    ),
    "ZIP_CODE": Kind(numbers("#####", "#####-####"), said("zip code", "ZIP", "postal code")),
}
