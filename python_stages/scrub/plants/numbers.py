"""Numbers and codes of cards, accounts, documents, devices; secrets; addresses on the web."""

import base64
import uuid
from collections.abc import Mapping
from random import Random
from typing import Final

from python_stages.errors import StageError
from python_stages.scrub import surrogate_numbers
from python_stages.scrub.plants import checksums
from python_stages.scrub.plants.forms import ALONE, Kind, Make, fill, numbers, said

_MOST_DRAWS: Final = 200
_DOMAINS: Final = ("example.com", "example.org", "example.net", "shop.example", "intra.test")
_LOGINS: Final = ("jdoe", "m.keller", "anna", "s_okafor", "li.wei", "tomasz", "rkumar", "noor")
_CARDS: Final = (
    "4### #### #### ####",
    "4###############",
    "4###-####-####-####",
    "4###.####.####.####",
    "5[12345]## #### #### ####",
    "5[12345]##############",
    "3[47]## ###### #####",
    "3[47]#############",
    "6011 #### #### ####",
)
_AMERICAN_PHONES: Final = (
    "(###) ###-####",
    "###-###-####",
    "###.###.####",
    "+1 ### ### ####",
    "+1##########",
    "1-###-###-####",
    "+1 (###) ###-####",
    "###-###-#### x##",
)
# Of Ofcom, ARCEP, Bundesnetzagentur, ACMA, PTS and ComReg; see surrogate_numbers.py.
_OTHER_PHONES: Final = (
    "+44 7700 900###",
    "+44 20 7946 0###",
    "+44 (0)20 7946 0###",
    "07700 900###",
    "020 7946 0###",
    "0044 20 7946 0###",
    "+49 30 23125###",
    "+49 171 3920###",
    "030 23125###",
    "+33 1 99 00 ## ##",
    "01 99 00 ## ##",
    "+33 6 39 98 ## ##",
    "+61 2 5550 ####",
    "+46 8 465 004 ##",
    "+353 20 91# ####",
)
_ACCOUNTS: Final = (
    "GB29 NWBK 6016 1331 9268 19",
    "DE89 3704 0044 0532 0130 00",
    "DE89370400440532013000",
    "FR14 2004 1010 0505 0001 3M02 606",
    "NL91ABNA0417164300",
    "ES91 2100 0418 4502 0005 1332",
    "AT611904300234573201",
    "CH93 0076 2011 6238 5295 7",
    "IE29AIBK93115212345678",
    "PL61109010140000071219812874",
    "SE45 5000 0000 0583 9825 7466",
)
_KEYS: Final = (
    "AKIA" + "[ABCDEFGHIJKLMNOPQRSTUVWXYZ234567]" * 16,
    "ghp_" + "*" * 36,
    "glpat-" + "*" * 20,
    "sk_live_" + "*" * 24,
    "sk-proj-" + "*" * 48,
    "xoxb-###########-" + "*" * 24,
    "AIza" + "*" * 35,
    "SG." + "*" * 22 + "." + "*" * 43,
    "npm_" + "*" * 36,
    "hf_" + "*" * 34,
)


def fictitious(entity: str, *forms: str) -> Make:
    """Return what makes numbers of some forms in a range that nobody has."""

    def make(draw: Random, _locale: str) -> str:
        for _ in range(_MOST_DRAWS):
            value = surrogate_numbers.MAKERS[entity](fill(draw.choice(forms), draw), draw)
            if value is not None:
                return value
        raise StageError("no number of a fictitious range has a planted form: correct the form")

    return make


def _phone(draw: Random, _locale: str) -> str:
    form = draw.choice((*_AMERICAN_PHONES, *_OTHER_PHONES))
    written = fill(form, draw)
    if form in _OTHER_PHONES:
        return written
    return surrogate_numbers.phone(written, draw, "en_US") or written


def _email(draw: Random, _locale: str) -> str:
    login = draw.choice(_LOGINS)
    local = draw.choice((login, f"{login}{fill('##', draw)}", f"{login}+list", login.title()))
    return f"{local}@{draw.choice((*_DOMAINS, 'mail.example.co.uk', 'EXAMPLE.COM'))}"


def _url(draw: Random, _locale: str) -> str:
    host, login = draw.choice(_DOMAINS), draw.choice(_LOGINS)
    form = draw.choice((
        f"https://{host}/users/{login}", f"http://www.{host}/~{login}/index.html",
        f"https://{host}/reset?token=********", f"https://{host}:8443/a/#####",
        f"https://{login}.{host}",
    ))  # fmt: skip
    return fill(form, draw) if "?" not in form else form.replace("*" * 8, fill("*" * 8, draw))


def _domain(draw: Random, _locale: str) -> str:
    return f"{draw.choice(('www', 'mail', 'vpn', 'git', 'hr'))}.{draw.choice(_DOMAINS[:3])}"


