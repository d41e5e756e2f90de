"""What can be recognised: entities, their Presidio recognisers, and the three we alter.

Only recognisers of patterns and checksums: no language model is needed, so nothing is downloaded.
Presidio and spaCy take seconds to import; this module imports them only inside `build`.

A score says how sure a match is: about 0.5 and more stands on its own (an e-mail address), 1.0 has
a checksum that fits (a card number), and the vague ones (nine digits) stay below 0.4 until a
context word stands within five words before them. Hence the usual `min_score` of 0.4.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from presidio_analyzer import EntityRecognizer

IDENTIFIERS: Final = (
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
"""The group `identifiers`: numbers and addresses that single out a person or an account anywhere.

Left out on purpose: URL (`Booking.com` is a merchant), DATE_TIME, postcodes and number plates
(places and things, and a match for much else), company numbers, and national numbers whose patterns
take a grouped amount such as `123 456 789` for an identifier. A policy may name them one by one.
"""

_CLASSES: Final = {
    "ABA_ROUTING_NUMBER": "AbaRoutingRecognizer",
    "AU_ABN": "AuAbnRecognizer",
    "AU_ACN": "AuAcnRecognizer",
    "AU_MEDICARE": "AuMedicareRecognizer",
    "AU_TFN": "AuTfnRecognizer",
    "CA_POSTAL_CODE": "CaPostalCodeRecognizer",
    "CA_SIN": "CaSinRecognizer",
    "CREDIT_CARD": "CreditCardRecognizer",
    "CRYPTO": "CryptoRecognizer",
    "DATE_TIME": "DateRecognizer",
    "EMAIL_ADDRESS": "EmailRecognizer",
    "IBAN_CODE": "IbanRecognizer",
    "IN_AADHAAR": "InAadhaarRecognizer",
    "IN_PAN": "InPanRecognizer",
    "IN_PASSPORT": "InPassportRecognizer",
    "IN_VOTER": "InVoterRecognizer",
    "IP_ADDRESS": "IpRecognizer",
    "MAC_ADDRESS": "MacAddressRecognizer",
    "MEDICAL_LICENSE": "MedicalLicenseRecognizer",
    "NG_NIN": "NgNinRecognizer",
    "PHONE_NUMBER": "PhoneRecognizer",
    "PH_TIN": "PhTinRecognizer",
    "SG_NRIC_FIN": "SgFinRecognizer",
    "UK_DRIVING_LICENCE": "UkDrivingLicenceRecognizer",
    "UK_NHS": "NhsRecognizer",
    "UK_NINO": "UkNinoRecognizer",
    "UK_PASSPORT": "UkPassportRecognizer",
    "UK_POSTCODE": "UkPostcodeRecognizer",
    "UK_VEHICLE_REGISTRATION": "UkVehicleRegistrationRecognizer",
    "URL": "UrlRecognizer",
    "US_BANK_NUMBER": "UsBankRecognizer",
    "US_DRIVER_LICENSE": "UsLicenseRecognizer",
    "US_HEALTH_INSURANCE_MEMBER_ID": "UsHealthInsuranceMemberIdRecognizer",
    "US_ITIN": "UsItinRecognizer",
    "US_MBI": "UsMbiRecognizer",
    "US_NPI": "UsNpiRecognizer",
    "US_PASSPORT": "UsPassportRecognizer",
    "US_SSN": "UsSsnRecognizer",
    "UUID": "UuidRecognizer",
    "ZA_ID_NUMBER": "ZaIdNumberRecognizer",
}

_GATES: Final = {
    "CREDIT_CARD": r"\d(?:[- ]?\d){12}",
    "CRYPTO": r"[^\W_]{26}",
    "EMAIL_ADDRESS": r"@",
    "IBAN_CODE": r"[0-9]{2}(?:[ -]?[^\W_]{4}){2}",
    "IP_ADDRESS": r"[0-9](?:\.[0-9]{1,3}){3}|:[0-9a-f]{0,4}:",
    "MAC_ADDRESS": r"[0-9a-f]{2}([:-])[0-9a-f]{2}\1|[0-9a-f]{4}\.[0-9a-f]{4}\.",
    "SG_NRIC_FIN": r"[0-9]{7}",
    "UK_DRIVING_LICENCE": r"[0-9]{6}",
    "UK_NHS": r"[0-9]{3}[- ]?[0-9]{3}[- ]?[0-9]{4}",
    "UK_NINO": r"[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[a-d]",
    "UK_PASSPORT": r"\d{7}",
    "US_BANK_NUMBER": r"[0-9]{8}",
    "US_DRIVER_LICENSE": r"[0-9]{6}|[^\W\d_][0-9]|[0-9][^\W\d_]|\][0-9]",
    "US_ITIN": r"\d{3}[- ]?\d{2}[- ]?\d{4}",
    "US_MBI": r"[0-9][^\W\d_][^\W_][0-9]",
    "US_PASSPORT": r"[0-9]{8}",
    "US_SSN": r"[0-9]{3}[- .]?[0-9]{2}[- .]?[0-9]{4}",
}
GATES: Final = {entity: re.compile(gate, re.IGNORECASE) for entity, gate in _GATES.items()}
"""Entity -> what every match of its recogniser contains; a test compares with Presidio ungated."""

ENTITIES: Final = frozenset(_CLASSES)
GROUPS: Final = {"identifiers": IDENTIFIERS}

_REGIONS: Final = ("US", "CA", "GB", "FR", "DE", "JP", "AU", "SG", "BR", "MX", "NG", "RU", "IN")
_PHONE_WORDS: Final = (
    "phone",
    "telephone",
    "tel",
    "cell",
    "cellphone",
    "mobile",
    "call",
    "fax",
    "whatsapp",
    "number",
)
_NEAR_PHONE_WORD: Final = re.compile(rf"\b(?:{'|'.join(_PHONE_WORDS)})\b", re.IGNORECASE)


def build(entities: Iterable[str]) -> list["EntityRecognizer"]:
    """Return the recognisers of some entities, each a member of ENTITIES."""
    from presidio_analyzer import predefined_recognizers  # noqa: PLC0415  # takes seconds

    special = {
        "CREDIT_CARD": lambda: [_credit_card()],
        "EMAIL_ADDRESS": lambda: [_email_address()],
        "PHONE_NUMBER": _phone_numbers,
    }
    recognizers: list[EntityRecognizer] = []
    for entity in sorted(set(entities)):
        if entity in special:
            recognizers.extend(special[entity]())
        else:
            recognizers.append(getattr(predefined_recognizers, _CLASSES[entity])())
    return recognizers


def _credit_card() -> "EntityRecognizer":
    """Return Presidio's recogniser, which knows issuers 1, 3, 4, 50-55 and 6, for every issuer.

    Whatever it matches must pass Luhn (ISO/IEC 7812-1). For other issuers, digits in groups count
    only as four by four: a date beside an amount would be read as one number.
    """
    from presidio_analyzer import Pattern  # noqa: PLC0415  # takes seconds
    from presidio_analyzer.predefined_recognizers import (  # noqa: PLC0415  # takes seconds
        CreditCardRecognizer,
    )

    plain = Pattern("any issuer", r"\b\d{13,19}\b", 0.3)
    grouped = Pattern("any issuer, grouped", r"\b\d{4}([- ])\d{4}\1\d{4}\1\d{4}\b", 0.3)
    return CreditCardRecognizer(patterns=[*CreditCardRecognizer.PATTERNS, plain, grouped])


def _email_address() -> "EntityRecognizer":
    """Return Presidio's recogniser without its look at the public suffix list.

    That list comes over the network at the first address, and an address in a private domain
    (`name@host.internal`) names a person just as well.
    """
    from presidio_analyzer.predefined_recognizers import (  # noqa: PLC0415  # takes seconds
        EmailRecognizer,
    )

    class AnyDomainEmailRecognizer(EmailRecognizer):
        """E-mail addresses of any domain."""

        def validate_result(self, pattern_text: str) -> None:
            """Leave the score of the pattern as it is."""

    return AnyDomainEmailRecognizer()


def _phone_numbers() -> list["EntityRecognizer"]:
    """Return two recognisers: numbers with a country code, and domestic ones after a phone word.

    A domestic number looks like an amount or a date (`09.10.2024` is a valid one in Germany), so it
    counts only where the text says what it is. Looking for that word first also saves most of the
    time that Presidio takes on short texts.
    """
    from presidio_analyzer.predefined_recognizers import (  # noqa: PLC0415  # takes seconds
        PhoneRecognizer,
    )

    class InternationalPhoneRecognizer(PhoneRecognizer):
        """Numbers that begin with a plus sign and a country code."""

        SCORE = 0.7

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:
            """Search only where there is a plus sign."""
            if "+" not in text and "\uff0b" not in text:
                return []
            found: list[Any] = super().analyze(text, entities, nlp_artifacts)
            return found

    class DomesticPhoneRecognizer(PhoneRecognizer):
        """Numbers as written inside a country; below every usual min_score without context."""

        SCORE = 0.2

        def analyze(self, text: str, entities: list[str], nlp_artifacts: Any = None) -> list[Any]:
            """Search only where a context word could raise the score."""
            if _NEAR_PHONE_WORD.search(text) is None:
                return []
            found: list[Any] = super().analyze(text, entities, nlp_artifacts)
            return found

    context = list(_PHONE_WORDS)
    return [
        # ZZ is CLDR's "unknown region": without one, only numbers with a country code are valid.
        InternationalPhoneRecognizer(context=context, supported_regions=("ZZ",)),
        DomesticPhoneRecognizer(context=context, supported_regions=_REGIONS),
    ]
