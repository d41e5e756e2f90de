"""Street addresses in English: a number, a name, a word for a street, and what belongs to them.

The flat may stand before or after, and the town belongs to it when its state or postal code
follows. Streets without a number are left to the language model. Words for streets are those of
Publication 28 of the US Postal Service and of other English-speaking countries.
"""

from typing import Final

from python_stages.scrub.recognizers.shapes import Shape, choice
from python_stages.scrub.recognizers.words import OTHER_STATE_CODES, STATE_CODES, US_STATES, listed

NAME: Final = r"\p{Lu}[\p{L}'’.-]{0,30}+"
PARTS: Final = (
    r"(?:(?:de[ ]la|de[ ]los|de[ ]las|de[ ]l['’]|de|del|della|delle|dei|degli|di|du|des|da|do|dos|"
    r"das|la|le|les|los|las|el|den|der|van|von|zum|zur|am|an|im|aux?|et|y|e|of|the)[ ]|[ld]['’])"
)
TOWN: Final = rf"{NAME}(?:[ -]{PARTS}{{0,2}}{NAME}){{0,3}}"
GAP: Final = r"(?:,[ ]{0,2}|[ ]{0,2}\n[ ]{0,8}|,[ ]?\n[ ]{0,8}|[ ]{1,2}|[ ]?[-–][ ])"
STOP: Final = r"(?![\w])"
BEFORE: Final = r"(?<![\w])(?<!\p{Sc})(?<!\p{Sc}[ ])(?<![0-9][.,:/-])"
"""No amount, and no part of another number."""
AHEAD: Final = r"(?=[ ]?[-–/0-9A-Za-z]{0,8},?[ ](?:\p{L}|[0-9]{1,3}[a-z]{2}|1/2))"
"""Behind a number that may be that of a house; a cheap look that spares most numbers the rest."""
COUNTRY: Final = (
    rf"(?:{GAP}(?:USA|U\.S\.A\.|United[ ]States|UK|United[ ]Kingdom|England|Scotland|Wales|Canada|"
    r"Australia|Deutschland|Germany|France|Österreich|Austria|Schweiz|Switzerland|España|Spain|"
    r"Italia|Italy|Nederland|Netherlands|Belgique|Belgium|Polska|Poland|Portugal|Brasil|Brazil|"
    r"México|Mexico|Danmark|Denmark|Sverige|Sweden|Norge|Norway|Suomi|Finland|India|Ireland|"
    r"New[ ]Zealand)(?!\w))?"
)
UK_CODE: Final = r"[A-Z]{1,2}[0-9][0-9A-Z]?[ ]?[0-9][A-Z]{2}(?!\w)"
CA_CODE: Final = r"[A-Z][0-9][A-Z][ ]?[0-9][A-Z][0-9](?!\w)"
US_CODE: Final = r"[0-9]{5}(?:-[0-9]{4})?(?![\w])"
STATE_CODE: Final = rf"(?:{STATE_CODES}|{OTHER_STATE_CODES})(?!\w)"
STATE: Final = choice(listed(US_STATES, "|"))

_UNIT_WORD: Final = (
    r"(?:[Aa]pt|[Aa]partment|[Ss]uite|[Ss]te|[Uu]nit|[Ff]loor|[Ff]l|[Rr]oom|[Rr]m|[Bb]ldg|"
    r"[Bb]uilding|[Ff]lat|[Ll]ot|[Dd]ept|[Ss]tudio|[Pp]enthouse|[Tt]railer|APT|SUITE|STE|UNIT)"
)
_UNIT_NAME: Final = r"[A-Z0-9][A-Za-z0-9-]{0,5}(?!\w)"
UNIT: Final = (
    rf"(?:(?:,[ ]?|[ ]|[ ]?\n)(?:{_UNIT_WORD}\.?[ ]?\#?[ ]?{_UNIT_NAME}|\#[ ]?{_UNIT_NAME}|"
    r"[0-9]{1,3}(?:st|nd|rd|th)[ ][Ff]loor))?"
)
_UNIT_BEFORE: Final = rf"{_UNIT_WORD}\.?[ ]?\#?[ ]?[0-9A-Z][0-9A-Za-z]{{0,4}}(?:,[ ]|[ ]?\n|[ ])"