def _username(draw: Random, _locale: str) -> str:
    return f"{draw.choice(_LOGINS)}{draw.choice(('_', '.', ''))}{fill('##', draw)}"


def _password(draw: Random, _locale: str) -> str:
    form = draw.choice(
        ("*****[!#$%&]###", "********#", "[BKMT]a[bdgk]e[lnrs]###[!#$]", "***-***-##*")
    )
    return fill(form, draw)


def _token(draw: Random, _locale: str) -> str:
    header = draw.choice(('{"alg":"HS256","typ":"JWT"}', '{"typ":"JWT","alg":"RS256","kid":"k1"}'))
    claims = f'{{"sub":"{draw.randrange(10**9)}","iat":{draw.randrange(10**9)}}}'
    parts = (header.encode(), claims.encode(), draw.randbytes(draw.choice((32, 64))))
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _private_key(draw: Random, _locale: str) -> str:
    name = draw.choice(("", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "))
    body = base64.b64encode(draw.randbytes(draw.randint(90, 300))).decode()
    lines = "\n".join(body[i : i + 64] for i in range(0, len(body), 64))
    return f"-----BEGIN {name}PRIVATE KEY-----\n{lines}\n-----END {name}PRIVATE KEY-----"


def _uuid(draw: Random, _locale: str) -> str:
    text = str(uuid.UUID(bytes=draw.randbytes(16), version=4))
    return draw.choice((text, text.upper()))


def _coordinates(draw: Random, _locale: str) -> str:
    latitude, longitude = draw.uniform(1, 70), draw.uniform(1, 170)
    seconds = fill("[012345]#'[012345]#\"|[012345]#'[012345]#\"", draw).split("|")
    return draw.choice((
        f"{latitude:.5f}, {-longitude:.5f}",
        f"{-latitude:.6f},{longitude:.6f}",
        f"{latitude:.4f}° N, {longitude:.4f}° W",
        f"{int(latitude)}°{seconds[0]}N {int(longitude)}°{seconds[1]}E",
    ))  # fmt: skip


KINDS: Final[Mapping[str, Kind]] = {
    "ABA_ROUTING_NUMBER": Kind(
        numbers("0[12]######@", check="us.rtn"),
        said("routing number", "ABA routing number"),
    ),
    "ACCOUNT_NUMBER": Kind(
        numbers("########", "##########", "##########-##", "#### #### ##"),
        said("account number", "bank account number"),
    ),
    "API_KEY": Kind(numbers(*_KEYS), (*ALONE, *said("API key"), "api_key={}", 'TOKEN="{}"')),
    "AU_ABN": Kind(numbers("@@ ### ### ###", "@@#########", check="au.abn"), said("ABN")),
    "AU_ACN": Kind(numbers("### ### ##@", "########@", check="au.acn"), said("ACN")),
    "CARD_SECURITY_CODE": Kind(
        numbers("###", "####"),
        (*said("CVV", "CVC"), "cvv {}", "the card's CVV2 is {}", "card security code: {}"),
    ),
    "CREDIT_CARD": Kind(
        fictitious("CREDIT_CARD", *_CARDS),
        (*ALONE, *said("card number"), "paid with {}", "charge {} please"),
    ),
    "CRYPTO": Kind(
        lambda draw, _: checksums.bitcoin_address(draw),
        (*ALONE, *said("wallet", "bitcoin address"), "send it to {}"),
    ),
    "DOMAIN_NAME": Kind(_domain, (*ALONE, "on {}", "host {}", "log in at {}")),
    "DRIVER_LICENSE": Kind(
        numbers("?#######", "?##-##-####", "#########", "??######", "?###-####-####"),
        said("driver's license number", "driver license", "driving licence number"),
    ),
    "EMAIL_ADDRESS": Kind(
        _email,
        (*ALONE, *said("e-mail", "email address"), "write to {}", "<{}>", "mailto:{}", "cc {}"),
    ),
    "GPS_COORDINATE": Kind(_coordinates, (*ALONE, "we are at {}", "position {}", "location: {}")),
    "IBAN_CODE": Kind(fictitious("IBAN_CODE", *_ACCOUNTS), (*ALONE, *said("IBAN"), "pay to {}")),
    "ID_NUMBER": Kind(
        numbers("######", "?##-#####", "####-####", "??######", "#########"),
        said("employee number", "member ID", "customer number", "policy number", "student ID"),
    ),
    "IMEI": Kind(
        numbers("35############@", "35-######-######-@", "35 ###### ###### @", check="imei"),
        said("IMEI", "IMEI number"),
    ),
    "IP_ADDRESS": Kind(
        fictitious("IP_ADDRESS", "192.0.2.1", "2001:db8::1"),
        (*ALONE, "from {}", "client {} connected", "ip={}", "host {} is down"),
    ),
    "JWT": Kind(_token, (*ALONE, "Authorization: Bearer {}", "token={}", "session {}")),
    "LICENSE_PLATE": Kind(
        numbers("???-####", "%??? ###", "?? ## ???", "?-?? ####", "?? ###-??"),
        said("license plate", "number plate", "plate number"),
    ),
    "MAC_ADDRESS": Kind(
        fictitious("MAC_ADDRESS", "00:00:5e:00:53:af", "00-00-5E-00-53-AF", "0000.5e00.53af"),
        (*ALONE, *said("MAC address"), "from {}", "the device {} is new"),
    ),
    "MEDICAL_LICENSE": Kind(
        numbers("[ABFGM]?######@", check=checksums.is_dea), (*ALONE, *said("DEA number"))
    ),
    "MEDICAL_RECORD_NUMBER": Kind(
        numbers("#######", "MR-######", "##-##-##", "########"),
        said("MRN", "medical record number", "patient ID"),
    ),
    "PASSPORT": Kind(
        numbers("?########", "??#######", "#########", "C[FGHJK]#######", "##??#####"),
        said("passport number", "passport", "passport no."),
    ),
    "PASSWORD": Kind(
        _password,
        (
            "password: {}",
            "my password is {}",
            "pwd={}",
            "passwort: {}",
            "postgres://app:{}@db.example.com/prod",
        ),
    ),
    "PHONE_NUMBER": Kind(
        _phone,
        (*ALONE, *said("phone number", "mobile"), "call me at {}", "tel. {}", "fax {}", "text {}"),
    ),
    "PRIVATE_KEY": Kind(_private_key, ("{}", "the key:\n{}", "cat id_rsa\n{}", "deploy key {}")),
    "UK_DRIVING_LICENCE": Kind(
        numbers(
            "MORGA#0%[012]%#SM9[ABDEF][ABDEF]",
            "SMITH#5%[012]%#AB9[ABDEF][ABDEF]",
            "FOX99#0%[012]%#JA9[ABDEF][ABDEF]",
        ),
        (*ALONE, *said("driving licence number")),
    ),
    "UK_NHS": Kind(
        fictitious("UK_NHS", "### ### ####", "###-###-####", "##########"),
        (*ALONE, *said("NHS number")),
    ),
    "UK_PASSPORT": Kind(numbers("[GH][BC]#######"), said("passport number", "UK passport")),
    "UK_VEHICLE_REGISTRATION": Kind(
        numbers(
            "[ABCDEFGHKLM][ABCDEFG]1# [ABCDEFG][HJKLM][NPRST]",
            "[ABCDEFGHKLM][ABCDEFG]6%[ABC][HJK][NPR]",
        ),
        said("number plate", "vehicle registration"),
    ),
    "URL": Kind(_url, (*ALONE, "at {}", "link: {}", "click {}")),
    "USERNAME": Kind(
        _username, ("username: {}", "login={}", "@{}", "user name is {}", "handle: {}")
    ),
    "US_BANK_NUMBER": Kind(
        numbers("########", "##########", "############"),
        said("bank account number", "bank account"),
    ),
    "US_DRIVER_LICENSE": Kind(
        numbers("?#######", "?############", "########"),
        said("driver's license", "driver license number"),
    ),
    "US_HEALTH_INSURANCE_MEMBER_ID": Kind(
        numbers("???#########", "W#########", "XYZ-########"),
        said("insurance member ID", "health insurance ID", "subscriber ID"),
    ),
    "US_ITIN": Kind(
        numbers("9##-7#-####", "9## 7# ####", "9##-8[0125678]-####", "9##-5#-####"),
        (*ALONE, *said("ITIN")),
    ),
    "US_MBI": Kind(
        numbers(
            "%[ACDEFGH][KMN]#-[JKMN]##-[QRTU][VWXY]##", "%[ACDEFGH][KMN]#[JKMN]##[QRTU][VWXY]##"
        ),
        said("MBI", "Medicare number"),
    ),
    "US_NPI": Kind(numbers("1########@", check=checksums.is_npi), said("NPI", "provider NPI")),
    "US_PASSPORT": Kind(
        numbers("#########", "[ABCDEXYZ]########"), said("passport number", "US passport")
    ),
    "US_SSN": Kind(
        fictitious("US_SSN", "###-##-####", "### ## ####", "#########"),
        said("SSN", "social security number"),
    ),
    "UUID": Kind(_uuid, (*ALONE, "device {}", "id={}")),
    "VIN": Kind(
        numbers("1[HGF]CM[ABC]#2#&[ABCEFGH][ABCEFGH]######", check=checksums.is_vin),
        (*ALONE, *said("VIN"), "chassis number {}"),
    ),
}
