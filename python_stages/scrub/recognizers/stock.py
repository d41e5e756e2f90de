"""Presidio's own recognisers: which of them are used, and how some are altered.

Presidio takes a fitting checksum for proof. One in ten random numbers passes most of them, so those
whose shape is nothing but digits stay below every usual `min_score` until a context word stands
before them (`_DOUBTED`). Three expressions take quadratic time on hostile text and are replaced:
those of EmailRecognizer, UrlRecognizer (see web.py) and UsHealthInsuranceMemberIdRecognizer; the
last one of InPanRecognizer, which takes any ten characters, is left out.
"""

from typing import TYPE_CHECKING, Any, Final

from stdnum import iban

from python_stages.scrub.recognizers.shapes import Shape, recognizer

if TYPE_CHECKING:
    from collections.abc import Callable

    from presidio_analyzer import EntityRecognizer

CLASSES: Final = {
    "ABA_ROUTING_NUMBER": "AbaRoutingRecognizer",
    "AU_ABN": "AuAbnRecognizer",
    "AU_ACN": "AuAcnRecognizer",
    "AU_MEDICARE": "AuMedicareRecognizer",
    "AU_TFN": "AuTfnRecognizer",
    "CA_POSTAL_CODE": "CaPostalCodeRecognizer",
    "CREDIT_CARD": "CreditCardRecognizer",
    "CRYPTO": "CryptoRecognizer",
    "DE_HEALTH_INSURANCE": "DeHealthInsuranceRecognizer",
    "DE_ID_CARD": "DeIdCardRecognizer",
    "DE_SOCIAL_SECURITY": "DeSocialSecurityRecognizer",
    "EMAIL_ADDRESS": "EmailRecognizer",
    "FI_PERSONAL_IDENTITY_CODE": "FiPersonalIdentityCodeRecognizer",
    "IBAN_CODE": "IbanRecognizer",
    "IN_PAN": "InPanRecognizer",
    "IN_PASSPORT": "InPassportRecognizer",
    "IN_VOTER": "InVoterRecognizer",
    "IP_ADDRESS": "IpRecognizer",
    "IT_FISCAL_CODE": "ItFiscalCodeRecognizer",
    "KR_RRN": "KrRrnRecognizer",
    "MAC_ADDRESS": "MacAddressRecognizer",
    "MEDICAL_LICENSE": "MedicalLicenseRecognizer",
    "NG_NIN": "NgNinRecognizer",
    "PH_TIN": "PhTinRecognizer",
    "SG_NRIC_FIN": "SgFinRecognizer",
    "UK_DRIVING_LICENCE": "UkDrivingLicenceRecognizer",
    "UK_NHS": "NhsRecognizer",
    "UK_NINO": "UkNinoRecognizer",
    "UK_PASSPORT": "UkPassportRecognizer",
    "UK_POSTCODE": "UkPostcodeRecognizer",
    "UK_VEHICLE_REGISTRATION": "UkVehicleRegistrationRecognizer",
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

GATES: Final = {
    "ABA_ROUTING_NUMBER": r"\d{4}",
    "AU_ABN": r"\d{3}",
    "AU_ACN": r"\d{3}",
    "AU_MEDICARE": r"\d{4}",
    "AU_TFN": r"\d{3}",
    "CA_POSTAL_CODE": r"\d[a-z] ?\d",
    "CREDIT_CARD": r"\d(?:[- ./_]{0,3}\d){11}",
    "CRYPTO": r"[^\W_]{26}",
    "DE_HEALTH_INSURANCE": r"\d{9}",
    "DE_ID_CARD": r"\d",
    "DE_SOCIAL_SECURITY": r"\d{8}",
    "EMAIL_ADDRESS": r"@",
    "FI_PERSONAL_IDENTITY_CODE": r"\d{6}",
    "IBAN_CODE": r"[a-z]{2}[0-9]{2}",
    "IN_PAN": r"[0-9]{4}",
    "IN_PASSPORT": r"\d",
    "IN_VOTER": r"[0-9]{7}",
    "IP_ADDRESS": r"[0-9](?:\.[0-9]{1,3}){3}|:[0-9a-f]{0,4}:",
    "IT_FISCAL_CODE": r"[^\W_]{16}",
    "KR_RRN": r"\d{6}",
    "MAC_ADDRESS": r"[0-9a-f]{2}([:-])[0-9a-f]{2}\1|[0-9a-f]{4}\.[0-9a-f]{4}\.",
    "MEDICAL_LICENSE": r"\d{7}",
    "NG_NIN": r"\d{11}",
    "PH_TIN": r"\d{3}",
    "SG_NRIC_FIN": r"[0-9]{7}",
    "UK_DRIVING_LICENCE": r"[0-9]{6}",
    "UK_NHS": r"[0-9]{3}[- ]?[0-9]{3}[- ]?[0-9]{4}",
    "UK_NINO": r"[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[a-d]",
    "UK_PASSPORT": r"\d{7}",
    "UK_POSTCODE": r"\d[a-z]{2}|0AA",
    "UK_VEHICLE_REGISTRATION": r"\d",
    "US_BANK_NUMBER": r"[0-9]{8}",
    "US_DRIVER_LICENSE": r"[0-9]{6}|[^\W\d_][0-9]|[0-9][^\W\d_]|\][0-9]",
    "US_HEALTH_INSURANCE_MEMBER_ID": r"\d",
    "US_ITIN": r"\d{3}[- ]?\d{2}[- ]?\d{4}",
    "US_MBI": r"[0-9][^\W\d_][^\W_][0-9]",
    "US_NPI": r"\d{4}",
    "US_PASSPORT": r"[0-9]{8}",
    "US_SSN": r"[0-9]{3}[- .]?[0-9]{2}[- .]?[0-9]{4}",
    "UUID": r"[0-9a-f]{8}-[0-9a-f]{4}-",
    "ZA_ID_NUMBER": r"\d{13}",
}
"""Entity -> what every match contains; a test compares with the same recognisers ungated."""

_DOUBTED: Final = {
    "ABA_ROUTING_NUMBER": 0.3,
    "AU_MEDICARE": 0.3,
    "AU_TFN": 0.3,
    "AU_ACN": 0.3,
    "DE_ID_CARD": 0.3,
    "IN_VOTER": 0.3,
    "NG_NIN": 0.3,
    "US_NPI": 0.3,
}
"""Entity -> the most that its shape is worth without context, whatever its checksum says."""


_IBAN_AS_TYPED: Final = Shape(
    "IBAN_CODE",
    (
        (
            (
                r"\b[A-Z]{2}[0-9]{2}([ .-]?)[A-Z0-9]{4}(?:\1(?=[A-Z]{0,3}[0-9])[A-Z0-9]{4}){1,6}"
                r"(?:\1(?=[A-Z]{0,2}[0-9])[A-Z0-9]{1,3})?\b"
            ),
            0.9,
        ),
    ),
    is_valid=lambda text: bool(iban.is_valid(text.replace(".", ""))),
)


def recognizers(entity: str) -> list["EntityRecognizer"]:
    """Return Presidio's recogniser of an entity, altered where this module says so."""
    special: dict[str, Callable[[], list[EntityRecognizer]]] = {
        "CREDIT_CARD": _credit_card,
        "EMAIL_ADDRESS": _email_address,
        "IBAN_CODE": lambda: [_presidio("IBAN_CODE"), recognizer(_IBAN_AS_TYPED)],
        "IN_PAN": lambda: [_presidio("IN_PAN", patterns=_class("IN_PAN").PATTERNS[:2])],
        "US_HEALTH_INSURANCE_MEMBER_ID": _member_id,
    }
    if entity in special:
        return special[entity]()
    if entity in _DOUBTED:
        return [_doubted(entity)]
    return [_presidio(entity)]


def _class(entity: str) -> Any:
    from presidio_analyzer import predefined_recognizers  # noqa: PLC0415  # takes seconds

    return getattr(predefined_recognizers, CLASSES[entity])


def _presidio(entity: str, **options: Any) -> "EntityRecognizer":
    """Return a recogniser for every language that a text may be in: ours are all called English."""
    built: EntityRecognizer = _class(entity)(supported_language="en", **options)
    return built


def _doubted(entity: str) -> "EntityRecognizer":
    """Return a recogniser that a fitting checksum makes no surer, but a wrong one rules out."""
    from presidio_analyzer import Pattern  # noqa: PLC0415  # takes seconds

    base = _class(entity)

    class DoubtedRecognizer(base):  # type: ignore[misc,valid-type]  # the base is looked up
        """Presidio's recogniser, less sure of itself."""

        def validate_result(self, pattern_text: str) -> None:
            """Leave the score of the pattern as it is."""

        def invalidate_result(self, pattern_text: str) -> bool:
            """Return whether the checksum is wrong."""
            return super().validate_result(pattern_text) is False or bool(
                super().invalidate_result(pattern_text),
            )

    most = _DOUBTED[entity]
    built: EntityRecognizer = DoubtedRecognizer(
        patterns=[Pattern(p.name, p.regex, min(p.score, most)) for p in base.PATTERNS],
        supported_language="en",
    )
    return built


def _credit_card() -> list["EntityRecognizer"]:
    """Return Presidio's recogniser, which knows issuers 1, 3, 4, 50-55 and 6, for every issuer.

    Whatever it matches must pass Luhn (ISO/IEC 7812-1). For other issuers, digits in groups count
    only as four by four: a date beside an amount would be read as one number.
    """
    from presidio_analyzer import Pattern  # noqa: PLC0415  # takes seconds

    separators = r"[-./_]|[ ]{1,3}| - "
    patterns = [
        Pattern("any issuer", r"\b\d{13,19}\b", 0.3),
        Pattern(
            "any issuer, grouped",
            rf"\b\d{{4}}({separators})\d{{4}}\1\d{{4}}\1\d{{4}}(?:\1\d{{3}})?\b",
            0.3,
        ),
        # Maestro's shortest (ISO/IEC 7812-1 lets an issuer choose the length)
        Pattern(
            "twelve digits",
            rf"\b(?:0604|50\d\d|5[6-8]\d\d|6\d{{3}})({separators})?\d{{4}}(?:\1)?\d{{4}}\b",
            0.3,
        ),
        Pattern("four, six, five", rf"\b3\d{{3}}({separators})\d{{6}}\1\d{{4,5}}\b", 0.3),
    ]
    return [
        _presidio(
            "CREDIT_CARD",
            patterns=[*_class("CREDIT_CARD").PATTERNS, *patterns],
            replacement_pairs=[(separator, "") for separator in "- ./_"],
        ),
    ]


def _email_address() -> list["EntityRecognizer"]:
    """Return a recogniser like Presidio's, of any domain, in linear time.

    Presidio looks the public suffix list up over the network at the first address, and an address
    in a private domain (`name@host.internal`) names a person just as well. Its expression begins
    anew at each dot of a long local part; this one reads every run of characters once.
    """
    signs = r"!#$%&'*+\-/=?^`{|}~."
    local = signs + r"\w"
    label = r"\w++(?:-++\w++)*+"
    return [
        recognizer(
            Shape(
                "EMAIL_ADDRESS",
                (
                    (
                        rf"(?<![{local}])[{signs}]*+\K\b[{local}]++(?<!\.)@{label}(?:\.{label})++",
                        0.5,
                    ),
                ),
                context=("email", "e-mail", "mail"),
            ),
        ),
    ]


def _member_id() -> list["EntityRecognizer"]:
    """Return Presidio's recogniser with its look-aheads bounded: they took quadratic time."""
    from presidio_analyzer import Pattern  # noqa: PLC0415  # takes seconds

    expression = (
        r"\b(?=[A-Z0-9-]{6,20}\b)(?=[A-Z0-9-]{0,19}[A-Z])(?=[A-Z0-9-]{0,19}\d)"
        r"[A-Z]{1,5}-?[A-Z0-9]{5,14}\b"
    )
    pattern = Pattern("member id", expression, 0.1)
    return [_presidio("US_HEALTH_INSURANCE_MEMBER_ID", patterns=[pattern])]
