"""Values that are no entity of the model: dates, numbers, codes, jobs, products."""

from random import Random
from typing import Final

from python_stages.scrub.ner.generate import lists
from python_stages.scrub.ner.generate.choice import Maker, chance, choose, listed
from python_stages.scrub.ner.generate.invented import Inventor

MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
CARD_GRADES: Final = (
    "Basic",
    "Standard",
    "Classic",
    "Silver",
    "Gold",
    "Platinum",
    "Premium",
    "Black",
)
CARD_TYPES: Final = ("Credit", "Debit", "Credit", "Debit", "Prepaid", "Charge", "Rewards")
# 9 a digit, A a capital, a a small letter, # a letter or digit
FORMS: Final = {
    "phone": (
        "+1 999-999-9999", "(999) 999-9999", "999-999-9999", "999.999.9999", "999-9999", "9999999",
        "+44 9999 999999", "07999 999999", "+49 999 9999999", "0999 999999", "+33 9 99 99 99 99",
        "99 99 99 99", "+91 99999 99999", "(99) 9999-9999", "1-999-999-9999 x999", "9999999999",
        "+999999999999", "999 999 999",
    ),
    "ip": ("99.199.9.199", "192.168.9.99", "10.9.9.99", "2001:db8:99a9::9a9", "fe80::99a9:9"),
    "card": ("4999 9999 9999 9999", "5999999999999999", "3999-999999-99999", "4999-9999-9999-9999"),
    "iban": (
        "GB99 AAAA 9999 9999 9999 99", "DE99999999999999999999",
        "FR99 9999 9999 9999 9999 9999 999",
    ),
    "ssn": ("999-99-9999", "999 99 9999", "999999999"),
    "account": (
        "9999999999", "99999999", "99-99-99 99999999", "XX9999", "****9999", "999999999999",
    ),
    "order_id": (
        "ORD-99999", "#9999999", "A99-9999999", "AA9999999", "PO-999999", "999-9999999-9999999",
    ),
    "id_number": (
        "A9999999", "99999999A", "AA-99-99", "999999", "AA999999A", "9999-9999", "P99999999",
    ),
    "code": (
        "AAA99999999", "A9999999", "AA-99-99-99", "AAAAA9999A", "AAA-999-AAA", "99AA999AAA",
        "AA99AAAA", "AAAAAAAAA-999", "AA-AA-AAA999AAA", "AAA999", "AAAA-9999-AA", "999999/9",
        "AA_999999999",
    ),
    "masked": (
        "XXXX-XXXX-XXXX-9999", "XXX-XX-9999", "XXX-XX-XXXX", "XXXX XXXX XXXX 9999", "XXXXXX9999",
        "****9999", "**** **** **** 9999", "xxxx-9999", "XXXX-XXXX", "XXXXX", "xxx-xxx-9999",
        "*9999",
    ),
    "zip": ("99999", "99999", "99999-9999", "AA9 9AA", "A9A 9A9", "9999", "999 99", "999999"),
    "number": ("9", "99", "99", "999", "9,999", "99,999", "9.9", "9999"),
    "percent": ("9%", "99%", "9.9%", "99.99%", "99 percent", "9 %"),
    "amount": (
        "$99.99", "$999", "$9,999.99", "€99", "99,99 €", "£9.99", "USD 999.99", "999 EUR",
        "$9.9 million", "₹99,999", "9,999 dollars", "CHF 99.99", "¥9999", "999.99",
    ),
}  # fmt: skip
MODELS: Final = ("A99", "AA-9999", "99", "A9")  # of things on sale
TOP_LEVEL: Final = ("com", "org", "net", "io", "co.uk", "de", "fr", "gov", "edu", "com.au", "info")


def letters(random: Random, form: str) -> str:
    """Fill a form: 9 is a digit, A a capital letter, a a small hexadecimal letter."""
    return "".join(
        str(random.randint(0, 9)) if sign == "9"
        else random.choice("BCDFGHJKLMNPRSTVWXZ") if sign == "A"
        else random.choice("abcdef") if sign == "a"
        else sign
        for sign in form
    )  # fmt: skip


def _date(random: Random) -> str:
    day, month, year = random.randint(1, 28), random.randint(1, 12), random.randint(1930, 2029)
    return random.choice(
        (
            f"{month:02}/{day:02}/{year}", f"{day}.{month}.{year}", f"{year}-{month:02}-{day:02}",
            f"{day:02}/{month:02}/{year % 100:02}", f"{MONTHS[month - 1][:3]} {day}, {year}",
            f"{day} {MONTHS[month - 1]} {year}", f"{day}-{MONTHS[month - 1][:3]}-{year}",
        )
    )  # fmt: skip


def _date_long(random: Random) -> str:
    day, month, year = random.randint(1, 28), random.choice(MONTHS), random.randint(1930, 2029)
    return random.choice(
        (
            f"{month} {day}, {year}", f"{day} {month} {year}", f"{month} {day}th",
            f"{month} {year}",
            f"{random.choice(WEEKDAYS)}, {month} {day}", f"the {day}th of {month}",
            f"{random.choice(WEEKDAYS)} {day} {month} {year}",
        )
    )  # fmt: skip


