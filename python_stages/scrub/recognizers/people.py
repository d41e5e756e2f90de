"""Forms of address, and names beside words that announce one.

A name stands where something is said before it: `my name is`, `Dear`, `Mr.`. After a greeting,
which is followed by much else (`Hi Support`), only a common first name counts.
"""

from typing import Final

from python_stages.scrub.recognizers.shapes import Shape, choice
from python_stages.scrub.recognizers.words import FIRST_NAMES

_TITLES: Final = (
    r"(?:Mr|Mrs|Ms|Miss|Mx|Messrs|Dr|Drs|Prof|Professor|Professorin|Doctor|Sir|Dame|Madam|Rev|"
    r"Reverend|Rabbi|Imam|Mme|Mlle|Monsieur|Madame|Mademoiselle|Herr|Herrn|Frau|Fräulein|Sra|Srta|"
    r"Sr|Señora?|Señorita|Senhora?|Signora?|Signorina|Sig|Dott|Dott\.?ssa|Ing|Dhr|Mevr|Mevrouw|"
    r"Meneer|"
    r"Pani|Capt|Captain|Sgt|Sergeant|Lt|Lieutenant|Col|Colonel|Maj|Cpl|MRS|(?:MR|MS|DR|PROF)(?=\.))"
)
_NAME: Final = r"\p{Lu}(?:\p{L}|[’'](?!(?:s|m|ve|ll|re|d|t)\b)(?=\p{L}))+(?:-\p{Lu}\p{L}+)*"
_INITIAL: Final = r"\p{Lu}\."
_PARTICLE: Final = (
    r"(?:de|da|do|dos|das|del|della|di|du|van|von|der|den|ter|la|le|el|al|bin|bint|ibn|af|zu|y|e)"
)
_FULL: Final = (
    rf"(?:{_PARTICLE}[ ]){{0,2}}(?:{_INITIAL}[ ]?){{0,2}}{_NAME}(?:[ ](?:(?:{_PARTICLE}"
    rf"[ ]){{1,2}}{_NAME}|{_INITIAL}(?=[ ]\p{{Lu}})|"
    rf"{_NAME})){{0,3}}"
)
_NOT_A_NAME: Final = (
    r"(?!(?:Sir|Madam|Team|Customer|Support|All|Everyone|There|Friends?|Colleagues?|Hiring|Valued|"
    r"Client|Member|User|Service|The|This|That|Your|Our|My|It|He|She|We|They|You|Not|No|Yes|And|"
    r"But|"
    r"Please|Thanks?|Manager|Editor|Sales|Help|World|Guest|Sirs|Subscriber|Applicant|Students?|"
    r"Parents?|Mr|Mrs|Ms|Dr|Miss|Prof|Amazon|Google|Microsoft|Kitty)\b)"
)
_FIRST: Final = choice(FIRST_NAMES)

SHAPES: Final = (
    Shape(
        "TITLE",
        (
            (
                (
                    rf"(?<![\p{{L}}\p{{N}}_.'’-]){_TITLES}(?:\.|\b)"
                    rf"(?=[ ]{{1,2}}(?:(?:(?:and|&)[ ])?{_TITLES}\.?[ ])?(?:{_PARTICLE}[ ]){{0,2}}"
                    r"\p{Lu}[\p{L}.'’])"
                ),
                0.6,
            ),
        ),
        gate=r"m[rsxli]|dr|prof|doctor|sir|dame|madam|rev|rabbi|imam|mon|her|fr|s[re]|sig|dot|ing|"
        r"dhr|me|pan|cap|sgt|lt|lieu|col|maj|cpl",
        is_cased=True,
    ),
    Shape(
        "PERSON",
        (
            (
                (
                    rf"(?<![\p{{L}}\p{{N}}_.'’-]){_TITLES}\.?[ ]{{1,2}}(?:{_TITLES}\.?"
                    rf"[ ])?\K{_NOT_A_NAME}{_FULL}"
                ),
                0.7,
            ),
            (
                (
                    r"(?<!\w)(?:(?i:my name is|my name['’]s|i am called|"
                    r"(?:full|first|last|family|given|maiden|middle)[ _]?name|surname|"
                    r"(?:customer|patient|employee|client|"
                    r"contact|account holder|cardholder|beneficiary|applicant)(?:['’]s)?[ _]name|"
                    r"name of (?:the )?(?:patient|customer|employee|account holder)|ich heiße|"
                    r"ich heisse|"
                    r"mein name ist|je m['’]appelle|me llamo|mi nombre es|mi chiamo|meu nome é|"
                    r"mijn naam is|jag heter|jeg hedder))[\"']?[ ]?(?:is|:|=)?[ ]?[\"']?"
                    rf"\K{_NOT_A_NAME}{_FULL}"
                ),
                0.7,
            ),
            (
                (
                    r"(?<!\w)(?i:hi|hello|hey|dear|hallo|hola|bonjour|ciao|liebe[r]?|cher|chère|"
                    r"querid[oa])"
                    rf"[ ],?[ ]?\K{_NOT_A_NAME}{_FIRST}(?![\p{{L}}])(?:[ ]{_NAME}){{0,2}}"
                ),
                0.6,
            ),
            (
                (
                    r"(?<!\w)(?i:(?:(?:kind|best|warm|many)[ ])?regards|sincerely|yours truly|"
                    r"cheers|thanks|"
                    r"thank you|best|mit freundlichen grüßen|cordialement|saludos|grüße)"
                    r"[,.!]?\s{1,4}"
                    rf"\K{_NOT_A_NAME}{_FIRST}(?![\p{{L}}])(?:[ ]{_NAME}){{0,2}}"
                ),
                0.6,
            ),
            (
                (
                    r"(?<!\w)(?i:this is|i am|i['’]m|it['’]s|speaking with|signed by|ask for|"
                    r"contact|"
                    rf"spoke (?:to|with)|talked to|call(?:ed)?|met|emailed|c/o|attn:?)[ ]\K{_FIRST}"
                    rf"(?![\p{{L}}'’])(?:[ ]{_NAME}){{0,2}}"
                ),
                0.6,
            ),
        ),
        gate=r"[a-z]",
        is_cased=True,
    ),
    Shape(
        "ORGANIZATION",
        (
            (
                (
                    r"(?<![\p{L}\p{N}_'’&-])(?:\p{Lu}[\p{L}\p{N}&'’.-]{0,40}+(?:,?[ ])(?:(?:and|"
                    r"&|of|et|und|y)[ ])?)"
                    r"{1,5}(?:Inc\.?|LLC|L\.L\.C\.|Ltd\.?|Limited|Corp\.?|Corporation|GmbH|mbH|"
                    r"AG|KGaA|S\.A\.|"
                    r"SARL|S\.p\.A\.|SpA|S\.r\.l\.|B\.V\.|N\.V\.|PLC|plc|LLP|Pty|Oyj|A/S|ApS|SE|"
                    r"(?:& |and )(?:Sons|Partners|Co\.?))(?![\p{L}])"
                ),
                0.6,
            ),
        ),
        gate=r"inc|l\.?l\.?c|ltd|limited|corp|gmbh|mbh|ag|kgaa|s\.a|sarl|s\.?p\.?a|s\.r\.l|b\.v|"
        r"n\.v|plc|llp|pty|oyj|a/s|aps|se|sons|partners|co",
        is_cased=True,
    ),
)
