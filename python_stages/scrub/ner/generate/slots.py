"""What fills a slot, what label it bears, and by what a slot may be replaced."""

from random import Random
from typing import Final, NamedTuple

from python_stages.scrub.ner.generate import lists
from python_stages.scrub.ner.generate.addresses import Addresses
from python_stages.scrub.ner.generate.choice import Maker, chance, choose, listed
from python_stages.scrub.ner.generate.fillers import fillers
from python_stages.scrub.ner.generate.invented import Inventor
from python_stages.scrub.ner.generate.labelled import (
    LOCATION,
    NRP,
    ORGANIZATION,
    PERSON,
    STREET_ADDRESS,
    Piece,
    joined,
)
from python_stages.scrub.ner.generate.names import Names
from python_stages.scrub.ner.generate.organizations import Organizations
from python_stages.scrub.ner.generate.places import Places
from python_stages.scrub.ner.generate.templates import Part, parse

ARTICLE: Final = "the "  # belongs to the sentence, not to the name of the place

# A template is written with one kind of value and is as true with others.
VARIATIONS: Final = {
    "name": (
        (50, "{name}"), (27, "{first_name}"), (4, "{last_name}"), (5, "{title} {last_name}"),
        (4, "{title} {name}"), (5, "{initials_name}"), (3, "{name_last_first}"),
        (2, "{title} {first_name}"),
    ),
    "first_name": ((86, "{first_name}"), (10, "{name}"), (4, "{initials_name}")),
    "city": (
        (70, "{city}"), (7, "{city}, {region}"), (6, "{city}, {country}"), (9, "{country}"),
        (5, "{region}"), (3, "{city}, {state}"),
    ),
    "country": ((86, "{country}"), (7, "{city}"), (4, "{region}"), (3, "{city}, {country}")),
    "region": ((80, "{region}"), (10, "{country}"), (10, "{city}")),
    "full_address": ((74, "{full_address}"), (26, "{street_address}")),
    "street_address": ((76, "{street_address}"), (24, "{full_address}")),
    "company": ((78, "{company}"), (22, "{org}")),
    "org": ((78, "{org}"), (22, "{company}")),
    "nationality": ((100, "{nationality}"),),
}  # fmt: skip
# Whoever stands before a court and is nobody in particular.
OFFICES: Final = (
    "R", "The Queen", "The King", "DPP", "Director of Public Prosecutions", "Attorney-General",
    "United States", "Commonwealth", "The State", "The People", "Secretary of State", "Ors", "Doe",
)  # fmt: skip
OFFICES_OF: Final = (
    "Minister for {}", "Commissioner of {}", "Secretary of State for {}", "Registrar of {}",
    "Director of {}", "Collector of {}", "Comptroller of {}", "Inspector of {}",
)  # fmt: skip
# `{street_address}, {city}` and the like are one address, written out: nothing is varied in them
ADDRESS: Final = "street_address"


class Slot(NamedTuple):
    """The maker of a slot's values, and their label."""

    make: Maker
    label: str | None = None


class Slots:
    """Fills slots."""

    def __init__(self) -> None:
        names = Names()
        places = Places(names)
        addresses = Addresses(names, places)
        organizations = Organizations(names, places)
        words = Inventor(
            word for name in ("products", "street_words") for word in lists.values(name)
        )

        def nationality(random: Random) -> str:
            people = listed(lists.values("nationality_nouns"))
            return choose(random, (88, listed(lists.values("nationalities"))), (12, people))

        def party(random: Random) -> str:
            subject = " ".join(
                random.choice(lists.values("words")).capitalize()
                for _ in range(random.randint(1, 2))
            )
            return choose(
                random,
                (58, names.last),
                (10, names.full),
                (12, listed(OFFICES)),
                (20, lambda random: random.choice(OFFICES_OF).format(subject)),
            )

        self._slots: dict[str, Slot] = {
            "name": Slot(names.full, PERSON),
            "first_name": Slot(names.first, PERSON),
            "last_name": Slot(names.last, PERSON),
            "name_last_first": Slot(names.last_first, PERSON),
            "initials_name": Slot(names.initials, PERSON),
            "city": Slot(places.city, LOCATION),
            "country": Slot(places.country, LOCATION),
            "region": Slot(places.region, LOCATION),
            "state": Slot(listed(lists.values("states")), LOCATION),
            "street_address": Slot(addresses.street, STREET_ADDRESS),
            "full_address": Slot(addresses.full, STREET_ADDRESS),
            "company": Slot(organizations.company, ORGANIZATION),
            "org": Slot(organizations.organization, ORGANIZATION),
            "merchant": Slot(organizations.merchant, ORGANIZATION),
            "nationality": Slot(nationality, NRP),
            "religion": Slot(listed(lists.values("religions")), NRP),
            "political_group": Slot(listed(lists.values("political_groups")), NRP),
            # names, but nobody's: of doctrines, and in the titles of decided cases
            "eponym": Slot(names.last),
            "party": Slot(party),
            **{slot: Slot(make) for slot, make in fillers(words).items()},
        }

    @property
    def known(self) -> frozenset[str]:
        """The slots that templates may have."""
        return frozenset(self._slots)

    def varied(self, random: Random, parts: tuple[Part, ...], percent: int) -> list[Part]:
        """Replace some slots by others that may stand in their place."""
        varied: list[Part] = []
        is_address = any(part == Part(ADDRESS, is_slot=True) for part in parts)
        for part in parts:
            variations = VARIATIONS.get(part.text) if part.is_slot else None
            is_place = part.text in {"city", "country", "region", ADDRESS}
            if variations is None or (is_address and is_place) or not chance(random, percent):
                varied.append(part)
            else:
                weights, lines = zip(*variations, strict=True)
                varied.extend(parse(random.choices(lines, weights)[0]).parts)
        return varied

    def fill(self, random: Random, parts: list[Part]) -> list[Piece]:
        """Fill the slots."""
        pieces: list[Piece] = []
        for text, is_slot in parts:
            if not is_slot:
                pieces.append(Piece(text))
                continue
            make, label = self._slots[text]
            value = make(random)
            if label == LOCATION and value.startswith(ARTICLE):
                pieces.append(Piece(ARTICLE))
                value = value.removeprefix(ARTICLE)
            pieces.append(Piece(value, label, is_fixed=True, is_postal=text == "zip"))
        return joined(pieces)
