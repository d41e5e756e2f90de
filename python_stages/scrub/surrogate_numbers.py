"""Numbers for numbers: of the same length, punctuation, country and issuer, and nobody's.

    phone          ranges kept free for fiction: 555-01xx (NANPA), Ofcom's and other regulators'
    payment card   the first six digits of published test cards of the issuer, Luhn digit kept
    IBAN           the same country, bank 0000 or XXXX, check digits of ISO 13616
    IP address     RFC 5737 (192.0.2.0/24 and two more) and RFC 3849 (2001:db8::/32)
    MAC address    00-00-5E-00-53-xx (RFC 7042)
    US SSN, ITIN   numbers beginning with 9 in groups that neither agency gives out
    UK NHS, NINO   999 xxx xxxx, kept for tests; prefix QQ, which HMRC never allocates
    ZIP code       000xx to 004xx, which the postal service does not use

Limits: a fiction range is small (1,000 numbers in London, 70,000 in North America), so that two
phones may get one surrogate. Where a country has no such range, the number begins with 000 behind
the country code, which no numbering plan assigns. In Belgium all banks' codes are taken, so there
0000 is one. National check digits of accounts are right where `stdnum` knows them. Other numbers
have no range at all and get none.
"""

import ipaddress
import random
import re
from collections.abc import Callable, Mapping
from typing import Final

from stdnum import iban, luhn
from stdnum.exceptions import ValidationError

_DIGITS: Final = "0123456789"

_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{6,30}")

_Range = tuple[str, str, int]
"""(what the national number begins with, what the surrogate begins with, its length in digits)"""

_FICTION: Final[Mapping[str, tuple[_Range, ...]]] = {
    # Ofcom, "Telephone numbers for use in TV and radio drama programmes"
    "44": (("7", "7700900", 10), ("20", "2079460", 10), ("80", "8081570", 10), ("", "1632960", 10)),
    # ARCEP, decision 2018-0881, annex
    "33": (
        ("1", "19900", 9),
        ("2", "26191", 9),
        ("3", "35301", 9),
        ("4", "46571", 9),
        ("5", "53649", 9),
        ("6", "63998", 9),
        ("7", "63998", 9),
    ),
    # Bundesnetzagentur, "Rufnummern für Medienproduktionen"; any digits may follow a block
    "49": (("1", "17139200", 10), ("1", "176040690", 11), ("", "3023125", 10), ("", "3023125", 11)),
    # ACMA, "Phone numbers for use in TV shows, films and creative works"
    "61": (("2", "25550", 9), ("3", "35550", 9), ("7", "75550", 9), ("8", "85550", 9)),
    # ComReg, numbering conditions of use: 020 91x xxxx
    "353": (("", "2091", 9),),
    # PTS, "Telefonnummer för användning i böcker och filmer"
    "46": (("7", "7017406", 9), ("", "84650040", 9)),
}
_COUNTRY_CODES: Final = {
    "US": "1", "CA": "1", "GB": "44", "FR": "33", "DE": "49", "AU": "61", "IE": "353", "SE": "46",
}  # fmt: skip

# Numbers that the payment networks and processors publish for tests.
_TEST_CARDS: Final = (
    (r"4", ("411111", "424242", "401288")),
    (r"3[47]", ("378282", "371449")),
    (r"5[1-5]|2[2-7]", ("555555", "510510")),
    (r"35", ("353011", "356600")),
    (r"3[068]", ("305693", "385200")),
    (r"62", ("620000",)),
    (r"6", ("601111", "601100")),
)


def phone(value: str, draw: random.Random, locale: str) -> str | None:
    """Return a fictitious number with the punctuation and country of one."""
    number, extension = _without_extension(value)
    digits = re.sub(r"\D", "", number)
    country, start = _country(number, digits, locale)
    national = digits[start:]
    if len(national) < 5:  # noqa: PLR2004  # a short code, which is a service
        return None
    trunk = "0" if country != "1" and national.startswith("0") else ""
    made = trunk + _national(country, national[len(trunk) :], draw)
    extended = re.sub(r"\d", lambda _: draw.choice(_DIGITS), extension)
    filled = _fill(number, digits[:start] + made)
    return filled and filled + extended


def card(value: str, draw: random.Random) -> str | None:
    """Return a test card of the same issuer and length, its Luhn digit right (ISO/IEC 7812-1)."""
    digits = re.sub(r"\D", "", value)
    prefixes = next((some for issuer, some in _TEST_CARDS if re.match(issuer, digits)), None)
    if prefixes is None or not 13 <= len(digits) <= 19:  # noqa: PLR2004  # ISO/IEC 7812-1
        return None
    made = _drawn(draw.choice(prefixes), len(digits) - 1, draw)
    return _fill(value, made + luhn.calc_check_digit(made))


def account(value: str, draw: random.Random) -> str | None:
    """Return a valid IBAN (ISO 13616) of the same country and of no bank."""
    text = iban.compact(value)
    if _IBAN.fullmatch(text) is None:
        return None
    country, number = text[:2], text[4:]
    bank = "".join("0" if one.isdigit() else "X" for one in number[:4])
    rest = "".join(
        draw.choice(_DIGITS if one.isdigit() else "ABCDEFGHJKLMNPQRSTUVWXYZ") for one in number[4:]
    )
    made = _with_national_check(country, bank + rest)
    made = f"{country}{iban.calc_check_digits(f'{country}00{made}')}{made}"
    try:
        iban.validate(made)
    except ValidationError:
        return None
    return _fill(value, made, r"[^\W_]")


