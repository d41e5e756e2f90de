"""Streets and firms, as their countries name them.

Faker composes a street of any surname and a firm of any three, which few are. Half of the streets
and most of the firms come from here: names that hundreds of towns have, and firms that might be.
"""

# letters of other languages

from random import Random
from typing import Final

from python_stages.scrub.plants.forms import fill

_AMERICAN: Final = (
    "Main", "Oak", "Maple", "Elm", "Cedar", "Washington", "Park", "Lake", "Hill", "Walnut",
    "Sunset", "Lincoln", "Jackson", "Church", "River", "Willow", "Franklin", "Jefferson", "Mill",
    "Highland", "Dogwood", "Martin Luther King Jr", "2nd", "5th", "17th", "Old Creek", "Pecan",
)  # fmt: skip
_AMERICAN_KINDS: Final = (
    "St", "St.", "Street", "Ave", "Ave.", "Avenue", "Rd", "Road", "Blvd", "Drive", "Dr", "Lane",
    "Ln", "Court", "Ct", "Way", "Place", "Terrace", "Circle", "Pkwy",
)  # fmt: skip
_AMERICAN_TOWNS: Final = (
    "Springfield, IL #####", "Austin, TX #####", "Boise, ID #####", "Salem, OR #####",
    "Dayton, Ohio #####", "Tampa, FL #####-####", "Madison WI #####", "Albany, NY",
)  # fmt: skip
_BRITISH: Final = (
    "High Street", "Station Road", "Church Lane", "Victoria Road", "Mill Lane", "Park Avenue",
    "The Crescent", "Queens Road", "Manor Close", "Albert Terrace", "Windsor Drive", "Grange Way",
    "St John's Road", "Kingsway", "Orchard Gardens", "York Place",
)  # fmt: skip
_BRITISH_TOWNS: Final = (
    "Leeds LS%# #AB", "Bristol, BS%# #DE", "London SE%% #FG", "York YO%# #HJ", "Cardiff CF%# #LN",
    "Norwich", "Glasgow G%# #QR",
)  # fmt: skip
_GERMAN: Final = (
    "Hauptstraße", "Bahnhofstr.", "Schulstraße", "Goethestr.", "Lindenweg", "Gartenstrasse",
    "Am Markt", "Berliner Straße", "Rosenweg", "Schillerplatz", "Kirchgasse", "Mozartstraße",
    "Konrad-Adenauer-Allee", "Willy-Brandt-Platz", "Hans-Böckler-Str.", "Kastanienallee",
    "Robert-Koch-Ring", "Im Winkel", "Mühlweg", "Kurfürstendamm",
)  # fmt: skip
_GERMAN_TOWNS: Final = (
    "10#15 Berlin", "50#67 Köln", "80#31 München", "D-2035# Hamburg", "01#67 Dresden", "8010 Graz",
    "3012 Bern",
)  # fmt: skip
_FRENCH: Final = (
    "rue Victor Hugo", "avenue de la République", "rue de la Gare", "place du Marché",
    "boulevard Voltaire", "rue Pasteur", "chemin des Vignes", "allée des Tilleuls",
    "rue Jean Jaurès", "impasse des Lilas", "quai de la Loire", "rue du Général Leclerc",
)  # fmt: skip
_FRENCH_TOWNS: Final = (
    "750## Paris",
    "690## Lyon",
    "33000 Bordeaux",
    "59800 Lille",
    "31000 Toulouse",
)
_DUTCH: Final = (
    "Kerkstraat", "Dorpsstraat", "Prinsengracht", "Molenweg", "Julianalaan", "Stationsplein",
    "Nieuwe Haven", "Beatrixlaan", "Schoolstraat", "Lange Nieuwstraat",
)  # fmt: skip
_DUTCH_TOWNS: Final = ("101# GA Amsterdam", "351# BX Utrecht", "301#HD Rotterdam", "2000 Antwerpen")
_SPANISH: Final = (
    "Calle Mayor", "C/ Alcalá", "Avenida de la Constitución", "Plaza de España", "Paseo del Prado",
    "Calle de San Juan", "Av. Reforma", "Calle Real", "Ronda Sur", "Camino Viejo",
)  # fmt: skip
_SPANISH_TOWNS: Final = ("280## Madrid", "080## Barcelona", "41001 Sevilla", "46002 Valencia")
_ITALIAN: Final = (
    "Via Roma", "Via Garibaldi", "Corso Italia", "Piazza Dante", "Viale della Libertà",
    "Via San Martino", "Via Giuseppe Verdi", "Vicolo Stretto", "Largo Augusto", "Via dei Mille",
)  # fmt: skip
_ITALIAN_TOWNS: Final = ("2012# Milano", "001## Roma", "40121 Bologna (BO)", "80133 Napoli")
_POLISH: Final = (
    "ul. Mickiewicza",
    "ul. Długa",
    "al. Jerozolimskie",
    "ul. 3 Maja",
    "os. Słoneczne",
)
_POLISH_TOWNS: Final = ("00-0## Warszawa", "31-1## Kraków", "50-3## Wrocław")

