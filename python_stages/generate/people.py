"""People who do not exist, and what can be told of them without meeting anybody.

Surnames are made up of syllables, mail goes to domains that RFC 2606 reserves, telephone numbers
are of ranges kept for fiction (NANPA 555-01xx, Ofcom 020 7946 0xxx), cards are the numbers that
processors publish for tests, social security numbers of the block kept for advertising, addresses
of machines of the networks that RFC 5737 keeps for documents. Two circles of people have no surname
in common, so that those of a synthetic dataset are not those of a source.
"""

from dataclasses import dataclass
from random import Random
from typing import Final

_FIRST: Final = (
    *("Ada", "Bela", "Carla", "Dario", "Edda", "Falk", "Greta", "Hugo", "Ines", "Jonas"),
    *("Kira", "Leon", "Mira", "Nils", "Olga", "Pavel", "Runa", "Silas", "Tilda", "Ugo"),
    *("Vera", "Willem", "Xenia", "Yara", "Zeno", "Anouk", "Bruno", "Celia", "Dorian", "Elin"),
)
_MIDDLE: Final = ("a", "e", "i", "o", "u", "ar", "el", "in", "or", "un")
# the beginning tells the circle
_BEGINNINGS: Final = (
    ("Bral", "Dren", "Fosk", "Gwen", "Hald", "Jorv", "Kest", "Lund", "Morv", "Pell"),
    ("Quor", "Rusk", "Sarv", "Thal", "Ulv", "Vorn", "Wesk", "Yald", "Zorb", "Osk"),
)
_ENDINGS: Final = ("ström", "wick", "mann", "ova", "dale", "etti", "sen", "ridge", "ault", "by")
_DOMAINS: Final = ("example.com", "example.org", "example.net")
TEST_CARDS: Final = (
    "4111 1111 1111 1111",
    "4242 4242 4242 4242",
    "5555 5555 5555 4444",
    "3782 822463 10005",
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who does not exist."""

    first: str
    last: str
    email: str
    phone: str

    @property
    def name(self) -> str:
        """First name and surname."""
        return f"{self.first} {self.last}"


def person(draw: Random, circle: int = 0) -> Person:
    """Make somebody up.

    Args:
        draw: where chance comes from.
        circle: 0 or 1; no surname is in both.
    """
    first = draw.choice(_FIRST)
    last = draw.choice(_BEGINNINGS[circle]) + draw.choice(_MIDDLE) + draw.choice(_ENDINGS)
    local = f"{first}.{last}".lower().replace("ö", "oe")
    email = f"{local}{draw.randrange(1, 100)}@{draw.choice(_DOMAINS)}"
    return Person(first, last, email, phone(draw))


def phone(draw: Random) -> str:
    """Return a telephone number of a range kept for fiction."""
    if draw.random() < 0.3:  # noqa: PLR2004 - a share
        return f"020 7946 0{draw.randrange(1000):03}"
    area = draw.choice((202, 303, 404, 512, 617, 702, 808, 916))
    form = draw.choice(("({}) 555-01{:02}", "+1 {} 555 01{:02}", "{}-555-01{:02}"))
    return form.format(area, draw.randrange(100))


def social_security_number(draw: Random) -> str:
    """Return one of the ten numbers that were set aside for advertising."""
    return f"987-65-432{draw.randrange(10)}"


def ip_address(draw: Random) -> str:
    """Return an address of a network kept for documents (RFC 5737)."""
    network = draw.choice(("192.0.2", "198.51.100", "203.0.113"))
    return f"{network}.{draw.randrange(1, 255)}"
