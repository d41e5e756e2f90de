"""Street addresses in other languages than English, in the order of their countries.

German, Dutch and Nordic streets glue the word for a street to the name and put the number behind;
French ones begin with the number, other Romance and Slavic ones with the word for a street. The
town belongs to the address when its postal code stands beside it.
"""

from typing import Final

from python_stages.scrub.recognizers.shapes import Shape
from python_stages.scrub.recognizers.streets import (
    AHEAD,
    BEFORE,
    COUNTRY,
    GAP,
    NAME,
    PARTS,
    STOP,
    TOWN,
    UNIT,
)

_NAMES: Final = rf"{PARTS}{{0,3}}{NAME}(?:[ ]{PARTS}{{0,2}}{NAME}){{0,3}}"
_HOUSE: Final = r"[0-9]{1,5}(?:[ ]?[a-zA-Z](?![\w]))?(?:[ ]?[-/][ ]?[0-9]{1,5}[a-zA-Z]?(?!\w))?"
_CODE: Final = (
    r"(?:(?:D|A|CH|F|I|E|B|L|NL|S|SE|DK|N|NO|FI|FIN|PL|DE|AT|FR|IT|ES|PT|CZ)-)?"
    r"(?:[0-9]{5}-[0-9]{3}|[0-9]{4}-[0-9]{3}|[0-9]{2}-[0-9]{3}|[0-9]{3}[ ][0-9]{2}|"
    r"[0-9]{4}[ ]?[A-Z]{2}(?!\w)|[0-9]{4,6})"
)
_CODE_TOWN: Final = (
    rf"(?:{GAP}{_CODE}[ ]{{1,2}}{TOWN}(?:[ ](?:CEDEX|Cedex)(?:[ ][0-9]{{1,2}})?)?"
    r"(?:[ ]?\([A-Z]{2}\))?)"
)
_TOWN_CODE: Final = (
    rf"(?:{GAP}{TOWN}(?:[ ]?[-–/,][ ]?[A-Z]{{2}}(?!\w))?(?:,[ ]|[ ]?[-–][ ]|[ ]){_CODE}(?!\w))"
)

_GLUED: Final = (
    r"(?:straße|strasse|str\.|weg|platz|gasse|gässchen|allee|damm|chaussee|ufer|straat|laan|plein|"
    r"gracht|kade|dijk|singel|steeg|dreef|gatan|gränd|torget|vägen|vegen|veien|gaten|vej|"
    r"(?<!bri|Bri)gade|stræde|plads|(?<=[^aeiouAEIOU])katu|ntie|kuja|polku)"
)
_APART: Final = (
    r"(?:Straße|Strasse|Str\.|Weg|Platz|Allee|Ring|Gasse|Damm|Ufer|Chaussee|Straat|Laan|gade|gate|"
    r"gata|väg|Allé|Plads|Vej)"
)
_AT: Final = r"(?:Am|An[ ]de[rn]|Auf[ ]de[rm]|Im|In[ ]de[rn]|Zum|Zur|Unter[ ]den|Hinter[ ]der)"
_RUE: Final = (
    r"(?:[Rr]ue|[Aa]venue|[Aa]v\.|[Bb]oulevard|[Bb]d\.?|[Bb]vd\.?|[Cc]hemin|[Ii]mpasse|[Aa]llée|"
    r"[Qq]uai|[Cc]ours|[Pp]lace|[Ss]quare|[Rr]oute|[Vv]oie|[Pp]assage|[Rr]ond-point|[Rr]uelle|"
    r"[Ss]entier|[Vv]illa|RUE|AVENUE|BOULEVARD)"
)
_VIA: Final = (
    r"(?:Viale|Via|Piazzale|Piazza|P\.zza|Corso|Vicolo|Largo|Contrada|Borgo|Strada|Calle|C/|"
    r"Avenida|Cuesta|Urbanización|Urb\.|"
    r"Avda\.?|Paseo|Plaza|Pza\.?|Carrer|Carretera|Ronda|Camino|Travesía|Callejón|Glorieta|Rambla|"
    r"Pasaje|Rua|Travessa|Praça|Alameda|Estrada|Rodovia|Quinta|Beco|Ladeira|Calzada|Cerrada|"
    r"Privada|"
    r"Prolongación|Circuito|Andador|Retorno|Bulevar|Jirón|Jr\.|Carrera|Diagonal|Cra\.?|Bulevardul|"
    r"Bd\.|Calea|Aleea|Str\.)"
)
_ULICA: Final = (
    r"(?:[Uu]l\.|[Uu]lica|[Aa]l\.|[Aa]lej[ae]|[Pp]l\.|[Pp]lac|[Oo]s\.|[Oo]siedle|[Nn]áměstí|"
    r"[Nn]ám\.|"
    r"[Tt]řída|[Tt]ř\.|[Uu]lice|[Tt]rg)"
)
_UTCA: Final = (
    r"(?:utca|u\.|útja|út|tér|körút|krt\.|köz|Caddesi|Cad\.|Sokak|Sokağı|Sok\.|Bulvarı|Mahallesi|"
    r"Mah\.)"
)
_ULITSA: Final = (
    r"(?:ул\.|улица|пр\.|пр-т|проспект|пер\.|переулок|пл\.|площадь|бульвар|б-р|наб\.|набережная|"
    r"шоссе|ш\.|вул\.|вулиця)"
)
_NO: Final = r",?[ ]?(?:(?:n[º°.]|núm\.?|nr\.?|no\.?|No\.?|N°|\#)[ ]?)?(?!(?:19|20)[0-9]{2}(?!\w))"


