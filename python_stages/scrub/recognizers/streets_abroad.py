"""Street addresses in other languages than English, in the order of their countries.

German, Dutch and Nordic streets glue the word for a street to the name and put the number behind;
French ones begin with the number, other Romance and Slavic ones, Vietnamese and Indonesian ones
with the word for a street; Baltic, Hungarian and Turkish ones have it behind the name. The town
belongs to the address when its postal code stands beside it.
"""

from typing import Final

from python_stages.scrub.recognizers.shapes import Shape
from python_stages.scrub.recognizers.streets import (
    AHEAD,
    BEFORE,
    CA_CODE,
    COUNTRY,
    GAP,
    NAME,
    PARTS,
    STATE_CODE,
    STOP,
    TOWN,
    UNIT,
)

_NAMES: Final = rf"{PARTS}{{0,3}}{NAME}(?:[ ]{PARTS}{{0,2}}{NAME}){{0,3}}"
_HOUSE: Final = r"[0-9]{1,5}(?:[ ]?[a-zA-Z](?![\w]))?(?:[ ]?[-/][ ]?[0-9]{1,5}[a-zA-Z]?(?!\w))?"
_CODE: Final = (
    r"(?:(?:D|A|CH|F|I|E|B|L|NL|S|SE|DK|N|NO|FI|FIN|PL|DE|AT|FR|IT|ES|PT|CZ|SK|LT|LV|EE|HU|RO|HR|"
    r"SI)-)?"
    r"(?:[0-9]{5}-[0-9]{3}|[0-9]{4}-[0-9]{3}|[0-9]{2}-[0-9]{3}|[0-9]{3}[ ][0-9]{2}|"
    r"[0-9]{4}[ ]?[A-Z]{2}(?!\w)|[0-9]{4,6})"
)
_CODE_TOWN: Final = (
    rf"(?:{GAP}{_CODE}(?:,?[ ]{{1,2}}|[ ]?\n){TOWN}(?:[ ](?:CEDEX|Cedex)(?:[ ][0-9]{{1,2}})?)?"
    r"(?:[ ]?\([A-Z]{2}\))?)"
)
_TOWN_CODE: Final = (
    rf"(?:{GAP}{TOWN}(?:[ ]?[-–/,][ ]?[A-Z]{{2}}(?!\w))?(?:,[ ]|[ ]?[-–][ ]|[ ]){_CODE}(?!\w))"
)