_CODE: Final = rf"(?:{US_CODE}|{CA_CODE}|[0-9]{{4}}(?!\w))"
_TOWN: Final = (
    rf"(?:{GAP}{TOWN},?[ ]{{1,2}}(?:{STATE_CODE}\.?(?:,?[ ]{{1,2}}{_CODE})?|"
    rf"{STATE},?[ ]{{1,2}}{_CODE}|{US_CODE}|{CA_CODE})|"
    rf"{GAP}{TOWN}(?:{GAP}{TOWN}){{0,2}}{GAP}{UK_CODE}|{GAP}{UK_CODE}|"
    # Gandhinagar-376004, Regan Ville R90V249
    rf"{GAP}\p{{Lu}}[\p{{L}} ]{{1,40}}+[-–]?[ ]?[0-9]{{6}}(?!\w)|"
    rf"{GAP}(?:{TOWN}{GAP})?[A-Z][0-9][0-9W][ ]?(?=[A-Z0-9]{{0,3}}[0-9])[A-Z0-9]{{4}}(?!\w))?"
)
_CAPITAL: Final = r"(?:\p{Lu}[\p{L}'’-]{0,30}+\.?|\d{1,3}(?:st|nd|rd|th|ST|ND|RD|TH))"
_NUMBER: Final = rf"[0-9]{{1,6}}{AHEAD}(?:[ ]?[-–/][ ]?[0-9]{{1,5}})?(?:[ ]1/2)?[A-Za-z]?"
_DIRECTION: Final = (
    r"(?:N\.?[EW]\.?|S\.?[EW]\.?|[NSEW]\.?|Northeast|Northwest|Southeast|Southwest|North|South|"
    r"East|West)(?!\p{L})"
)
_NOT_STREET: Final = (
    r"(?!(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"USD|EUR|GBP|AM|PM|Million|Billion|Percent|Years?|Days?|Hours?|Minutes?|Pro|Plus)\b)"
)
_WAYS: Final = listed(
    """
    Street St Str Avenue Ave Av Road Rd Lane Ln Boulevard Blvd Drive Dr Court Ct Place Pl Square
    Sq Terrace Ter Way Parkway Pkwy Highway Hwy Circle Cir Trail Trl Close Crescent Cres Row
    Walk Mews Grove Garden Gardens Gdns Plaza Plz Alley Aly Loop Path Turnpike Tpke Expressway
    Expy Freeway Fwy Quay Esplanade Promenade Causeway Parade Pde Wharf Circus Marg Nagar Chowk
    Salai
    """,
)
_MORE_WAYS: Final = listed(
    """
    Arcade Bayou Beach Bend Bluff Bluffs Bridge Brook Brooks Burg Burgs Bypass Camp Canyon Cape
    Center Cliff Cliffs Club Common Corner Corners Course Cove Coves Creek Crest Crossing
    Crossroad Curve Dale Dam Divide Estate Estates Extension Extensions Falls Ferry Field Fields
    Flat Flats Ford Fords Forest Forge Forges Fork Forks Fort Gateway Glen Glens Green Greens
    Groves Harbor Harbors Haven Heights Hill Hills Hollow Inlet Island Islands Isle Junction
    Junctions Key Keys Knoll Knolls Lake Lakes Land Landing Light Lights Lock Locks Lodge Manor
    Manors Meadow Meadows Mill Mills Mission Motorway Mount Mountain Mountains Neck Orchard Oval
    Overpass Park Parks Pass Passage Pike Pine Pines Plain Plains Point Points Port Ports
    Prairie Ramp Ranch Rapid Rapids Rest Ridge Ridges River Route Rue Run Shoal Shoals Shore
    Shores Skyway Spring Springs Spur Spurs Squares Station Stravenue Stream Summit Throughway
    Trace Track Trafficway Tunnel Underpass Union Unions Valley Valleys Via Viaduct View Views
    Village Villages Ville Vista Walks Wall Ways Well Wells
    """,
)
_WAY: Final = choice([*_WAYS, *(way.lower() for way in _WAYS)])
_MORE: Final = choice(_MORE_WAYS)
_MORE_LOWER: Final = choice(way.lower() for way in _MORE_WAYS)
_REST: Final = rf"(?:[ ]{_DIRECTION})?{UNIT}{_TOWN}{COUNTRY}"
_NUMBER_NAME: Final = (
    rf"[ ](?:{_DIRECTION}[ ])?(?=\p{{Lu}}|[0-9]){_NOT_STREET}(?:{_CAPITAL}[ ]){{1,4}}"
)
_ENGLISH: Final = rf"{_NUMBER},?{_NUMBER_NAME}{_WAY}{STOP}\.?{_REST}"
_NOT_LOWER: Final = (
    r"(?!(?:[a-z]{1,20}[ ])?(?:a|an|the|of|on|in|at|to|per|way|two|one|lane|main[ ]roads?|and|or|"
    r"busy|mile|cars?|people|side|back|high[ ]street)[ ])"
)

