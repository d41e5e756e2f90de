"""Numbers of documents, records, things and memberships, known by the words before them."""

from typing import Final

from stdnum import luhn

from python_stages.scrub.recognizers.shapes import END, NUMBERED, START, Shape, after, with_digits

_ID: Final = (
    r"\#?(?:[A-Z]{0,2}[ ]?[0-9]{2,6}(?:[ ][0-9]{2,6}){1,5}|[A-Z0-9]{1,24}(?:[-/.]"
    r"[A-Z0-9]{1,16}){0,5})" + END
)
_LETTER_VALUES: Final = {
    **{str(n): n for n in range(10)},
    **dict(zip("ABCDEFGH", range(1, 9), strict=True)),
    **dict(zip("JKLMN", range(1, 6), strict=True)),
    "P": 7,
    "R": 9,
    **dict(zip("STUVWXYZ", range(2, 10), strict=True)),
}
_SEVENTEEN: Final = r"(?<![^\W_])[A-HJ-NPR-Z0-9]{17}"
_FOURTEEN: Final = r"[0-9](?:[ /-]?[0-9]){13}"
_WEIGHTS: Final = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def _is_vin(text: str) -> bool:
    """Return whether the check digit of a vehicle identification number fits (49 CFR 565.15)."""
    number = text.upper()
    if not number.isascii():  # the expression takes the Kelvin sign for a k
        return False
    total = sum(
        weight * _LETTER_VALUES[letter] for weight, letter in zip(_WEIGHTS, number, strict=True)
    )
    return number[8] == "0123456789X"[total % 11] and not number.isdigit() and number[-4:].isdigit()


def _is_imei(text: str) -> bool:
    """Return whether 15 digits pass Luhn (3GPP TS 23.003, annex B)."""
    return bool(luhn.is_valid("".join(character for character in text if character.isdigit())))


_PERSONS_NUMBER: Final = (
    r"(?:employee|staff|personnel|worker|badge|member(?:ship)?|subscriber|beneficiary|insured|"
    r"insurance|policy(?:holder)?|health plan|plan member|claim|customer|client|user|student|pupil|"
    r"resident|applicant|loyalty|frequent flyer|voter|national|citizen|identity(?: card)?|"
    r"identification|id card|tax(?:payer)?|social (?:security|insurance)|national insurance|"
    r"enrol?lment|registration|visa|residence permit|green card|alien|immigration|military|"
    r"service|id|"
    r"badge|medicaid|medicare|nhs|prescription|certificate|cedula|cédula|personal)"
    r"(?:['’]s)?"
)
_BARE: Final = (
    r"(?:nino|tin|itin|bsn|cpf|curp|rfc|dni|nif|nie|nir|pesel|egn|cnp|oib|hetu|personnummer|"
    r"aadhaa?r|pan(?: card| number)|nric|cnic|rut|cedula|cédula|steuer-?id|ahv|avs|cuil|cuit|nin|"
    r"emirates id)"
)

