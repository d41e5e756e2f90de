"""Policies that the law or long practice has written already, by name.

    identifiers         numbers and addresses that single out a person or an account
    gdpr                personal data as the GDPR defines it
    hipaa_safe_harbor   the 18 identifiers of the HIPAA privacy rule

A preset finds what can be found in text, no more: it is a reading of the law, not advice, and a
dataset that passed it still needs somebody who answers for it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from python_stages.scrub.recognizers import GROUPS


@dataclass(frozen=True, slots=True)
class Identifier:
    """One of the identifiers that a law lists.

    Attributes:
        clause: where it stands.
        name: what it is called there, shortened.
        operators: entity -> operator, for what of it can stand in a text.
    """

    clause: str
    name: str
    operators: Mapping[str, str]


def _each(operator: str, *entities: str) -> dict[str, str]:
    return dict.fromkeys(entities, operator)


def _placeholders(*entities: str) -> dict[str, str]:
    return _each("placeholder", *entities)


def _merged(identifiers: Iterable[Identifier]) -> dict[str, str]:
    """Return entity -> operator; what an earlier identifier says of an entity stands."""
    operators: dict[str, str] = {}
    for identifier in identifiers:
        operators = {**identifier.operators, **operators}
    return dict(sorted(operators.items()))


HIPAA_SAFE_HARBOR: Final = (
    Identifier("A", "names", _placeholders("PERSON", "TITLE", "ORGANIZATION")),
    Identifier(
        "B",
        "geographic subdivisions smaller than a state",
        {
            **_placeholders("STREET_ADDRESS", "PO_BOX", "GPS_COORDINATE"),
            **_placeholders("UK_POSTCODE", "CA_POSTAL_CODE"),
            **_each("generalise", "LOCATION", "ZIP_CODE"),
        },
    ),
    Identifier(
        "C",
        "dates but the year, ages over 89",
        _each("generalise:year", "DATE_TIME", "DATE_OF_BIRTH", "AGE"),
    ),
    Identifier("D", "telephone numbers", _placeholders("PHONE_NUMBER")),
    Identifier("E", "fax numbers", _placeholders("PHONE_NUMBER")),
    Identifier("F", "e-mail addresses", _placeholders("EMAIL_ADDRESS")),
    Identifier("G", "social security numbers", _placeholders("US_SSN", "US_ITIN")),
    Identifier("H", "medical record numbers", _placeholders("MEDICAL_RECORD_NUMBER")),
    Identifier(
        "I",
        "health plan beneficiary numbers",
        _placeholders("US_MBI", "US_HEALTH_INSURANCE_MEMBER_ID", "AU_MEDICARE", "UK_NHS"),
    ),
    Identifier(
        "J",
        "account numbers",
        _placeholders(
            "ACCOUNT_NUMBER",
            "US_BANK_NUMBER",
            "ABA_ROUTING_NUMBER",
            "IBAN_CODE",
            "CREDIT_CARD",
            "CARD_SECURITY_CODE",
            "CRYPTO",
        ),
    ),
    Identifier(
        "K",
        "certificate and license numbers",
        _placeholders(
            "DRIVER_LICENSE",
            "US_DRIVER_LICENSE",
            "UK_DRIVING_LICENCE",
            "MEDICAL_LICENSE",
            "US_NPI",
            "PASSPORT",
            "US_PASSPORT",
            "UK_PASSPORT",
        ),
    ),
    Identifier(
        "L",
        "vehicle identifiers and license plates",
        _placeholders("VIN", "LICENSE_PLATE", "UK_VEHICLE_REGISTRATION"),
    ),
    Identifier(
        "M", "device identifiers and serial numbers", _placeholders("IMEI", "MAC_ADDRESS", "UUID")
    ),
    Identifier("N", "web addresses (URLs)", _placeholders("URL", "DOMAIN_NAME")),
    Identifier("O", "internet protocol addresses", _placeholders("IP_ADDRESS")),
    Identifier("P", "biometric identifiers", {}),  # no text holds a fingerprint or a voice,
    Identifier("Q", "full-face photographs", {}),  # and none a photograph
    Identifier(
        "R",
        "any other unique identifying number, characteristic or code",
        _placeholders("ID_NUMBER", "USERNAME", *GROUPS["secrets"], *GROUPS["national_ids"]),
    ),
)
"""The 18 identifiers of 45 CFR 164.514(b)(2)(i), in the order of its letters.

They are to go not only of the individual but of relatives, employers and household members, hence
ORGANIZATION under names. (B) lets the first three digits of a ZIP code stay where more than 20,000
people live in the area that they name, else 000. (C) lets the year stay unless it tells an age over
89, and sums such ages up as 90 or older. What (B) and (C) allow is `generalise` and
`generalise:year`; of a place, the country stays.

The method also asks that you know of no way to identify somebody by the rest, (b)(2)(ii): that is
for people to say.
"""

GDPR: Final = (
    Identifier("4(1)", "a name", _placeholders("PERSON", "USERNAME")),
    Identifier(
        "4(1), 87",
        "an identification number",
        _placeholders(
            *GROUPS["identifiers"],
            *GROUPS["national_ids"],
            *GROUPS["secrets"],
            "ACCOUNT_NUMBER",
            "LICENSE_PLATE",
            "MEDICAL_LICENSE",
            "UK_VEHICLE_REGISTRATION",
            "US_HEALTH_INSURANCE_MEMBER_ID",
            "US_NPI",
        ),
    ),
    Identifier(
        "4(1)",
        "location data",
        {
            **_placeholders("STREET_ADDRESS", "PO_BOX", "UK_POSTCODE", "CA_POSTAL_CODE"),
            **_each("generalise", "LOCATION", "ZIP_CODE", "GPS_COORDINATE"),
        },
    ),
    Identifier(
        "4(1), recital 30",
        "an online identifier",
        _placeholders("EMAIL_ADDRESS", "IP_ADDRESS", "MAC_ADDRESS", "IMEI", "UUID", "URL"),
    ),
    Identifier("4(1)", "factors of identity", {**_each("generalise", "AGE", "DATE_OF_BIRTH")}),
    Identifier("9(1)", "origin, opinions and beliefs", _placeholders("NRP")),
)
"""Personal data by articles of Regulation (EU) 2016/679.

Organisations are left alone, as the regulation is (recital 14), and so are dates, amounts and times
that are nobody's birth. Pseudonyms would leave the data personal (recital 26), hence placeholders;
`operator: pseudonym` changes that where the data may stay so (article 4(5)).
"""

PRESETS: Final[Mapping[str, Mapping[str, str]]] = {
    "identifiers": _placeholders(*GROUPS["identifiers"]),
    "gdpr": _merged(GDPR),
    "hipaa_safe_harbor": _merged(HIPAA_SAFE_HARBOR),
}
"""Preset -> entity -> operator."""