_UNIT: Final = (  # Piano 4, Dpto. 3198, Piso 7 Dto. 3, Interior 033
    r"(?:(?:,[ ]?|[ ]|[ ]?\n)(?:Piano|Interno|Int\.|Scala|Appartamento|Dpto\.?|Depto\.?|"
    r"Departamento|Piso|Dto\.?|Of\.|Oficina|Interior|Puerta|Pta\.|Esc\.|Apto\.?|Apartamento|Bloco|Bloque|Local|"
    r"Edif\.|Edificio|Torre|lok\.|m\.|Kat:?|Daire:?|D:)[ ]?[0-9A-Z]{1,5}(?!\w)){1,3}"
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
    r"Avenida|Av\.|Cuesta|Urbanización|Urb\.|Incrocio|Canale|Stretto|Rotonda|Lungomare|Lungotevere|"
    r"Lungarno|Salita|Piazzetta|Traversa|Vico|Località|Frazione|Boulevard|Continuación|Ampliación|"
    r"Pasadizo|Periférico|Viaducto|Costanera|Colônia|Núcleo|Parque|Vila|Viela|Loteamento|Setor|"
    r"Residencial|Trecho|Trevo|Vereda|Viaduto|Chácara|Condomínio|Conjunto|Esplanada|Fazenda|Jardim|"
    r"Lagoa|Morro|Pátio|Passarela|Praia|Quadra|Recanto|Sítio|"
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
    r"Mah\.|tee|pst|mnt|tn|puiestee|maantee|tänav|iela|bulvāris|prospekts|gatvė|prospektas|alėja|"
    r"g\.|pr\.|al\.|námestie|nábrežie|ulica|ulice|cesta|trg|třída|náměstí|nábřeží|bulevardi|"
    r"puistotie|aukio)"
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
    # Scheelring 53, 96135 Hammelburg; without its town it might be a hearing, or spring
    _street(
        r"ring[ ][0-9]",
        (
            (
                rf"(?<![\w-])\p{{Lu}}[\p{{L}}-]{{2,40}}ring[ ]{_HOUSE}{STOP}"
                rf"(?!{GAP}(?:19|20)[0-9]{{2}}[ ]\p{{Lu}}\p{{Ll}}){_CODE_TOWN}{COUNTRY}"
            ),
            0.6,
        ),
    ),
    # avenue Camille Vonlanthen 48, 3345 Vienne
    _street(
        rf"(?<!\w){_RUE}[ ]",
        (rf"(?<![\w-]){_RUE}[ ]{_NAMES},?[ ]{_HOUSE}{STOP}{_CODE_TOWN}{COUNTRY}", 0.6),
    ),
    _street(
        rf"[ ]{_RUE}[ ]",
        (
            (
                rf"{BEFORE}[0-9]{{1,4}}{AHEAD}(?:[ ]?(?:bis|ter|quater|[A-D])(?!\w))?,?[ ]{_RUE}[ ]"
                rf"{_NAMES}(?:{_CODE_TOWN}|{GAP}{TOWN},?[ ]{STATE_CODE},?[ ]{CA_CODE})?{COUNTRY}"
            ),
            0.6,
        ),
    ),
    _street(
        rf"(?<!\w){_VIA}|Cl|Transv",
        (
            (
                rf"(?<![\w]){_VIA}[ ]?{_NAMES}{_NO}{_HOUSE}{STOP}"
                rf"(?:,?[ ]?[0-9]{{1,2}}[ºª°][ ]?[A-Za-z]?(?!\w))?(?:{_UNIT}|{UNIT})"
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
                rf"(?:[ ](?:Este|Sur|Norte|Oeste|Bis)(?!\w))?(?:{_UNIT})?{_CODE_TOWN}?"
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
                rf"(?<![\w]){NAME}(?:[ ]{NAME}){{0,3}}[ ]{_UTCA}[ ](?:No:?[ ]?)?"
                r"(?!(?:19|20)[0-9]{2}(?!\w))[0-9]{1,4}[a-zA-Z]?"
                rf"(?:[ ]?[/-][ ]?[0-9A-Z]{{1,4}})?{STOP}(?:{_UNIT})?{_CODE_TOWN}?{COUNTRY}"
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
    # Jalan Kapten Muslihat No. 7, Sibolga, Maluku Utara 66301
    _street(
        r"(?<!\w)(?:jalan|jl\.|gang|gg\.)",
        (
            (
                rf"(?<!\w)(?:Jalan|Jl\.|Gang|Gg\.)[ ]{_NAMES},?[ ](?:No\.?[ ]?)?[0-9]{{1,4}}{STOP}"
                rf"(?:{GAP}{TOWN}(?:,[ ]?{TOWN})?[ ][0-9]{{5}}(?!\w))?"
            ),
            0.6,
        ),
    ),
    # Số 5/38 Phố Lý Tự Trọng; 2 phố số 4
    _street(
        r"phố|đường|ngõ",
        (
            (
                r"(?<!\w)(?:[Ss]ố[ ])?[0-9]{1,4}(?:/[0-9]{1,4}){0,3},?[ ]"
                r"(?:[Pp]hố|[Đđ]ường|[Nn]gõ)[ ]"
                rf"(?:{NAME}(?:[ ]{NAME}){{0,3}}|số[ ][0-9]{{1,4}}){STOP}"
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
