"""Other projects' names for what is personal, in ours; and which names are alike.

A name is looked up without case and punctuation, and without a last NUM or NUMBER, so that
`Driver-License`, `DRIVERLICENSE` and `driver_license_num` are one. What is not personal by our
reading (products, works, amounts, professions) is set aside: it is neither to be found nor wrong
to be found. A name that is in no list stops the evaluation, because a guess would change the score.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from python_stages.errors import ConfigError
from python_stages.scrub.recognizers.catalogue import DATES, ENTITIES, NER_ENTITIES

IGNORE: Final = "ignore"  # what `--map NAME=ignore` says

_ALIASES: Final = {
    "PERSON": "PER NAME FULLNAME FIRSTNAME LASTNAME MIDDLENAME GIVENNAME SURNAME FAMILYNAME "
    "PERSONNAME NAMESTUDENT PATIENT DOCTOR CUSTOMER STAFF",
    "TITLE": "PREFIX HONORIFIC SALUTATION",
    "LOCATION": "LOC GPE CITY TOWN COUNTY STATE COUNTRY REGION PROVINCE FAC FACILITY GEOLOC "
    "LOCATIONOTHER PLACE",
    "STREET_ADDRESS": "ADDRESS STREET STREETNAME FULLADDRESS BUILDING SECONDARYADDRESS",
    "ORGANIZATION": "ORG ORGANISATION COMPANY COMPANYNAME CORPORATION GROUP BANK HOSPITAL EMPLOYER",
    "NRP": "NORP NATIONALITY RELIGION POLITICAL ETHNICITY RACEETHNICITY",
    "DATE_TIME": "DATE TIME DATETIME",
    "DATE_OF_BIRTH": "DOB BIRTHDATE BIRTHDAY DATEOFBIRTH",
    "ZIP_CODE": "ZIP POSTCODE POSTALCODE",
    "PO_BOX": "POSTBOX",
    "URL": "URI WEBSITE LINK URLPERSONAL",
    "DOMAIN_NAME": "DOMAIN HOST HOSTNAME",
    "USERNAME": "USER USERID LOGIN HANDLE",
    "PASSWORD": "PASS PASSPHRASE PIN",
    "API_KEY": "TOKEN ACCESSKEY SECRET SECRETKEY",
    "EMAIL_ADDRESS": "EMAIL MAIL",
    "PHONE_NUMBER": "PHONE TELEPHONE TEL MOBILE FAX CELL",
    "IP_ADDRESS": "IP IPV4 IPV6",
    "MAC_ADDRESS": "MAC",
    "CREDIT_CARD": "CARD CREDITDEBITCARD CCN MASKED",
    "CARD_SECURITY_CODE": "CVV CVC CREDITCARDCVV CARDCVV",
    "IBAN_CODE": "IBAN",
    "US_BANK_NUMBER": "BANKACCOUNT",
    "ABA_ROUTING_NUMBER": "ROUTING BANKROUTING ABA",
    "ACCOUNT_NUMBER": "ACCOUNT",
    "CRYPTO": "BITCOINADDRESS ETHEREUMADDRESS LITECOINADDRESS CRYPTOADDRESS WALLET",
    "US_SSN": "SSN SOCIAL SOCIALSECURITY",
    "US_ITIN": "ITIN",
    "DRIVER_LICENSE": "DRIVERSLICENSE DRIVERLICENCE DRIVINGLICENSE DRIVINGLICENCE LICENSE",
    "PASSPORT": "PASSPORTNO",
    "IN_AADHAAR": "AADHAR AADHAAR",
    "IN_PAN": "PAN",
    "IN_VOTER": "VOTER VOTERID",
    "MEDICAL_RECORD_NUMBER": "MEDICALRECORD MRN PATIENTID PID",
    "US_HEALTH_INSURANCE_MEMBER_ID": "HEALTHPLAN INSURANCEID INSURANCEPOLICY",
    "ID_NUMBER": "ID IDNUM IDCARD NATIONALID TAX TAXID EMPLOYEEID POLICEID CUSTOMERID STUDENTID "
    "DEVICE BIOID CERTIFICATE",
    "VIN": "VEHICLEVIN VEHICLEID",
    "LICENSE_PLATE": "PLATE VEHICLEVRM",
    "IMEI": "PHONEIMEI",
    "GPS_COORDINATE": "GPS COORDINATE NEARBYGPSCOORDINATE",
}
_NOT_PERSONAL: Final = (
    "PRODUCT CREATIVEWORK WORKOFART WORK EVENT MISC LAW LANGUAGE MONEY AMOUNT PERCENT QUANTITY "
    "CARDINAL ORDINAL CURRENCY CURRENCYCODE CURRENCYNAME CURRENCYSYMBOL SYSTEM PROFESSION JOB "
    "JOBTITLE JOBAREA JOBTYPE GENDER SEX HEIGHT EYECOLOR USERAGENT ORDINALDIRECTION BIC "
    "CREDITCARDISSUER ACCOUNTNAME"
)

_KIN: Final = (
    frozenset({*NER_ENTITIES, "TITLE", "ZIP_CODE", "PO_BOX", "UK_POSTCODE", "CA_POSTAL_CODE"}),
    frozenset(DATES),
    frozenset({"EMAIL_ADDRESS", "URL", "DOMAIN_NAME", "USERNAME"}),
    frozenset({"PASSWORD", "API_KEY", "JWT", "PRIVATE_KEY"}),
)
# Numbers and codes are one family: a set calls an account what we call a bank number.
_NUMBERS: Final = ENTITIES.difference(*_KIN)


def canonical(names: Iterable[str], extra: Mapping[str, str]) -> dict[str, str | None]:
    """Return our entity for every name of a set; None for what is not personal.

    Args:
        names: labels as the set has them.
        extra: what the user settled: name -> entity, or IGNORE.

    Raises:
        ConfigError: a name is unknown, or is mapped to no entity.
    """
    stray = sorted(set(extra.values()) - ENTITIES - {IGNORE})
    if stray:
        raise ConfigError(
            f"a label is mapped to {', '.join(stray)}, which is no entity: "
            f"the known ones are {', '.join(sorted(ENTITIES))}, and {IGNORE}"
        )
    table = _TABLE | {_key(name): entity for name, entity in extra.items()}
    found = {name: _lookup(name, table) for name in sorted(set(names))}
    unknown = [name for name, entity in found.items() if entity is None]
    if unknown:
        raise ConfigError(
            f"unknown label {', '.join(unknown)}: settle it with --map LABEL=ENTITY, or "
            f"--map LABEL={IGNORE}; the known ones are {', '.join(sorted(_TABLE))}"
        )
    return {name: None if entity == IGNORE else entity for name, entity in found.items()}


def kin(entities: Iterable[str]) -> frozenset[str]:
    """Return the entities that may be the proper name of what a set calls by one of these."""
    labelled = set(entities)
    families = [family for family in (*_KIN, _NUMBERS) if family & labelled]
    return frozenset(labelled).union(*families)


def _lookup(name: str, table: Mapping[str, str]) -> str | None:
    key = _key(name)
    return table.get(key) or table.get(re.sub(r"(NUM|NUMBER)$", "", key))


def _key(name: str) -> str:
    return re.sub(r"[\W_]", "", name).upper()


_TABLE: Final = (
    {_key(entity): entity for entity in ENTITIES}
    | {alias: entity for entity, aliases in _ALIASES.items() for alias in aliases.split()}
    | dict.fromkeys(_NOT_PERSONAL.split(), IGNORE)
)
