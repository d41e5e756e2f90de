"""Numbers that states give to people, with the checksum of their country."""

from collections.abc import Mapping
from typing import Final

from python_stages.scrub.plants import checksums
from python_stages.scrub.plants.forms import ALONE, Check, Kind, numbers, said

_CONSONANT: Final = "[BCDFGLMNPRSTV]"


def _said(names: str, *forms: str, check: Check | str | None = None) -> Kind:
    """Return a number that people name; names are separated by `|`."""
    return Kind(numbers(*forms, check=check), said(*names.split("|")))


def _alone(names: str, *forms: str, check: Check | str | None = None) -> Kind:
    """Return a number that tells what it is, and that people name or not."""
    return Kind(numbers(*forms, check=check), (*ALONE, *said(*names.split("|"))))


KINDS: Final[Mapping[str, Kind]] = {
    "AT_SVNR": _said(
        "Sozialversicherungsnummer|SVNR", "%##@ {ddmmyy}", "%##@{ddmmyy}", check="at.vnr"
    ),
    "AU_MEDICARE": _said(
        "Medicare number|Medicare card number",
        "[23456]### ####@ %",
        "[23456]#######@%",
        check=checksums.is_au_medicare,
    ),
    "AU_TFN": _said("TFN|tax file number", "%## ### ##@", "%#######@", check="au.tfn"),
    "BE_NN": _said(
        "rijksregisternummer|Belgian national number",
        "{yy.mm.dd}-###.@@",
        "{yymmdd}###@@",
        check="be.nn",
    ),
    "BG_EGN": _said("EGN", "{yymmdd}###@", check="bg.egn"),
    "BR_CPF": _said("CPF", "###.###.###-@@", "#########@@", check="br.cpf"),
    "CA_SIN": _said(
        "SIN|social insurance number",
        "[1245679]##-###-##@",
        "[1245679]## ### ##@",
        "[1245679]#######@",
        check="ca.sin",
    ),
    "CH_AHV": _alone("AHV-Nummer|numéro AVS", "756.####.####.#@", "756#########@", check="ch.ssn"),
    "CL_RUT": _said("RUT", "1#.###.###-&", "1#######-&", check="cl.rut"),
    "CN_RIC": _alone(
        "resident identity number", "110101{yyyymmdd}###&", "310104{yyyymmdd}###&", check="cn.ric"
    ),
    "CZ_RC": _said("rodné číslo", "{yymmdd}/###@", "{yymmdd}###@", check="cz.rc"),
    "DE_HEALTH_INSURANCE": _said(
        "Versichertennummer|Krankenversichertennummer",
        "?########@",
        check=checksums.is_de_health_insurance,
    ),
    "DE_ID_CARD": _said(
        "Ausweisnummer|Personalausweisnummer",
        "L[0123456789CFGHJKLMNPRTVWXYZ][0123456789CFGHJKLMNPRTVWXYZ]#[CFGHJKLMNPRTVWXYZ]#[CFGHJK]#@",
        check=checksums.is_de_id_card,
    ),
    "DE_SOCIAL_SECURITY": _said(
        "Sozialversicherungsnummer|Rentenversicherungsnummer",
        "65{ddmmyy}?##@",
        "12 {ddmmyy} ? ##@",
        check=checksums.is_de_social_security,
    ),
    "DE_TAX_ID": _said(
        "Steuer-ID|Steueridentifikationsnummer", "%# ### ### ##@", "%#########@", check="de.idnr"
    ),
    "DK_CPR": _said("CPR-nummer|CPR", "{ddmmyy}-[0123]###", "{ddmmyy}[0123]###", check="dk.cpr"),
    "EE_IK": _said("isikukood", "[34]{yymmdd}###@", check="ee.ik"),
    "ES_NIE": _alone("NIE", "[XYZ]#######&", "[XYZ]-#######-&", check="es.nie"),
    "ES_NIF": _alone("DNI", "########&", "########-&", check="es.dni"),
    "FI_PERSONAL_IDENTITY_CODE": _alone("henkilötunnus", "{ddmmyy}-###&", check="fi.hetu"),
    "FR_NIR": _alone(
        "numéro de sécurité sociale|NIR",
        "[12]##0775######@@",
        "[12] ## 07 75 ### ### @@",
        check="fr.nir",
    ),
    "GR_AMKA": _said("AMKA", "{ddmmyy}####@", check="gr.amka"),
    "HR_OIB": _said("OIB", "%#########@", check="hr.oib"),
    "IE_PPS": _said("PPS number|PPSN", "#######&", check="ie.pps"),
    "IL_ID": _said("teudat zehut", "########@", check="il.idnr"),
    "IN_AADHAAR": _said(
        "Aadhaar|Aadhaar number",
        "[23456789]### #### ###@",
        "[23456789]##########@",
        check="in_.aadhaar",
    ),
    "IN_PAN": _said("PAN|PAN card number", "???P?####?"),
    "IN_PASSPORT": _said(
        "passport number|Indian passport", "[ACEHJKLMN]%#####%", "[ACEHJKLMN]%# ####%"
    ),
    "IN_VOTER": _said("voter ID|voter card number", "?[ABCDGHJKMN]?#######"),
    "IS_KENNITALA": _said(
        "kennitala", "{ddmmyy}-[23456]#@9", "{ddmmyy}[23456]#@9", check="is_.kennitala"
    ),
    "IT_FISCAL_CODE": _alone(
        "codice fiscale",
        f"{_CONSONANT * 6}##[ABCDEHLMPRST][012]%[ABCDFGHL]%##&",  # no place is 000
        check="it.codicefiscale",
    ),
    "JP_MY_NUMBER": _said(
        "My Number|マイナンバー", "%### #### ###@", "%##########@", check="jp.in_"
    ),
    "KR_RRN": _alone("RRN", "{yymmdd}-[12]#####@", "{yymmdd}[12]#####@", check="kr.rrn"),
    "LT_AK": _said("asmens kodas", "[34]{yymmdd}###@", check="lt.asmens"),
    "LV_PK": _said("personas kods", "{ddmmyy}-1###@", "{ddmmyy}1###@", check="lv.pvn"),
    "MX_CURP": _alone(
        "CURP",
        f"{_CONSONANT}[AEIOU]{_CONSONANT * 2}{{yymmdd}}[HM]DF{_CONSONANT * 3}#@",
        check="mx.curp",
    ),
    "MY_NRIC": _said("NRIC|MyKad number", "{yymmdd}-14-####", "{yymmdd}14####", check="my.nric"),
    "NG_NIN": _said("NIN|national identification number", "%#########@", check="verhoeff"),
    "NL_BSN": _said(
        "BSN|burgerservicenummer", "%#######@", "%###.##.##@", "%### ## ##@", check="nl.bsn"
    ),
    "NO_FNR": _said(
        "fødselsnummer", "{ddmmyy}[01234]##@@", "{ddmmyy} [01234]##@@", check="no.fodselsnummer"
    ),
    "PH_TIN": _said("TIN", "###-###-##@", "########@", check=checksums.is_ph_tin),
    "PK_CNIC": _said("CNIC", "[1234567][1234]###-#######-%", check="pk.cnic"),
    "PL_PESEL": _said("PESEL", "{yymmdd}####@", check="pl.pesel"),
    "PT_NIF": _said("NIF|número de contribuinte", "[12]#######@", "[12]## ### ##@", check="pt.nif"),
    "RO_CNP": _said("CNP", "[12]{yymmdd}12###@", check="ro.cnp"),
    "SE_PERSONNUMMER": _said(
        "personnummer",
        "{yymmdd}-###@",
        "{yyyymmdd}-###@",
        "{yyyymmdd}###@",
        check="se.personnummer",
    ),
    "SG_NRIC_FIN": _alone("NRIC|FIN", "[STFG]#######?"),
    "SI_EMSO": _said("EMŠO", "{ddmmyyy}50###@", check="si.emso"),
    "TH_TNIN": _said(
        "Thai ID|TNIN",
        "[123]-####-#####-##-@",
        "[123] #### ##### ## @",
        "[123]###########@",
        check="th.pin",
    ),
    "TR_NATIONAL_ID": _said("TC kimlik|TC kimlik no", "%########@@", check="tr.tckimlik"),
    "UK_NINO": _alone(
        "NI number|national insurance number",
        "[ABCEHJ][ABCEHJK]######[ABCD]",
        "[ABCEHJ][ABCEHJK] ## ## ## [ABCD]",
    ),
    "ZA_ID_NUMBER": _said("South African ID number|ID number", "{yymmdd}####08@", check="za.idnr"),
}
