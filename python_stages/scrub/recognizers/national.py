"""National numbers that Presidio lacks or knows unbroken only, checked by python-stdnum.

A number whose check fits one in ten random ones does not stand on its own unless its shape does:
letters among the digits, or the separators of its country.
"""

import re
from collections.abc import Callable
from importlib import import_module
from typing import Final

from python_stages.scrub.recognizers.shapes import END, START, Shape, after

_VAGUE: Final = 0.2  # below every usual min_score until a context word raises it
_SHAPED: Final = 0.5
_SEPARATORS: Final = re.compile(r"[ .\-/]")


def _passes(module: str) -> Callable[[str], bool]:
    """Return the check of a module of python-stdnum, which is imported when it is first used."""

    def is_valid(text: str) -> bool:
        check: Callable[[str], bool] = import_module(f"stdnum.{module}").is_valid
        # Each module knows the separators of its own country only.
        return check(text) or check(_SEPARATORS.sub("", text))

    return is_valid


def _number(
    entity: str,
    module: str,
    *patterns: tuple[str, float],
    context: str,
    is_cased: bool = False,
) -> Shape:
    """Return the shape of a number; its context words are separated by blanks."""
    return Shape(
        entity,
        tuple((f"{START}{pattern}{END}", score) for pattern, score in patterns),
        context=tuple(context.split()),
        is_valid=_passes(module),
        gate=r"\d",
        is_cased=is_cased,
    )


_BIRTH: Final = r"[0-9]{2}(?:[0257][0-9]|[1368][0-2])(?:[04][1-9]|[1256][0-9]|[37][01])"
"""yymmdd, where some countries add 20, 40, 50 or more to the month or the day."""