def _street(gate: str, *patterns: tuple[str, float]) -> Shape:
    """Return the shape of the streets of some countries."""
    context = ("address", "adresse", "street", "live", "lives", "living", "moved", "resides")
    return Shape("STREET_ADDRESS", patterns, context=context, gate=gate, is_cased=True)


SHAPES: Final = (
    _street(
        rf"{_GLUED}[ ][0-9]",
        (
            (
                r"(?<![\w-])(?=\p{Lu}[\p{L}-]{2,50}\.?[ ][0-9])\p{Lu}[\p{L}-]{0,40}?"
                rf"{_GLUED}[ ]{_HOUSE}{STOP}(?:[ ](?:bis|A|B|C|tr\.?|lgh)(?!\w))?"
                rf"{UNIT}{_CODE_TOWN}?{COUNTRY}"
            ),
            0.6,
        ),
    ),
    _street(
        rf"{_APART}[ ][0-9]",
        (
            (
                # names without their hyphens: Konrad-Adenauer-Allee is three parts
                r"(?<![\w-])(?:\p{Lu}[\p{L}'’.]{0,30}+[ -]){1,5}"
                rf"{_APART}[ ](?!(?:19|20)[0-9]{{2}}(?!\w)){_HOUSE}{STOP}{_CODE_TOWN}?{COUNTRY}"
            ),
            0.6,
        ),
    ),
    _street(
        rf"(?<!\w){_AT}[ ]",
        (rf"(?<![\w-]){_AT}[ ]{NAME}(?:[ ]{NAME})?[ ]{_HOUSE}{STOP}{_CODE_TOWN}", 0.6),
    ),
    _street(
        rf"[ ]{_RUE}[ ]",
        (
            (
                rf"{BEFORE}[0-9]{{1,4}}{AHEAD}(?:[ ]?(?:bis|ter|quater|[A-D])(?!\w))?,?[ ]{_RUE}[ ]"
                rf"{_NAMES}{_CODE_TOWN}?{COUNTRY}"
            ),
            0.6,
        ),
    ),
    _street(
        rf"(?<!\w){_VIA}|Cl|Transv",
        (
            (
                rf"(?<![\w]){_VIA}[ ]?{_NAMES}{_NO}{_HOUSE}{STOP}"
                rf"(?:,?[ ]?[0-9]{{1,2}}[ºª°][ ]?[A-Za-z]?(?!\w))?{UNIT}"
                rf"(?:{_CODE_TOWN}|{_TOWN_CODE})?{COUNTRY}"
            ),
            0.55,
        ),
        # Calle 26 # 59-51
        (
            (
                r"(?<![\w])(?:Calle|Carrera|Cra\.?|Cl\.?|Transversal|Diagonal|Avenida)[ ]"
                r"[0-9]{1,3}[A-Z]?"
                rf"[ ]?(?:\#|No\.?|N°)[ ]?[0-9]{{1,3}}[A-Z]?[ ]?-[ ]?[0-9]{{1,3}}{STOP}"
            ),
            0.7,
        ),
    ),
    _street(
        rf"(?<!\w){_ULICA}[ ]",
        (
            (
                rf"(?<![\w]){_ULICA}[ ](?:[0-9]{{1,2}}[ ])?{_NAMES}[ ][0-9]{{1,4}}[a-zA-Z]?"
                rf"(?:[ ]?/[ ]?[0-9]{{1,4}}|[ ]m\.?[ ]?[0-9]{{1,4}})?{STOP}{_CODE_TOWN}?{COUNTRY}"
            ),
            0.6,
        ),
    ),
    _street(
        rf"[ ]{_UTCA}[ ]",
        (
            (
                rf"(?<![\w]){NAME}(?:[ ]{NAME}){{0,3}}[ ]{_UTCA}[ ](?:No:?[ ]?)?[0-9]{{1,4}}"
                rf"(?:[ ]?/[ ]?[0-9A-Z]{{1,4}})?{STOP}"
            ),
            0.6,
        ),
    ),
    _street(
        rf"(?<!\w){_ULITSA}",
        (
            (
                rf"(?<![\w]){_ULITSA}[ ]?{NAME}(?:[ ]{NAME}){{0,3}},?[ ](?:д\.?[ ]?|дом[ ]|буд\.?"
                r"[ ]?)?"
                rf"[0-9]{{1,4}}[а-я]?(?:,?[ ](?:кв\.?|корп\.?|стр\.?)[ ]?[0-9]{{1,4}}){{0,2}}{STOP}"
            ),
            0.6,
        ),
    ),
    _street(
        r"[都道府県]|号|[로길][ ]?[0-9]",
        # 東京都千代田区丸の内1-9-1
        (
            (
                r"\p{Han}{1,3}[都道府県]\p{Han}{1,8}[市区町村郡][\p{Han}\p{Katakana}\p{Hiragana}ー]{0,16}"
                r"[0-9０-９一二三四五六七八九十]{1,4}[0-9０-９丁目番地号の−-]{0,12}"
            ),
            0.7,
        ),
        (
            (
                r"(?:\p{Han}{2,8}[省市区县]){0,3}\p{Han}{2,8}(?:路|街|大道|巷|胡同)[0-9]{1,5}号"
                r"(?:[\p{Han}0-9]{1,12}[室楼栋])?"
            ),
            0.7,
        ),
        (
            (
                r"(?:[가-힣]{1,6}(?:특별시|광역시|시|도|구|군)[ ]){1,3}"
                r"[가-힣0-9]{1,10}[로길][ ]?[0-9]{1,4}(?:-[0-9]{1,4})?"
            ),
            0.7,
        ),
    ),
)
