"""The names of everything that can be recognised, and the groups a policy may name instead.

For the safe harbor of HIPAA, 45 CFR 164.514(b)(2)(i), its 18 identifiers and what covers them:

    A names                  PERSON, TITLE
    B places below a state   STREET_ADDRESS, LOCATION, ZIP_CODE, PO_BOX, UK_POSTCODE,
                             CA_POSTAL_CODE, GPS_COORDINATE
    C dates but the year     DATE_TIME, DATE_OF_BIRTH, AGE (over 89)
    D, E phone, fax          PHONE_NUMBER
    F e-mail                 EMAIL_ADDRESS
    G social security        US_SSN, US_ITIN, and `national_ids` for other countries
    H medical records        MEDICAL_RECORD_NUMBER
    I health plans           US_MBI, US_HEALTH_INSURANCE_MEMBER_ID, AU_MEDICARE,
                             DE_HEALTH_INSURANCE, UK_NHS, ID_NUMBER (policy, member, group)
    J accounts               ACCOUNT_NUMBER, US_BANK_NUMBER, ABA_ROUTING_NUMBER, IBAN_CODE,
                             CREDIT_CARD, CARD_SECURITY_CODE, CRYPTO
    K certificates           DRIVER_LICENSE, US_DRIVER_LICENSE, UK_DRIVING_LICENCE,
                             MEDICAL_LICENSE, US_NPI, PASSPORT, US_PASSPORT, UK_PASSPORT
    L vehicles               VIN, LICENSE_PLATE, UK_VEHICLE_REGISTRATION
    M devices                IMEI, MAC_ADDRESS, UUID
    N web addresses          URL, DOMAIN_NAME
    O network addresses      IP_ADDRESS
    P, Q biometrics, photos  none: no text holds them
    R anything else unique   ID_NUMBER, USERNAME, UUID, and `secrets`
"""

from typing import Final

NER_ENTITIES: Final = ("PERSON", "LOCATION", "STREET_ADDRESS", "ORGANIZATION", "NRP")
"""What the language model finds. Patterns and gazetteers add to it, and no gate stands before."""

SECRETS: Final = ("API_KEY", "JWT", "PASSWORD", "PRIVATE_KEY")

NATIONAL_IDS: Final = (
    "AT_SVNR",
    "AU_MEDICARE",
    "AU_TFN",
    "BE_NN",
    "BG_EGN",
    "BR_CPF",
    "CA_SIN",
    "CH_AHV",
    "CL_RUT",
    "CN_RIC",
    "CZ_RC",
    "DE_HEALTH_INSURANCE",
    "DE_ID_CARD",
    "DE_SOCIAL_SECURITY",
    "DE_TAX_ID",
    "DK_CPR",
    "DRIVER_LICENSE",
    "EE_IK",
    "ES_NIE",
    "ES_NIF",
    "FI_PERSONAL_IDENTITY_CODE",
    "FR_NIR",
    "GR_AMKA",
    "HR_OIB",
    "IE_PPS",
    "IL_ID",
    "IN_AADHAAR",
    "IN_PAN",
    "IN_PASSPORT",
    "IN_VOTER",
    "IS_KENNITALA",
    "IT_FISCAL_CODE",
    "JP_MY_NUMBER",
    "KR_RRN",
    "LT_AK",
    "LV_PK",
    "MX_CURP",
    "MY_NRIC",
    "NG_NIN",
    "NL_BSN",
    "NO_FNR",
    "PASSPORT",
    "PH_TIN",
    "PK_CNIC",
    "PL_PESEL",
    "PT_NIF",
    "RO_CNP",
    "SE_PERSONNUMMER",
    "SG_NRIC_FIN",
    "SI_EMSO",
    "TH_TNIN",
    "TR_NATIONAL_ID",
    "UK_DRIVING_LICENCE",
    "UK_NHS",
    "UK_NINO",
    "UK_PASSPORT",
    "US_DRIVER_LICENSE",
    "US_ITIN",
    "US_MBI",
    "US_PASSPORT",
    "US_SSN",
    "ZA_ID_NUMBER",
)

_PRESIDIO_IDENTIFIERS: Final = (
    "CREDIT_CARD",
    "CRYPTO",
    "EMAIL_ADDRESS",
    "IBAN_CODE",
    "IP_ADDRESS",
    "MAC_ADDRESS",
    "PHONE_NUMBER",
    "SG_NRIC_FIN",
    "UK_DRIVING_LICENCE",
    "UK_NHS",
    "UK_NINO",
    "UK_PASSPORT",
    "US_BANK_NUMBER",
    "US_DRIVER_LICENSE",
    "US_ITIN",
    "US_MBI",
    "US_PASSPORT",
    "US_SSN",
)
_MORE_IDENTIFIERS: Final = (
    "API_KEY",
    "BR_CPF",
    "CARD_SECURITY_CODE",
    "CH_AHV",
    "CN_RIC",
    "DRIVER_LICENSE",
    "ES_NIE",
    "ES_NIF",
    "FI_PERSONAL_IDENTITY_CODE",
    "FR_NIR",
    "ID_NUMBER",
    "IMEI",
    "IT_FISCAL_CODE",
    "JWT",
    "MEDICAL_RECORD_NUMBER",
    "MX_CURP",
    "PASSPORT",
    "PASSWORD",
    "PRIVATE_KEY",
    "VIN",
)
IDENTIFIERS: Final = tuple(sorted({*_PRESIDIO_IDENTIFIERS, *_MORE_IDENTIFIERS}))
"""The group `identifiers`: numbers and addresses that single out a person or an account anywhere.

Left out on purpose: URL (`Booking.com` is a merchant), DATE_TIME, postcodes and number plates
(places and things, and a match for much else), company numbers, and national numbers whose patterns
take a grouped amount such as `123 456 789` for an identifier. A policy may name them one by one.
"""

NAMES: Final = ("PERSON", "TITLE", "USERNAME")

ADDRESSES: Final = (
    "CA_POSTAL_CODE",
    "GPS_COORDINATE",
    "LOCATION",
    "PO_BOX",
    "STREET_ADDRESS",
    "UK_POSTCODE",
    "ZIP_CODE",
)

DATES: Final = ("AGE", "DATE_OF_BIRTH", "DATE_TIME")

_OTHERS: Final = (
    "ABA_ROUTING_NUMBER",
    "ACCOUNT_NUMBER",
    "AU_ABN",
    "AU_ACN",
    "DOMAIN_NAME",
    "LICENSE_PLATE",
    "MEDICAL_LICENSE",
    "NRP",
    "ORGANIZATION",
    "UK_VEHICLE_REGISTRATION",
    "URL",
    "US_HEALTH_INSURANCE_MEMBER_ID",
    "US_NPI",
    "UUID",
)

ALL: Final = tuple(
    sorted({*IDENTIFIERS, *SECRETS, *NATIONAL_IDS, *NAMES, *ADDRESSES, *DATES, *_OTHERS}),
)
ENTITIES: Final = frozenset(ALL)
GROUPS: Final = {
    "identifiers": IDENTIFIERS,
    "secrets": SECRETS,
    "national_ids": NATIONAL_IDS,
    "names": NAMES,
    "addresses": ADDRESSES,
    "dates": DATES,
    "all": ALL,
}