SHAPES: Final = (
    _number(
        "AT_SVNR",
        "at.vnr",
        (r"[1-9][0-9]{3}[ -]?[0-9]{6}", _VAGUE),
        context="svnr sv sozialversicherungsnummer versicherungsnummer austrian austria",
    ),
    # Presidio's own, besides, waits for "tax file number", which is no single word
    _number("AU_TFN", "au.tfn", (r"[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}", _VAGUE), context="tfn tax"),
    # as it is printed: 12 130646 B 275; Presidio knows it unbroken
    Shape(
        "DE_SOCIAL_SECURITY",
        ((rf"{START}[0-9]{{2}}[ -]?[0-3][0-9][01][0-9]{{3}}[ -]?[A-Z][ -]?[0-9]{{3}}{END}", 0.4),),
        context=("sozialversicherungsnummer", "rentenversicherungsnummer", "svnr", "rvnr"),
        gate=r"\d{2}[ -]?\d{6}",
    ),
    _number(
        "BE_NN",
        "be.nn",
        (r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}[- ][0-9]{3}[.-][0-9]{2}", _SHAPED),
        (r"[0-9]{2}[ .]?[0-9]{2}[ .]?[0-9]{2}[ -]?[0-9]{3}[ .-]?[0-9]{2}", _VAGUE),
        context="rijksregisternummer insz niss national registre nrn belgian belgium",
    ),
    _number(
        "CA_SIN",
        "ca.sin",
        (r"[1-79][0-9]{2}-[0-9]{3}-[0-9]{3}", _SHAPED),
        (r"[1-79][0-9]{2}[ .]?[0-9]{3}[ .]?[0-9]{3}", 0.1),
        context="sin nas insurance canada canadian assurance",
    ),
    _number(
        "DE_TAX_ID",
        "de.idnr",
        (r"[1-9][0-9] [0-9]{3} [0-9]{3} [0-9]{3}", 0.3),
        (r"[1-9][0-9]{10}", _VAGUE),
        context="steuer steuerid idnr steuernummer steueridentifikationsnummer "
        "identifikationsnummer steuerliche tin tax",
    ),
    _number(
        "ES_NIE",
        "es.nie",
        (r"[XYZ][ -]?[0-9]{7}[ -]?[A-Z]", 0.6),
        (r"[XYZ][ -]?[0-9]\.[0-9]{3}\.[0-9]{3}[ -]?[A-Z]", 0.6),
        context="nie extranjero",
    ),
    _number(
        "ES_NIF",
        "es.dni",
        (r"[0-9]{8}-?[A-Z]", 0.6),
        (r"[0-9]{2}\.[0-9]{3}\.[0-9]{3}[ -]?[A-Z]", 0.6),
        (r"[0-9]{8} [A-Z]", _VAGUE),
        context="dni nif identidad documento spanish",
    ),
    _number(
        "IN_AADHAAR",
        "in_.aadhaar",
        (r"[2-9][0-9]{3}([ -])[0-9]{4}\1[0-9]{4}", 0.3),
        (r"[2-9][0-9]{11}", 0.1),
        context="aadhaar aadhar uidai uid",
    ),
    _number(
        "PL_PESEL",
        "pl.pesel",
        (r"[0-9]{2}[0-9]{2}[0-3][0-9]{6}", _VAGUE),
        context="pesel polish poland ewidencyjny",
    ),
    _number(
        "SE_PERSONNUMMER",
        "se.personnummer",
        (r"(?:19|20)?[0-9]{6}[-+][0-9]{4}", _SHAPED),
        (r"(?:19|20)[0-9]{6} ?[0-9]{4}", 0.3),
        (r"[0-9]{6} ?[0-9]{4}", 0.1),
        context="personnummer pnr samordningsnummer swedish sweden ssn",
    ),
    _number(
        "TH_TNIN",
        "th.pin",
        (r"[1-8]([- ])[0-9]{4}\1[0-9]{5}\1[0-9]{2}\1[0-9]", _SHAPED),
        (r"[1-8][0-9]{12}", 0.3),
        context="tnin thai thailand เลขประจำตัวประชาชน เลขบัตรประชาชน",
    ),
    _number(
        "TR_NATIONAL_ID",
        "tr.tckimlik",
        (r"[1-9][0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}", 0.3),
        context="tckn kimlik tc turkish turkey nüfus",
    ),
    _number("BG_EGN", "bg.egn", (r"[0-9]{10}", _VAGUE), context="egn егн bulgarian bulgaria"),
    _number(
        "BR_CPF",
        "br.cpf",
        (r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}", _SHAPED),
        (r"[0-9]{3}[ .]?[0-9]{3}[ .]?[0-9]{3}[ -]?[0-9]{2}", _VAGUE),
        context="cpf cadastro contribuinte brazilian brazil",
    ),
    _number(
        "CH_AHV",
        "ch.ssn",
        (r"756[ .-]?[0-9]{4}[ .-]?[0-9]{4}[ .-]?[0-9]{2}", _SHAPED),
        context="ahv avs navs swiss switzerland",
    ),
    _number(
        "CL_RUT",
        "cl.rut",
        (r"[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}-[0-9K]", _SHAPED),
        (r"[0-9]{7,8}-?[0-9K]", _VAGUE),
        context="rut run rol chilean chile",
    ),
    _number(
        "CN_RIC",
        "cn.ric",
        (r"[1-9][0-9]{5}(?:19|20)[0-9]{9}[0-9X]", _SHAPED),
        (r"[1-9][0-9]{5} (?:19|20)[0-9]{6} [0-9]{3}[0-9X]", _SHAPED),
        context="resident identity chinese china 身份证",
    ),
    _number(
        "CZ_RC",
        "cz.rc",
        (_BIRTH + r"/[0-9]{3,4}", _SHAPED),
        (_BIRTH + r"[0-9]{4}", _VAGUE),
        context="rodné rodne číslo cislo rč czech slovak rodný",
    ),
    _number(
        "DK_CPR",
        "dk.cpr",
        (r"[0-3][0-9][01][0-9]{3}-[0-9]{4}", 0.4),
        (r"[0-3][0-9][01][0-9]{3}[ -]?[0-9]{4}", _VAGUE),
        context="cpr personnummer danish denmark",
    ),
    _number(
        "EE_IK",
        "ee.ik",
        (r"[1-8][0-9]{10}", _VAGUE),
        context="isikukood estonian estonia personal",
    ),
    _number(
        "FR_NIR",
        "fr.nir",
        (
            r"[12378] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
            _SHAPED,
        ),
        context="nir insee sécurité securite sociale sécu french",
    ),
    _number(
        "GR_AMKA",
        "gr.amka",
        (r"[0-3][0-9][01][0-9]{8}", _VAGUE),
        context="amka αμκα greek greece",
    ),
    _number("HR_OIB", "hr.oib", (r"[0-9]{11}", _VAGUE), context="oib osobni croatian croatia"),
    _number(
        "IE_PPS",
        "ie.pps",
        (r"[0-9]{7}[A-W][ABHWTX]?", 0.4),
        (r"[0-9]{7} [A-W][ABHWTX]?", _VAGUE),
        context="pps ppsn irish ireland",
        is_cased=True,
    ),
    _number(
        "IL_ID",
        "il.idnr",
        (r"[0-9]{8}-?[0-9]", 0.1),
        context="teudat zehut ת.ז israeli israel",
    ),
    _number(
        "IS_KENNITALA",
        "is_.kennitala",
        (r"[0-7][0-9][01][0-9]{3}-[0-9]{4}", 0.4),
        (r"[0-7][0-9][01][0-9]{3}[ -]?[0-9]{4}", _VAGUE),
        context="kennitala kt icelandic iceland",
    ),
    _number(
        "JP_MY_NUMBER",
        "jp.in_",
        (r"[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}", _VAGUE),
        context="individual japanese japan mynumber",
    ),
    _number(
        "LT_AK",
        "lt.asmens",
        (r"[1-6][0-9]{10}", _VAGUE),
        context="asmens kodas lithuanian lithuania",
    ),
    _number(
        "LV_PK",
        "lv.pvn",
        (r"(?:[0-3][0-9][01][0-9]{3}|32[0-9]{4})-[0-9]{5}", 0.4),
        (r"(?:[0-3][0-9][01][0-9]{3}|32[0-9]{4})[0-9]{5}", _VAGUE),
        context="personas kods latvian latvia",
    ),
    _number(
        "MX_CURP",
        "mx.curp",
        (r"[A-Z][AEIOUX][A-Z]{2}[0-9]{6}[HMX][A-Z]{5}[0-9A-Z][0-9]", 0.7),
        context="curp clave mexican",
    ),
    _number(
        "MY_NRIC",
        "my.nric",
        (r"[0-9]{6}-[0-9]{2}-[0-9]{4}", _SHAPED),
        (r"[0-9]{12}", 0.1),
        context="nric mykad ic malaysian malaysia kad",
    ),
    _number(
        "NL_BSN",
        "nl.bsn",
        (r"[0-9]{4}[ .][0-9]{2}[ .][0-9]{3}", _VAGUE),
        (r"[0-9]{3}[ .]?[0-9]{3}[ .]?[0-9]{3}", 0.1),
        (r"[0-9]{8}", 0.05),
        context="bsn burgerservicenummer sofinummer sofi dutch",
    ),
    _number(
        "NO_FNR",
        "no.fodselsnummer",
        (r"[0-7][0-9][0-9]{4}[ -]?[0-9]{5}", _VAGUE),
        context="fødselsnummer fodselsnummer personnummer fnr norwegian norway",
    ),
    _number(
        "PK_CNIC",
        "pk.cnic",
        (r"[0-9]{5}-[0-9]{7}-[0-9]", _SHAPED),
        (r"[0-9]{13}", 0.1),
        context="cnic nic nadra pakistani pakistan",
    ),
    _number(
        "PT_NIF",
        "pt.nif",
        (r"[1-3][0-9]{2}[ .]?[0-9]{3}[ .]?[0-9]{3}", 0.1),
        context="nif contribuinte portuguese portugal fiscal",
    ),
    _number(
        "RO_CNP",
        "ro.cnp",
        (r"[1-9][0-9]{12}", 0.3),
        context="cnp numeric personal romanian romania",
    ),
    _number(
        "SI_EMSO",
        "si.emso",
        (r"[0-3][0-9][01][0-9]{10}", 0.3),
        context="emšo emso jmbg slovenian slovenia serbian",
    ),
    Shape(
        "JP_MY_NUMBER",
        (
            (
                after(
                    r"my number|individual number|マイナンバー|個人番号",
                    r"[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}" + END,
                ),
                0.6,
            ),
        ),
        is_valid=_passes("jp.in_"),
        gate=r"number|マイナンバー|個人番号",
    ),
    Shape(
        "IE_PPS",
        ((after(r"ppsn?|pps", r"[0-9]{7} ?[A-Z]{1,2}" + END), 0.6),),
        gate=r"pps",
    ),
)