SHAPES: Final = (
    Shape(
        "PASSPORT",
        (
            (
                after(
                    r"passports?|passeport|reisepass|pasaporte|passaporto|passaporte|paspoort|"
                    r"paszport|passnummer|travel document",
                    with_digits(2, r"[A-Z0-9]{1,3}[ -]?[A-Z0-9]{5,9}") + END,
                ),
                0.6,
            ),
            (rf"{START}[A-Z]{{1,2}}[0-9]{{6,8}}[A-Z]?{END}", 0.1),
        ),
        context=("passport", "passeport", "reisepass", "pasaporte", "passaporto", "paspoort"),
        gate=r"[0-9]",
    ),
    Shape(
        "DRIVER_LICENSE",
        (
            (
                after(
                    r"driv(?:er|ing|ers)(?:['’]?s)?[ _]licen[cs]e|"
                    r"permis de conduire|f(?:ü|ue)hrerschein(?:nummer)?|patente(?: di guida)?|"
                    r"(?:carnet|licencia|permiso) de conducir|rijbewijs|prawo jazdy|cnh|dl",
                    with_digits(4, _ID),
                ),
                0.6,
            ),
            (after(r"licen[cs]e", with_digits(4, _ID), NUMBERED), 0.6),
            (after(r"licen[cs]e", rf"(?!(?i:ids?)(?!\w)){with_digits(7, _ID)}"), 0.4),
        ),
        gate=r"licen[cs]|permis|hrerschein|patente|conducir|rijbewijs|jazdy|cnh|dl",
    ),
    Shape(
        "MEDICAL_RECORD_NUMBER",
        (
            (
                after(
                    r"mrn|(?:medical|health|patient) (?:record|file)|patient(?:['’]s)? (?:ids?|"
                    r"number|no)|"
                    r"patient_id|hospital number|chart (?:number|no)|med rec",
                    with_digits(3, _ID),
                ),
                0.6,
            ),
        ),
        gate=r"mrn|record|file|patient|hospital|chart|med rec",
    ),
    Shape(
        "ACCOUNT_NUMBER",
        (
            (
                after(
                    r"(?:bank )?accounts?|acct|a/c|kontonummer|konto(?:-?nr)?|compte|cuenta|"
                    r"rekening(?:nummer)?|conto|account_(?:number|no|id)",
                    with_digits(5, _ID),
                ),
                0.6,
            ),
            (after(r"sort[ -]?code", r"[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}" + END), 0.6),
            (after(r"bsb", r"[0-9]{3}[ -]?[0-9]{3}" + END), 0.6),
        ),
        gate=r"account|acct|a/c|konto|compte|cuenta|rekening|conto|sort|bsb",
    ),
    Shape(
        "ID_NUMBER",
        (
            (after(_PERSONS_NUMBER, with_digits(3, _ID), NUMBERED), 0.5),
            (after(_BARE, with_digits(6, _ID)), 0.4),
        ),
        gate=r"[0-9]",
    ),
    Shape(
        "US_SSN",
        (
            (
                after(
                    r"ssn|social security(?: number)?|soc\.? ?sec",
                    r"[0-9]{3}[- .]?[0-9]{2}[- .]?[0-9]{4}" + END,
                ),
                0.6,
            ),
        ),
        gate=r"[0-9]{3}[- .]?[0-9]{2}[- .]?[0-9]{4}",
    ),
    # An invented or mistyped number fails Luhn, and is meant as a card number all the same.
    Shape(
        "CREDIT_CARD",
        (
            (
                after(
                    r"(?:(?:credit|debit|bank|charge|payment) ?)?cards?|cc|visa|maestro|"
                    r"mastercard|amex|american express|discover",
                    r"(?:[0-9]{4}([ .-]?)[0-9]{4}\1[0-9]{4}(?:\1[0-9]{1,7})?|3[0-9]{3}([ .-]?)"
                    r"[0-9]{6}\2[0-9]{4,5})" + END,
                ),
                0.6,
            ),
        ),
        gate=r"[0-9](?:[ .-]?[0-9]){11}",
    ),
    Shape(
        "CARD_SECURITY_CODE",
        (
            (
                after(
                    r"cvv2?|cvc2?|csc|card security code|card verification (?:value|code|number)",
                    r"[0-9]{3,4}(?!\w)",
                ),
                0.6,
            ),
        ),
        gate=r"cv[vc]|csc|card",
    ),
    Shape(
        "VIN",
        ((rf"{START}[A-HJ-NPR-Z0-9]{{17}}{END}", 0.6),),
        is_valid=_is_vin,
        gate=_SEVENTEEN,
    ),
    Shape(
        "VIN",
        (
            (
                after(
                    r"vin|vehicle identification|chassis|fahrgestellnummer|fin",
                    with_digits(2, r"[A-HJ-NPR-Z0-9]{17}") + END,
                ),
                0.7,
            ),
        ),
        gate=_SEVENTEEN,
    ),
    Shape(
        "IMEI",
        (
            (r"(?<![\w.-])[0-9]{2}-[0-9]{6}-[0-9]{6}-[0-9](?![\w-])", 0.6),
            (r"(?<![\w.-])[0-9]{2}[ -]?[0-9]{6}[ -]?[0-9]{6}[ -]?[0-9](?![\w-])", 0.3),
        ),
        context=("imei", "handset", "device", "phone", "serial"),
        is_valid=_is_imei,
        gate=_FOURTEEN,
    ),
    Shape(
        "IMEI",
        ((after(r"imei(?:sv)?|meid", r"[0-9](?:[ /-]?[0-9]){13,15}" + END), 0.7),),
        gate=_FOURTEEN,
    ),
    Shape(
        "LICENSE_PLATE",
        (
            (
                after(
                    r"licen[cs]e plate|number plate|plate(?: number| no)|registration plate|"
                    r"vehicle registration|licence_plate|license_plate|kennzeichen|matrícula|"
                    r"matricula|immatriculation|targa|kenteken|plates?",
                    r"(?=[A-Z -]{0,6}[0-9])[A-Z0-9ÄÖÜ]{1,4}(?:[ -]{0,2}[A-Z0-9]{1,4}){1,3}" + END,
                ),
                0.5,
            ),
        ),
        gate=r"plate|registration|kennzeichen|matr[íi]cula|targa|kenteken",
        is_cased=True,
    ),
    Shape(
        "GPS_COORDINATE",
        (
            (
                (
                    r"(?<![\w.,-])[-+]?(?:[0-8]?[0-9]|90)\.[0-9]{4,15}[ ]?°?[ ]?[NS]?[ ]{0,2}"
                    r"[,;/][ ]{0,2}"
                    r"[-+]?(?:1[0-7][0-9]|180|[0-9]{1,2})\.[0-9]{4,15}(?:[ ]?°?[ ]?[EW](?!\w))?"
                    r"(?![.]?[0-9])"
                ),
                0.6,
            ),
            (
                (
                    r"(?<![\w.])[0-9]{1,3}°[ ]?[0-9]{1,2}[′'’][ ]?(?:[0-9]{1,2}(?:\.[0-9]{1,6})?"
                    r"[″\"”])?[ ]?"
                    r"[NS][ ,;]{1,3}[0-9]{1,3}°[ ]?[0-9]{1,2}[′'’][ ]?(?:[0-9]{1,2}(?:\."
                    r"[0-9]{1,6})?[″\"”])?"
                    r"[ ]?[EWO](?!\w)"
                ),
                0.8,
            ),
            (
                (
                    r"(?<![\w.])[0-9]{1,2}(?:\.[0-9]{1,9})?[ ]?°[ ]?[NS][ ,;]{1,3}[0-9]{1,3}(?:\."
                    r"[0-9]{1,9})?"
                    r"[ ]?°[ ]?[EW](?!\w)"
                ),
                0.7,
            ),
            (
                after(
                    r"lat(?:itude)?|lon(?:g(?:itude)?)?|lng",
                    r"[-+]?[0-9]{1,3}\.[0-9]{2,15}(?:[ ]?°?[ ]?[NSEW](?!\w))?(?![.]?[0-9])",
                ),
                0.6,
            ),
        ),
        gate=r"\.[0-9]{2}|°",
    ),
)