_FIRM_WORDS: Final = (
    "Northgate", "Bluewater", "Silverline", "Brightpath", "Oakridge", "Meridian", "Cobalt",
    "Larkspur", "Redwood", "Evergreen", "Blue Heron", "Ironbridge", "Kestrel", "Harborview",
    "Quantum Leap", "Sunrise", "Three Rivers", "Veridian", "Polaris", "Nordlicht", "Alpenblick",
    "Novatek", "Aurelia", "Helios", "Delta", "Granite State", "Tri-County", "Pine Valley",
)  # fmt: skip
_SECTORS: Final = (
    "Logistics", "Software", "Dental Care", "Foods", "Capital", "Energy", "Consulting", "Plumbing",
    "Motors", "Insurance", "Pharmacy", "Textiles", "Analytics", "Partners", "Bakery", "Systems",
    "Media", "Construction", "Staffing Solutions", "Technologies", "Travel", "Veterinary Clinic",
)  # fmt: skip
_LEGAL_FORMS: Final = (
    " Inc.", " Inc", " LLC", " Ltd", " Ltd.", " Limited", " plc", " GmbH", " AG", " S.A.", " B.V.",
    " S.p.A.", " Corp.", " Group", "", "", "", "",
)  # fmt: skip
_INSTITUTIONS: Final = (
    "{} General Hospital", "University of {}", "{} City Council", "First Bank of {}",
    "{} High School", "St. Mary's Hospital, {}", "{} Public Library", "Stadtwerke {}",
    "Sparkasse {}", "{} Chamber of Commerce", "{} Fire Department", "Universität {}",
)  # fmt: skip
_TOWNS: Final = (
    "Springfield", "Bristol", "Leeds", "Graz", "Bremen", "Freiburg", "Tucson", "Omaha", "Ghent",
    "Nottingham", "Boise", "Linz", "Kassel", "Plymouth",
)  # fmt: skip
_KNOWN_FIRMS: Final = (
    "Siemens", "Vodafone", "Deloitte", "IKEA", "Unilever", "Bosch", "Walmart", "Barclays", "Nestlé",
    "Santander", "FedEx", "Boeing", "AstraZeneca", "Lufthansa", "ING", "Kaiser Permanente",
    "Ernst & Young", "Procter & Gamble", "Johnson & Johnson", "General Electric",
)  # fmt: skip


def street(draw: Random) -> str:
    """Return an address of one of eight countries, with or without its town."""
    return draw.choice(_STREETS)(draw)


def firm(draw: Random) -> str:
    """Return the name of a firm that might be, an institution, or a firm that everybody knows."""
    sector, legal_form = draw.choice(_SECTORS), draw.choice(_LEGAL_FORMS)
    name = f"{draw.choice(_FIRM_WORDS)} {sector}{legal_form}"
    institution = draw.choice(_INSTITUTIONS).format(draw.choice(_TOWNS))
    return draw.choice((name, name, name, institution, draw.choice(_KNOWN_FIRMS)))


def _american(draw: Random) -> str:
    side = draw.choice(("", "", "", "N ", "S. ", "West ", "NE "))
    unit = draw.choice(("", "", "", " Apt %#", " Apt. #B", ", Suite %##", " #%#", ", Unit %"))
    kind = draw.choice(_AMERICAN_KINDS)
    number = fill(draw.choice(("%#", "%##", "%###", "%####")), draw)
    line = f"{number} {side}{draw.choice(_AMERICAN)} {kind}{fill(unit, draw)}"
    return _with_town(line, _AMERICAN_TOWNS, draw)


def _british(draw: Random) -> str:
    flat = fill(draw.choice(("", "", "", "Flat %, ", "Flat %A, ", "Unit %#, ")), draw)
    line = f"{flat}{fill(draw.choice(('%', '%#', '%##', '%#A')), draw)} {draw.choice(_BRITISH)}"
    return _with_town(line, _BRITISH_TOWNS, draw)


def _german(draw: Random) -> str:
    number = fill(draw.choice(("%", "%#", "%##", "%#a", "%# b", "%-%#")), draw)
    return _with_town(f"{draw.choice(_GERMAN)} {number}", _GERMAN_TOWNS, draw)


def _french(draw: Random) -> str:
    number = fill(draw.choice(("%", "%#", "%##", "% bis", "%# ter", "%#,")), draw)
    return _with_town(f"{number} {draw.choice(_FRENCH)}", _FRENCH_TOWNS, draw)


def _dutch(draw: Random) -> str:
    number = fill(draw.choice(("%", "%#", "%##", "%#A", "%#-%")), draw)
    return _with_town(f"{draw.choice(_DUTCH)} {number}", _DUTCH_TOWNS, draw)


def _spanish(draw: Random) -> str:
    number = fill(draw.choice((" %#", ", %#", " nº %", " %##", " %#, 3º B", ", %, 2º")), draw)
    return _with_town(draw.choice(_SPANISH) + number, _SPANISH_TOWNS, draw)


def _italian(draw: Random) -> str:
    number = fill(draw.choice((" %#", ", %#", ", %", " %/a", " n. %#")), draw)
    return _with_town(draw.choice(_ITALIAN) + number, _ITALIAN_TOWNS, draw)


def _polish(draw: Random) -> str:
    number = fill(draw.choice(("%", "%#", "%#/%", "%a", "%# m. %")), draw)
    return _with_town(f"{draw.choice(_POLISH)} {number}", _POLISH_TOWNS, draw)


def _with_town(line: str, towns: tuple[str, ...], draw: Random) -> str:
    """Return a line alone or with a town, as often."""
    return draw.choice((line, f"{line}, {fill(draw.choice(towns), draw)}"))


_STREETS: Final = (
    *(_american, _american, _american, _british, _british, _german, _german, _french),
    *(_dutch, _spanish, _italian, _polish),
)
