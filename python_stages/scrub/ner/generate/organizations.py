"""Companies, agencies, universities, hospitals, clubs, …."""

from random import Random
from typing import Final

from python_stages.scrub.ner.generate import lists
from python_stages.scrub.ner.generate.choice import choose, listed
from python_stages.scrub.ner.generate.names import Names
from python_stages.scrub.ner.generate.places import Places

FORMS: Final = (
    "Inc", "Inc.", ", Inc.", "LLC", "Ltd", "Ltd.", "Limited", "Corp", "Corp.", "Corporation", "Co.",
    "& Co.", "Company", "PLC", "plc", "LLP", "Group", "Holdings", "Partners", "GmbH", "AG",
    "GmbH & Co. KG", "KG", "SE", "S.A.", "SA", "SARL", "S.r.l.", "SpA", "S.L.", "BV", "B.V.", "NV",
    "AB", "AS", "A/S", "ApS", "Oy", "Oyj", "Kft.", "s.r.o.", "a.s.", "Sp. z o.o.", "d.o.o.", "Ltda",
    "Pty Ltd", "Pvt. Ltd.", "K.K.", "Sdn Bhd", "& Sons", "& Associates", "& Partners", "Brothers",
)  # fmt: skip
TRADES: Final = (
    "Systems", "Solutions", "Consulting", "Technologies", "Tech", "Software", "Labs", "Logistics",
    "Foods", "Bank", "Insurance", "Energy", "Motors", "Airlines", "Pharma", "Pharmaceuticals",
    "Media", "Studios", "Capital", "Ventures", "Industries", "Electronics", "Textiles", "Steel",
    "Telecom", "Networks", "Analytics", "Robotics", "Construction", "Properties", "Realty",
    "Hotels", "Travel", "Shipping", "Financial", "Securities", "Records", "Books", "Press", "News",
    "Times", "Herald", "Tribune", "Retail", "Stores", "Bakery", "Cafe", "Pizza", "Grill", "Law",
    "Law Firm", "Dental", "Clinic", "Pharmacy", "Fitness", "Design", "Architects", "Engineering",
    "Chemicals", "Mining", "Oil", "Gas", "Water", "Power", "Gaming", "Entertainment", "Pictures",
)  # fmt: skip
STEMS: Final = (
    "Global", "Pacific", "Atlantic", "Summit", "Apex", "Nova", "Blue Sky", "Northern", "Southern",
    "First National", "United", "American", "National", "Royal", "Premier", "Prime", "Silver",
    "Golden", "Red Rock", "Green Leaf", "Bright", "Quantum", "Vertex", "Pioneer", "Liberty",
    "Heritage", "Evergreen", "Horizon", "Sterling", "Titan", "Delta", "Omega", "Alpha", "Zenith",
    "Cyber", "Inter", "Trans", "Euro", "Omni", "Meta", "Data", "Cloud", "Smart", "Rapid", "Metro",
    "Central", "Capital", "Crown", "Eagle", "Phoenix", "Falcon", "Bluebird", "Riverside", "Harbor",
)  # fmt: skip
OF_PLACE: Final = (
    "University of {}", "{} University", "{} State University", "{} College", "{} High School",
    "{} Elementary School", "{} Hospital", "{} General Hospital", "{} Medical Center",
    "{} Children's Hospital", "{} Police Department", "{} Police", "{} City Council",
    "City of {}", "{} Fire Department", "{} Chamber of Commerce", "Bank of {}", "{} National Bank",
    "{} Savings Bank", "{} Credit Union", "{} FC", "{} United", "FC {}", "{} Tigers", "{} Lions",
    "{} Museum of Art", "{} Symphony Orchestra", "{} Public Library", "{} Airport Authority",
    "{} Transit Authority", "{} Water Board", "{} Institute of Technology", "{} School of Law",
    "{} Business School", "Ministry of Health of {}", "{} Stock Exchange", "Port of {} Authority",
    "{} Red Cross", "{} Daily News", "The {} Times", "{} Gazette", "Radio {}", "{} Airways",
    "{} Railways", "{} Health Department", "{} County Court", "High Court of {}", "TU {}",
    "Universität {}", "Université de {}", "Universidad de {}", "Università di {}", "Klinikum {}",
    "Hospital {}", "Hôpital {}", "Banco de {}", "Sparkasse {}", "Crédit {}", "Stadtwerke {}",
)  # fmt: skip
OF_PERSON: Final = (
    "{} Foundation", "The {} Foundation", "{} Trust", "{} Institute", "St. {}'s Hospital",
    "St. {}'s Church", "{} Memorial Hospital", "{} Clinic", "Saint {} School", "{} Elementary",
    "{} & Daughters", "House of {}", "{} Law Group", "Law Offices of {}", "{} Orchestra",
)  # fmt: skip
SHOPS: Final = (
    "{}'s", "{}'s Pizza", "{}'s Bakery", "{}'s Garage", "{}'s Diner", "Chez {}", "{} Realty",
    "{} Plumbing", "{} Family Dentistry", "{} & Sons", "{}'s Grill", "Café {}", "{} Auto Parts",
)  # fmt: skip
ENDINGS: Final = (".com", ".io", "ify", "ly", "Soft", "Tech", "Bank")
KNOWN: Final = lists.values("organizations")
AGENCIES: Final = (
    "Department of {}", "Ministry of {}", "Office of {}", "Bureau of {}", "Institute of {}",
    "Federal {} Agency", "National {} Council", "{} Commission", "European {} Agency",
    "Association of {}", "Society for {}", "International {} Federation", "{} Workers Union",
    "Committee on {}", "Centre for {}", "Center for {} Research", "{} Authority", "{} Board",
)  # fmt: skip
SUBJECTS: Final = (
    "Transport", "Transportation", "Labor", "Labour", "Education", "Agriculture", "Commerce",
    "Energy", "Health", "Housing", "Justice", "Defense", "Defence", "Finance", "Foreign Affairs",
    "Tourism", "Culture", "Science", "Technology", "Statistics", "Immigration", "Customs",
    "Revenue", "Taxation", "Fisheries", "Forestry", "Trade", "Aviation", "Maritime Safety",
    "Human Rights", "Cancer", "Standards", "Nuclear Safety", "Sports", "Music", "Physics",
)  # fmt: skip
ACRONYM_LETTERS: Final = "ABCDEFGHIKLMNOPRSTUVWZ"