STREETS: Final = Shape(
    "STREET_ADDRESS",
    (
        (rf"{BEFORE}{_ENGLISH}", 0.6),
        # Flat 3, 22 Baker Street
        (rf"(?<![\w]){_UNIT_BEFORE}{_ENGLISH}", 0.6),
        # 9429 Smith Mills Suite 123
        (rf"{BEFORE}[0-9]{{3,6}}{AHEAD}{_NUMBER_NAME}{_MORE}{STOP}{_REST}", 0.5),
        # 4 Smith crossing, West Ann, W1D 2PQ
        (
            (
                rf"{BEFORE}{_NUMBER}[ ](?=\p{{Lu}})(?:{_CAPITAL}[ ]){{1,3}}{_MORE_LOWER}"
                rf"(?:{GAP}{TOWN}){{1,3}}{GAP}{UK_CODE}"
            ),
            0.6,
        ),
        # 12 Broadway, 1600 Avenue of the Americas, 500 Highway 89
        (
            (
                rf"{BEFORE}[0-9]{{1,6}}{AHEAD}[ ](?:{_DIRECTION}[ ])?(?:Broadway|"
                r"(?:Avenue|Ave\.?)[ ](?:of[ ]the[ ]\p{Lu}\p{L}{2,20}|[A-Z](?!\w))|"
                r"(?:US[ ]|State[ ]|County[ ])?(?:Highway|Hwy|Route|Rte|Road)\.?[ ][0-9]{1,4}"
                r"(?!\w))"
                rf"{_REST}"
            ),
            0.5,
        ),
        # 12 main street
        (
            (
                rf"{BEFORE}[0-9]{{1,5}}{AHEAD}[ ]{_NOT_LOWER}(?:[a-z]{{3,20}}[ ]){{1,2}}"
                rf"(?:street|avenue|ave|boulevard|blvd|road|rd)(?![\w-]){UNIT}"
            ),
            0.45,
        ),
    ),
    context=("address", "street", "live", "lives", "living", "moved", "resides"),
    gate=rf"(?<!\w){choice(way.lower() for way in (*_WAYS, *_MORE_WAYS, 'Broadway', 'Rte'))}(?!\w)",
    is_cased=True,
)
OTHERS: Final = Shape(
    "STREET_ADDRESS",
    (
        # PSC 1234, Box 5678, APO AP 96321
        (
            (
                r"(?<!\w)(?:PSC|Unit|CMR)[ ][0-9]{1,5},?[ ]Box[ ][0-9]{1,5}"
                rf"(?:,?\s{{1,2}}[AFD]PO,?[ ]A[AEP][ ]{US_CODE})?"
            ),
            0.7,
        ),
        (
            (
                r"(?<!\w)US(?:NS|NV|S|CGC)[ ]\p{Lu}\p{L}{1,20},?\s{1,2}[AFD]PO,?[ ]A[AEP]"
                rf"[ ]{US_CODE}"
            ),
            0.7,
        ),
        # H.No. 12/3, Gandhi Nagar, 560001
        (
            (
                r"(?<!\w)(?:H\.?[ ]?No\.?|(?:House|Plot|Door|Flat)[ ]No\.?)[ ]?[0-9A-Z][\w/-]{0,10}"
                rf"(?:,[ ]{NAME}(?:[ ]{NAME}){{0,3}}){{1,4}}"
                r"(?:[ ]?[-–,]?[ ]?[0-9]{3}[ ]?[0-9]{3}(?!\w))?"
            ),
            0.6,
        ),
    ),
    gate=r"Box|[AFD]PO|No",
    is_cased=True,
)
