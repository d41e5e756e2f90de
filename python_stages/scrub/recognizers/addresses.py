"""Post office boxes and postal codes; streets are in modules of their own."""

from typing import Final

from python_stages.scrub.recognizers import streets_abroad
from python_stages.scrub.recognizers.shapes import Shape, after
from python_stages.scrub.recognizers.streets import (
    CA_CODE,
    OTHERS,
    STATE,
    STATE_CODE,
    STREETS,
    UK_CODE,
    US_CODE,
)

_ANY_CODE: Final = (
    rf"(?:{UK_CODE}|{CA_CODE}|{US_CODE}|[0-9]{{5}}-[0-9]{{3}}|[0-9]{{3}}-[0-9]{{4}}|"
    r"[0-9]{4}-[0-9]{3}|[0-9]{2}-[0-9]{3}|[0-9]{3}[ ][0-9]{2}|[1-9][0-9]{3}[ ]?[A-Z]{2}|"
    r"[0-9]{4,6})(?![\w])(?!-[0-9])"
)
SHAPES: Final = (
    STREETS,
    OTHERS,
    *streets_abroad.SHAPES,
    Shape(
        "PO_BOX",
        (
            (
                (
                    r"(?<![\w])(?:G?\.?P\.?[ ]?O\.?[ ]?(?:Box|BOX|box)(?:es)?|POB|"
                    r"(?:Post|POST|post)[ -]?(?:Office|OFFICE|office)[ -](?:Box|BOX|box)|Locked"
                    r"[ ]Bag|"
                    r"Private[ ]Bag|PMB|Postfach|Postbus|Postboks|Boîte[ ][Pp]ostale|BP|"
                    r"Apartado(?:[ ]de[ ][Cc]orreos|[ ][Pp]ostal)?|Apdo\.?|Casella[ ][Pp]ostale|"
                    r"Caixa[ ][Pp]ostal|Skrytka[ ][Pp]ocztowa|а/я)"
                    r"[ :]{0,2}(?:(?:No|no|Nr|nr|N°)\.?[ ]?|\#[ ]?)?[A-Z]{0,2}[0-9]{1,8}"
                    r"(?:[ ][0-9]{2,3}){0,2}(?:-[0-9]{1,5})?(?!\w)"
                ),
                0.7,
            ),
        ),
        gate=(
            r"(?:box(?:es)?|pob|bag|pmb|postfach|postbus|postboks|postale?|bp|apartado|correos|"
            r"apdo\.?|pocztowa|а/я)[ :]{0,2}(?:n|\#|[a-z]{0,2}[0-9])"
        ),
        is_cased=True,
    ),
    Shape(
        "ZIP_CODE",
        (
            (rf"(?<![\w])(?:{STATE_CODE}|{STATE})\.?,?[ ]{{1,2}}\K{US_CODE}", 0.6),
            (r"(?<![\w.,-])[0-9]{5}-[0-9]{4}(?![\w-])", 0.4),
            (r"(?<![\w.,$€£#/-])[0-9]{5}(?![\w%]|[.,/-][0-9])", 0.05),
            (
                after(
                    r"zip(?:[ _-]?codes?)?|post(?:al)?[ _-]?codes?|plz|postleitzahl|code postal|"
                    r"código postal|codigo postal|cep|postnummer|postcode|pin ?code|"
                    r"kod pocztowy|psč|eircode",
                    _ANY_CODE,
                ),
                0.6,
            ),
            # the postcode for the depot, is it 2232
            (
                after(
                    r"(?:post(?:al)?|zip)[ _-]?codes?",
                    _ANY_CODE,
                    r"(?:[^\p{L}0-9]{0,3}\p{L}{1,12}){0,6}[^\p{L}0-9]{1,3}",
                ),
                0.5,
            ),
            # D-10115 Berlin
            (
                (
                    r"(?<![\w-])(?:D|DE|A|AT|CH|F|FR|I|IT|E|ES|B|BE|L|LU|NL|S|SE|DK|N|NO|FI|FIN|"
                    r"PL|CZ|SK|P|PT)"
                    r"-[0-9]{4,5}(?=[ ]\p{Lu}\p{Ll})"
                ),
                0.5,
            ),
            (r"(?<![\w-])[A-Z]{1,2}[0-9][0-9A-Z]?[ ][0-9][ABD-HJLNP-UW-Z]{2}(?![\w-])", 0.5),
            (
                (
                    r"(?<![\w-])[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z][ ]"
                    r"[0-9][ABCEGHJ-NPRSTV-Z][0-9](?![\w-])"
                ),
                0.5,
            ),
        ),
        context=("zip", "zipcode", "postcode", "postal", "address", "plz", "postleitzahl"),
        gate=r"[0-9]{2}|[0-9][a-z]",
        is_cased=True,
    ),
)