def _time(random: Random) -> str:
    hour, minute = random.randint(1, 12), random.randint(0, 59)
    return random.choice(
        (f"{hour}:{minute:02}", f"{hour}:{minute:02} {random.choice(('AM', 'PM'))}", f"{hour}pm",
         f"{hour + 11}:{minute:02}:{random.randint(0, 59):02}", f"{hour} o'clock")
    )  # fmt: skip


def _citation(random: Random) -> str:
    year, court = random.randint(1880, 2029), random.choice(lists.values("courts"))
    volume, page = random.randint(1, 400), random.randint(1, 1500)
    return random.choice(
        (
            f"[{year}] {court} {page}", f"({year}) {volume} {court} {page}",
            f"{volume} {court} {page}", f"[{year}] {volume} {court} {page}",
            f"{volume} {court} {page} ({year})",
            f"[{year}] {court} {page} at [{random.randint(1, 90)}]",
            f"{volume} {court} {page} ({random.randint(1, 11)}th Cir. {year})",
            f"{volume} {court} {page}, {page + random.randint(1, 30)} ({year})",
        )
    )  # fmt: skip


def _card_kind(random: Random) -> str:
    grade = choose(random, (70, listed(CARD_GRADES)), (30, _heading))
    return f"{grade} {random.choice(CARD_TYPES)}"


def _password(random: Random) -> str:
    words = random.choices(lists.values("words"), k=random.choice((1, 1, 2, 2, 3)))
    form = random.choice(("9", "99", "9999", "9999!", "!", "@99", "#9", "$", ""))
    joined = "".join(word.capitalize() if chance(random, 80) else word for word in words)
    if chance(random, 30):
        joined = joined.translate(str.maketrans("aeos", "@305"))
    return joined + letters(random, form)


def _heading(random: Random) -> str:
    words = random.choices(lists.values("words"), k=random.choice((1, 1, 2, 2, 2, 3, 3, 4)))
    return " ".join(word.capitalize() for word in words)


def _product(random: Random) -> str:
    brand, kind = (
        random.choice(lists.values("brands")),
        random.choice(lists.values("product_types")),
    )
    return choose(
        random,
        (40, listed(lists.values("products"))),
        (35, lambda _: f"{brand} {kind}"),
        (
            10,
            lambda random: (
                f"{brand} {letters(random, random.choice(('A99', 'AA-9999', '99', 'A9')))}"
            ),
        ),
        (5, lambda random: f"{brand} {_heading(random)}"),
        (10, lambda _: kind),
    )


def fillers(inventor: Inventor) -> dict[str, Maker]:
    """Return the maker of each slot that is no entity.

    Args:
        inventor: makes the words of hosts and users, in lower case.
    """

    def word(random: Random) -> str:
        return inventor.word(random)

    def domain(random: Random) -> str:
        first, second = word(random), random.choice(("", "", f"-{word(random)}"))
        return f"{first}{second}.{random.choice(TOP_LEVEL)}"

    def username(random: Random) -> str:
        tail = random.choice(
            ("", str(random.randint(1, 999)), f"_{word(random)}", f".{word(random)}")
        )
        return word(random) + tail

    def email(random: Random) -> str:
        host = random.choice(
            ("gmail.com", "yahoo.com", "hotmail.com", "outlook.com", domain(random))
        )
        name = username(random)
        return f"{name.capitalize() if chance(random, 20) else name}@{host}"

    def url(random: Random) -> str:
        start = random.choice(("https://www.", "http://", "https://", "www."))
        return (
            start
            + domain(random)
            + random.choice(("", "/", f"/{word(random)}", f"/{word(random)}.html"))
        )

    def code(random: Random) -> str:
        return choose(
            random,
            (60, form("code")),
            (25, lambda random: word(random).upper() + letters(random, "999AA")),
            (15, lambda random: f"{word(random).upper()}-{letters(random, '9999')}"),
        )

    def form(slot: str) -> Maker:
        return lambda random: letters(random, random.choice(FORMS[slot]))

    return {
        **{slot: form(slot) for slot in FORMS},
        "date": _date,
        "date_long": _date_long,
        "time": _time,
        "email": email,
        "url": url,
        "domain": domain,
        "username": username,
        "age": lambda random: str(random.randint(1, 99)),
        "title": listed(lists.values("titles")),
        "job": listed(lists.values("jobs")),
        "product": _product,
        "heading": _heading,
        "citation": _citation,
        "court": listed(lists.values("court_names")),
        "card_kind": _card_kind,
        "password": _password,
        "code": code,
        "acronym": listed(lists.values("acronyms")),
        "weekday": listed(WEEKDAYS),
        "month": listed(MONTHS),
        "year": lambda random: str(random.randint(1930, 2029)),
    }