def _with_national_check(country: str, number: str) -> str:
    """Return a national account number with the check digits that its country wants."""
    from stdnum.es import ccc  # noqa: PLC0415  # of one country

    if country == "BE":
        return f"{number[:10]}{int(number[:10]) % 97 or 97:02}"
    if country == "ES":
        return number[:8] + ccc.calc_check_digits(number) + number[10:]
    if country == "ME":
        return f"{number[:16]}{98 - int(number[:16] + '00') % 97:02}"
    if country == "NO":  # behind 0000, an account of the former post bank
        return number[:10] + luhn.calc_check_digit(number[4:10])
    return number


def ip_address(value: str, draw: random.Random) -> str | None:
    """Return an address that is kept for documentation."""
    try:
        version = ipaddress.ip_address(value.strip()).version
    except ValueError:
        return None
    if version == 4:  # noqa: PLR2004  # version of the protocol
        network = draw.choice(("192.0.2", "198.51.100", "203.0.113"))
        return f"{network}.{draw.randint(1, 254)}"
    return str(ipaddress.IPv6Address((0x20010DB8 << 96) | draw.getrandbits(96)))


def mac_address(value: str, draw: random.Random) -> str | None:
    """Return an address that is kept for documentation, with the punctuation and casing of one."""
    made = f"00005E0053{draw.randrange(256):02X}"
    return _fill(value, made.lower() if value == value.lower() else made, r"[\da-fA-F]")


def us_ssn(value: str, draw: random.Random) -> str | None:
    """Return a number that the Social Security Administration does not give out (20 CFR 422.103).

    It begins with 9, as taxpayer numbers (ITIN) do, but these have 50 or more in the middle.
    """
    return _nine_digits(value, f"9{draw.randrange(100):02}{draw.randrange(1, 50):02}", draw)


def us_itin(value: str, draw: random.Random) -> str | None:
    """Return a number with 89 or 93 in the middle, which the IRS leaves out (26 CFR 301.6109-1)."""
    return _nine_digits(value, f"9{draw.randrange(100):02}{draw.choice(('89', '93'))}", draw)


def uk_nhs(value: str, draw: random.Random) -> str | None:
    """Return a number from 999 000 0000 on, kept for tests, with its check digit."""
    from stdnum.gb import nhs  # noqa: PLC0415  # rarely needed

    made = next(
        # of one number in eleven, the check digit would be 10
        start + check
        for start in iter(lambda: _drawn("999", 9, draw), None)
        for check in _DIGITS
        if nhs.is_valid(start + check)
    )
    return _fill(value, made)


def uk_nino(value: str, draw: random.Random) -> str | None:
    """Return a number with the prefix QQ, which is never allocated (HMRC manual NIM39110)."""
    made = f"QQ{_drawn('', 6, draw)}{draw.choice('ABCD')}"
    return _fill(value, made, r"[^\W_]")


def us_zip(value: str, draw: random.Random) -> str | None:
    """Return a code below 00500, which is no post office."""
    digits = re.sub(r"\D", "", value)
    if len(digits) not in (5, 9):
        return None
    return _fill(value, _drawn(f"00{draw.randrange(5)}", len(digits), draw))


def _nine_digits(value: str, start: str, draw: random.Random) -> str | None:
    return _fill(value, _drawn(start, 9, draw))


def _without_extension(value: str) -> tuple[str, str]:
    """Split a phone number from its extension."""
    match = re.search(r"[\s,;]*(?:x|ext\.?|extension|#)\s*\d{1,6}\s*$", value, re.IGNORECASE)
    return (value[: match.start()], match.group()) if match else (value, "")


def _country(number: str, digits: str, locale: str) -> tuple[str, int]:
    """Return the calling code, and how many digits stand before the national number."""
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE  # noqa: PLC0415  # large

    is_dialled = digits.startswith("00")
    if number.lstrip(" (").startswith(("+", "\uff0b")) or is_dialled:
        start = 2 if is_dialled else 0
        for length in (1, 2, 3):
            if int(digits[start : start + length] or 0) in COUNTRY_CODE_TO_REGION_CODE:
                return digits[start : start + length], start + length
        return "", start
    country = _COUNTRY_CODES.get(locale[-2:], "") if locale else "1"
    if country == "1" and len(digits) == 11 and digits[0] == "1":  # noqa: PLR2004  # 1 and ten
        return country, 1
    return country, 0


def _national(country: str, number: str, draw: random.Random) -> str:
    """Return a national number of the same length that is kept for fiction, or that cannot be."""
    if country == "1" and len(number) in (7, 10):
        area = f"{draw.randrange(2, 10)}{draw.randrange(9)}{draw.randrange(10)}"
        # x11 are services
        area = area if not area.endswith("11") else f"{area[0]}12"
        return f"{area}55501{draw.randrange(100):02}"[-len(number) :]
    for begin, fiction, length in _FICTION.get(country, ()):
        if number.startswith(begin) and len(number) == length:
            return _drawn(fiction, length, draw)
    return _drawn("000", len(number), draw)


def _drawn(start: str, length: int, draw: random.Random) -> str:
    """Return a start, filled up with digits."""
    return (start + "".join(draw.choice(_DIGITS) for _ in range(length)))[:length]


def _fill(form: str, characters: str, places: str = r"\d") -> str | None:
    """Return a form whose places hold the characters in turn; None where they are not as many."""
    if len(re.findall(places, form)) != len(characters):
        return None
    following = iter(characters)
    return re.sub(places, lambda _: next(following), form)


MAKERS: Final[Mapping[str, Callable[[str, random.Random], str | None]]] = {
    "CREDIT_CARD": card,
    "IBAN_CODE": account,
    "IP_ADDRESS": ip_address,
    "MAC_ADDRESS": mac_address,
    "US_SSN": us_ssn,
    "US_ITIN": us_itin,
    "UK_NHS": uk_nhs,
    "UK_NINO": uk_nino,
}
"""Entity -> what makes another number in the form of one, or None where it has no such form."""