class Organizations:
    """Makes names of organisations."""

    def __init__(self, names: Names, places: Places) -> None:
        self._names = names
        self._places = places

    def _stem(self, random: Random) -> str:
        """Return what tells a company from others."""
        invented = self._names.invented
        return choose(
            random,
            (35, self._names.last),
            (25, listed(STEMS)),
            (10, lambda random: random.choice(STEMS) + invented(random).lower()),
            (5, self._acronym),
            (25, invented),
        )

    def _acronym(self, random: Random) -> str:
        return "".join(random.choices(ACRONYM_LETTERS, k=random.choice((2, 3, 3, 3, 4))))

    def _of_locale(self, random: Random) -> str:
        while not (companies := self._names.pool(random).companies):
            pass
        return random.choice(companies)

    def _of_person(self, random: Random) -> str:
        return random.choice(OF_PERSON).format(self._names.last(random))

    def _of_place(self, random: Random) -> str:
        return random.choice(OF_PLACE).format(self._places.city(random))

    def _agency(self, random: Random) -> str:
        return random.choice(AGENCIES).format(random.choice(SUBJECTS))

    def company(self, random: Random) -> str:
        """Return a company: Faker's, or of our own grammar."""
        stem, form, trade = self._stem(random), random.choice(FORMS), random.choice(TRADES)
        between = random.choice((" & ", " and ", "-", ", ", "/"))
        return choose(
            random,
            (30, self._of_locale),
            (8, listed(KNOWN)),
            (20, lambda _: f"{stem}{form}" if form.startswith(",") else f"{stem} {form}"),
            (16, lambda _: f"{stem} {trade}"),
            (6, lambda _: f"{stem} {trade} {form.removeprefix(', ')}"),
            (8, lambda random: stem + between + self._names.last(random)),
            (4, lambda random: stem + random.choice(ENDINGS)),
            (8, lambda _: stem),
        )

    def organization(self, random: Random) -> str:
        """Return a university, hospital, agency, club, paper, bank, …, or a company."""
        return choose(
            random,
            (32, listed(KNOWN)),
            (28, self._of_place),
            (10, self._of_person),
            (12, self._agency),
            (5, self._acronym),
            (13, self.company),
        )

    def merchant(self, random: Random) -> str:
        """Return a shop or restaurant, often one that is called after a person."""
        return choose(
            random,
            (70, listed(lists.values("merchants"))),
            (10, lambda random: random.choice(SHOPS).format(self._names.last(random))),
            (20, lambda random: f"{self._stem(random)} {random.choice(TRADES)}"),
        )
