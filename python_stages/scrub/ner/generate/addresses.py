"""Street addresses in the formats of many countries, on one line or several."""

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

from python_stages.scrub.ner.generate import lists
from python_stages.scrub.ner.generate.choice import chance, choose, listed
from python_stages.scrub.ner.generate.fillers import letters
from python_stages.scrub.ner.generate.names import Names
from python_stages.scrub.ner.generate.places import Places

if TYPE_CHECKING:
    from collections.abc import Callable

STREET_TYPES: Final = (
    "Street", "Street", "St", "St.", "Avenue", "Avenue", "Ave", "Ave.", "Road", "Road", "Rd", "Rd.",
    "Lane", "Ln", "Drive", "Drive", "Dr", "Dr.", "Court", "Ct", "Boulevard", "Blvd", "Blvd.",
    "Place", "Pl", "Way", "Terrace", "Close", "Crescent", "Square", "Circle", "Cir", "Parkway",
    "Pkwy", "Highway", "Hwy", "Trail", "Row", "Mews", "Gardens", "Grove", "Hill", "Walk", "Parade",
    "Esplanade", "Quay", "Loop", "Run", "Crossing", "Turnpike", "Expressway", "Alley", "Plaza",
)  # fmt: skip
UNITS: Final = (
    "Apt {n}", "Apt. {n}", "Apt {n}{a}", "Apartment {n}", "Unit {n}", "Suite {n}00", "Suite {n}",
    "Ste {n}", "#{n}", "# {n}", "Flat {n}", "Floor {n}", "Room {n}", "Bldg {a}", "Rm {n}",
    "Unit {a}",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Format:
    """How a country writes a street with a number, and the line of code and city under it."""

    streets: tuple[str, ...]
    places: tuple[str, ...]
    countries: tuple[str, ...] = ()


# {s} a name, {n} a house number, {m} a small number, {a} a letter, {c} a city, {z} five digits,
# {y} four digits, {x} three, {t} a US state, {p} a British code, {q} a Canadian code
FORMATS: Final = {
    "us": Format(
        ("{n} {s} {e}", "{n} {s} {e}", "{n} {d} {s} {e}", "{n} {s} {e} {d}", "{n} {s} {e}{u}"),
        ("{c}, {t} {z}", "{c} {t} {z}", "{c}, {t}, {z}", "{c}, {t} {z}-{y}", "{c}, {r}", "{c}"),
        ("USA", "United States", "US"),
    ),
    "gb": Format(
        ("{n} {s} {e}", "{n}{a} {s} {e}", "Flat {m}, {n} {s} {e}", "{s} House, {n} {s} {e}"),
        ("{c} {p}", "{c}, {p}", "{c}\n{p}", "{c}, {r}, {p}", "{c}"),
        ("UK", "United Kingdom", "England"),
    ),
    "ca": Format(
        ("{n} {s} {e}", "{m}-{n} {s} {e}", "{n}, rue {s}", "{n} {s} {e}{u}"),
        ("{c}, ON {q}", "{c}, BC {q}", "{c}, QC {q}", "{c} (Québec) {q}", "{c}, AB, {q}"),
        ("Canada",),
    ),
    "au": Format(
        ("{n} {s} {e}", "{m}/{n} {s} {e}", "Unit {m}, {n} {s} {e}"),
        ("{c} NSW {y}", "{c}, VIC {y}", "{c} QLD {y}", "{c} WA {y}", "{c} {y}", "{c}"),
        ("Australia", "New Zealand"),
    ),
    "de": Format(
        (
            "{s}straße {n}", "{s}str. {n}", "{s}strasse {n}{a}", "{s}weg {n}", "{s}gasse {m}",
            "{s}platz {m}", "{s}allee {n}", "{s}ring {n}", "Am {s}berg {m}", "{s}er Straße {n}",
            "Alte {s}straße {n}", "{s}-{s}-Straße {n}", "An der {s} {m}", "Im {s} {m}",
            "{s}ufer {m}", "{s}damm {n}", "{s}hof {m}", "Haupt Strasse {n}", "Unter den {s} {m}",
        ),
        ("{z} {c}", "{y} {c}", "D-{z} {c}", "A-{y} {c}", "CH-{y} {c}", "{c}"),
        ("Germany", "Deutschland", "Austria", "Switzerland"),
    ),
    "fr": Format(
        (
            "{n} rue {s}", "{n}, rue {s}", "{n} rue de {s}", "{n} rue du {s}", "{n} rue de la {s}",
            "{n} rue des {s}s", "{n} avenue {s}", "{n}, avenue de {s}", "{n} boulevard {s}",
            "{n} place {s}", "{n} chemin de {s}", "{n} bis rue {s}", "{m} impasse {s}",
            "{n} quai {s}", "{n} Rue {s} {s}", "{n}, cours {s}", "{n} allée des {s}s",
            "{n} route de {s}",
        ),
        ("{z} {c}", "{z} {c} Cedex", "F-{z} {c}", "{y} {c}", "{c}"),
        ("France", "Belgium", "Suisse"),
    ),
    "es": Format(
        (
            "Calle {s}, {n}", "Calle {s} {n}", "C/ {s}, {n}", "C/ {s} {n}, {m}º {a}",
            "Calle de {s} {n}", "Avenida de {s}, {n}", "Avenida {s} {n}", "Av. {s} {n}",
            "Avda. {s}, {n}", "Plaza {s}, {m}", "Paseo de {s}, {n}", "Calle {s} #{n}",
            "Carrera {m} # {n}-{m}", "Cl. {m} # {n}-{m}", "Av. {s} No. {n}, Col. {s}",
            "Calle {s} {n} Int. {m}", "Camino Real {n}", "Ronda {s} {n}",
        ),
        ("{z} {c}", "{z}, {c}", "{c}, {z}", "C.P. {z}, {c}", "{c} {y}", "{c}"),
        ("Spain", "España", "Mexico", "Argentina", "Colombia", "Chile"),
    ),
    "it": Format(
        (
            "Via {s} {n}", "Via {s}, {n}", "Via {s} {s} {n}", "Via {s}, {n}/{a}", "Viale {s} {n}",
            "Piazza {s} {m}", "Corso {s} {n}", "Vicolo {s} {m}", "Largo {s}, {m}", "Strada {s} {n}",
            "Via dei {s} {n}", "Via San {s}, {n}", "Contrada {s} {m}", "Via della {s} {n}",
            "Borgo {s} {m}",
        ),
        ("{z} {c}", "{z}, {c} ({t})", "{z}-{c} {t}", "I-{z} {c}", "{c}"),
        ("Italy", "Italia"),
    ),
    "pt": Format(
        (
            "Rua {s}, {n}", "Rua {s} {n}", "R. {s}, {n}", "Rua de {s} {n}", "Rua da {s}, {n}, {m}º",
            "Avenida {s}, {n}", "Av. {s}, {n} - Apto {m}", "Travessa {s} {n}", "Praça {s}, {m}",
            "Rua Dr. {s} {n}", "Alameda {s}, {n}", "Estrada {s}, {n}", "Largo de {s} {m}",
        ),
        ("{y}-{x} {c}", "{z}-{x} {c}", "{c} - SP, {z}-{x}", "{c}/RJ", "{c}"),
        ("Portugal", "Brazil", "Brasil"),
    ),
    "nl": Format(
        (
            "{s}straat {n}", "{s}laan {n}", "{s}weg {n}", "{s}gracht {n}", "{s}plein {m}",
            "{s}kade {n}", "{s} {s}straat {n}", "{s}dijk {n}-{a}", "Van {s}lei {n}",
            "{s}steenweg {n}", "{s}singel {n}", "Burgemeester {s}straat {n}", "{s}hof {m}",
            "Prins {s}plein {m} bus {m}", "{s}pad {n}",
        ),
        ("{y} AB {c}", "{y}{a}K {c}", "{y} {c}", "{y} XL {c}", "B-{y} {c}", "{c}"),
        ("Netherlands", "The Netherlands", "Belgium"),
    ),
    "nordic": Format(
        (
            "{s}vej {n}", "{s}gade {n}, {m}. tv", "{s}gatan {n}", "{s}vägen {n}", "{s}gränd {m}",
            "{s}gata {n}", "{s}veien {n}", "{s}vegen {n}", "{s}gate {n} {a}", "{s}katu {n}",
            "{s}tie {n}", "{s}kuja {m} {a} {m}", "{s}stræti {m}", "{s}stígur {n}", "{s}götu {n}",
            "{s} Allé {n}", "{s}polku {m}", "{s}bakken {n}", "{s}stien {m}", "Store {s}gade {n}",
            "{s}torget {m}",
        ),
        ("{y} {c}", "{z} {c}", "{x} {m} {c}", "DK-{y} {c}", "SE-{z} {c}", "FI-{z} {c}", "{x} {c}"),
        ("Denmark", "Sweden", "Norway", "Finland", "Iceland"),
    ),
    "slavic": Format(
        (
            "ul. {s} {n}", "ul. {s} {n}/{m}", "ul. {s}a {n} m. {m}", "al. {s} {n}", "os. {s} {m}",
            "Plac {s} {m}", "{s}ova {n}", "{s}ská {n}/{m}", "Na {s} {n}", "Nám. {s} {m}",
            "{s}ova ulica {n}", "Ulica {s} {n}", "ulica {s} {n}", "{s} utca {n}.", "{s} út {n}.",
            "{s} u. {n}.", "{s} tér {m}.", "Strada {s} nr. {n}",
            "Str. {s} {n}, bl. {a}{m}, ap. {m}", "Bulevardul {s} {n}", "ul. {s}skaya {n}",
            "prospekt {s} {n}, kv. {m}", "{s} iela {n}", "{s} gatvė {n}", "{s}o g. {n}-{m}",
            "{s} tänav {n}", "bul. {s} {n}", "Trg {s} {m}", "{s}eva ulica {n}", "Aleja {s} {n}",
        ),
        (
            "{z} {c}", "{x} {m} {c}", "{m}-{x} {c}", "{y} {c}", "H-{y} {c}", "{c} {z}", "{c}, {z}",
            "{c}",
        ),
        ("Poland", "Czech Republic", "Hungary", "Romania", "Croatia", "Slovenia", "Russia"),
    ),
    "asia": Format(
        (
            "{m}-{m}-{n} {s}", "{m}-{m} {s}-cho", "{n} {s}-ro", "{n}, {s}-daero",
            "No. {n}, {s} Road", "{n} {s} Nagar", "{n}, {s} Marg", "H.No. {n}, {s} Colony",
            "Plot No. {n}, Sector {m}, {s}", "Flat {m}, {s} Apartments, {s} Road",
            "{n}/{m} {s} Chowk", "Jl. {s} No. {n}", "Jalan {s} {n}", "{n} Jalan {s}",
            "Blk {n} {s} Ave {m} #{m}-{n}", "{s} Mah. {s} Cad. No: {n}", "{s} Sok. No:{n}/{m}",
            "{n} Soi {s}", "{n} {s} St., Brgy. {s}", "{n} Đường {s}",
            "Room {n}, {s} Building, {s} Road", "House {n}, Road {m}, {s}",
            "{s} Street, Building {n}", "Villa {n}, Al {s} Street", "{n} {s} Bazar",
        ),
        ("{c} {z}", "{c} - {z}0", "{c}-{z}0", "{c}, {x}-{y}", "{c} {z}0", "{z} {c}", "{c}"),
        ("Japan", "India", "China", "Turkey", "Indonesia", "Singapore", "Philippines", "UAE"),
    ),
    "africa": Format(
        (
            "{n} {s} Street", "Plot {n} {s} Road", "{n} {s} Close", "No {n} {s} Crescent",
            "{n} Rue {s}", "{s} Road, off {s} Avenue", "{n} {s} Way", "{n} {s} Straat",
            "Stand {n}, {s}", "{n} {s} Drive",
        ),
        ("{c}", "{c} {y}", "{c}, {y}", "{c} {z}"),
        ("Nigeria", "Kenya", "South Africa", "Ghana", "Egypt"),
    ),
}  # fmt: skip
WEIGHTS: Final = {
    "us": 30, "gb": 10, "ca": 5, "au": 6, "de": 8, "fr": 7, "es": 8, "it": 6, "pt": 5, "nl": 7,
    "nordic": 10, "slavic": 9, "asia": 7, "africa": 3,
}  # fmt: skip
ENGLISH: Final = {"us", "gb", "ca", "au", "africa"}
DIRECTIONS: Final = ("N", "S", "E", "W", "N.", "S.", "North", "South", "East", "West", "NW", "SE")


class Addresses:
    """Makes addresses."""

    def __init__(self, names: Names, places: Places) -> None:
        self._names = names
        self._places = places

    def _name(self, random: Random, kind: str) -> str:
        """Return what a street is called after."""
        return choose(
            random,
            (120 if kind in ENGLISH else 0, listed(lists.values("street_words"))),
            (50, self._names.invented),
            (50, lambda random: random.choice(self._names.pair(random))),
        )

    def _number(self, random: Random) -> str:
        return str(random.randint(1, 10 ** random.choice((1, 2, 2, 3, 3, 4, 5))))

    def _fill(self, random: Random, kind: str, pattern: str) -> str:
        """Fill the letters in braces of a pattern."""
        makers: dict[str, Callable[[], str]] = {
            "s": lambda: self._name(random, kind),
            "n": lambda: self._number(random),
            "m": lambda: str(random.randint(1, 99)),
            "a": lambda: random.choice("ABCDEFabcdef"),
            "e": lambda: random.choice(STREET_TYPES),
            "d": lambda: random.choice(DIRECTIONS),
            "u": lambda: random.choice((" ", ", ", "\n", ", ")) + self._unit(random),
            "c": lambda: self._places.city(random),
            "r": lambda: random.choice(lists.values("regions")[:60]),
            "t": lambda: random.choice(lists.values("states")),
            "z": lambda: letters(random, "99999"),
            "y": lambda: letters(random, "9999"),
            "x": lambda: letters(random, "999"),
            "p": lambda: letters(
                random, random.choice(("A9 9AA", "AA9 9AA", "AA99 9AA", "AA9A 9AA"))
            ),
            "q": lambda: letters(random, random.choice(("A9A 9A9", "A9A9A9"))),
        }
        parts = pattern.split("{")
        return parts[0] + "".join(makers[part[0]]() + part[2:] for part in parts[1:])

    def _unit(self, random: Random) -> str:
        return random.choice(UNITS).format(n=random.randint(1, 400), a=random.choice("ABCDEF"))

    def _kind(self, random: Random) -> str:
        return random.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]

    def street(self, random: Random) -> str:
        """Return a street with its number."""
        if chance(random, 12):
            while not (streets := self._names.pool(random).streets):
                pass
            return random.choice(streets).strip(" ,")
        kind = self._kind(random)
        return self._fill(random, kind, random.choice(FORMATS[kind].streets))

    def full(self, random: Random) -> str:
        """Return an address with city, most often a postal code, and seldom the country."""
        if chance(random, 15):
            while not (addresses := self._names.pool(random).addresses):
                pass
            address = random.choice(addresses)
            return address.replace("\n", random.choice(("\n", ", ", " "))).strip(" ,")
        kind = self._kind(random)
        form = FORMATS[kind]
        lines = [
            self._fill(random, kind, random.choice(form.streets)),
            self._fill(random, kind, random.choice(form.places)),
        ]
        if chance(random, 10):
            lines.insert(1, self._unit(random))
        if chance(random, 22):
            country = random.choice(form.countries)
            lines.append(country.upper() if chance(random, 20) else country)
        return random.choice((", ", ", ", ", ", "\n", "\n", " ", " , ")).join(lines)
