"""Secrets: keys of known providers, tokens, key blocks, passwords.

Prefixes are those that the providers document for secret scanning. A secret without a prefix counts
where the text names it and it looks drawn at random (Shannon entropy per character).
"""

import base64
import binascii
import json
import math
import re
from collections import Counter
from typing import Final

from python_stages.scrub.recognizers.shapes import Shape

_PREFIXED: Final = (
    r"(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA|AIPA|ABIA|ACCA)[A-Z0-9]{16}",  # AWS
    r"gh[pousr]_[A-Za-z0-9]{30,255}",  # GitHub
    r"github_pat_[A-Za-z0-9_]{20,255}",
    r"gl(?:pat|dt|rt|ptt|soat)-[\w-]{20,255}",  # GitLab
    r"xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{10,255}",  # Slack
    r"xapp-[0-9]-[A-Za-z0-9-]{10,255}",
    r"(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{10,255}",  # Stripe
    r"whsec_[A-Za-z0-9+/=]{20,255}",
    r"AIza[\w-]{33,40}",  # Google
    r"ya29\.[\w-]{20,255}",
    r"GOCSPX-[\w-]{20,64}",
    r"sk-(?:proj-|svcacct-|admin-|ant-[a-z0-9]{1,8}-|or-v1-|lf-)?[A-Za-z0-9_-]{20,255}",  # OpenAI …
    r"gsk_[A-Za-z0-9]{40,64}",  # Groq
    r"hf_[A-Za-z0-9]{30,64}",  # Hugging Face
    r"SG\.[\w-]{16,64}\.[\w-]{16,64}",  # SendGrid
    r"(?:AC|SK)[0-9a-f]{32}",  # Twilio
    r"key-[0-9a-f]{32}",  # Mailgun
    r"npm_[A-Za-z0-9]{36}",
    r"pypi-[\w-]{50,255}",
    r"rubygems_[0-9a-f]{48}",
    r"dckr_pat_[\w-]{20,64}",  # Docker
    r"do[opr]_v1_[0-9a-f]{64}",  # DigitalOcean
    r"shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32}",  # Shopify
    r"sq0[a-z]{3}-[\w-]{22,64}",  # Square
    r"lin_api_[A-Za-z0-9]{32,64}",  # Linear
    r"(?:ATATT3x|ATCTT3x|ATBB)[\w=-]{20,255}",  # Atlassian
    r"dapi[0-9a-f]{32}",  # Databricks
    r"NRAK-[A-Z0-9]{27}",  # New Relic
    r"hv[sb]\.[\w-]{24,255}",  # Vault
    r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}",  # Postman
    r"AGE-SECRET-KEY-1[0-9A-Z]{58}",
    r"[0-9]{8,10}:AA[\w-]{33}",  # Telegram
    r"EAA[A-Za-z0-9]{60,255}",  # Facebook
)
_NAMED: Final = (
    r"(?i:(?:api|access|auth(?:entication|orization)?|secret|private|client|consumer|app|account|"
    r"encryption|signing|bearer|session|refresh|deploy|master|shared)[ _-]?"
    r"(?:access[ _-]?)?(?:key|token|secret|credential)s?|apikey|token|secret|credentials?)"
)
_LEAST_ENTROPY: Final = 3.0  # bits per character; English words have about 2.5


def _looks_random(text: str) -> bool:
    """Return whether a text has digits and letters, and as many kinds as drawn ones have."""
    if not (re.search(r"[0-9]", text) and re.search(r"[A-Za-z]", text)):
        return False
    n_each = Counter(text).values()
    entropy = -sum(n / len(text) * math.log2(n / len(text)) for n in n_each)
    return entropy >= _LEAST_ENTROPY


def _is_token(text: str) -> bool:
    """Return whether a text begins with the header of a JWT (RFC 7519): JSON that names `alg`."""
    header = text.split(".", 1)[0]
    try:
        decoded = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return False
    return isinstance(decoded, dict) and "alg" in decoded


_CUE: Final = (
    r"(?:pass(?:word|wd|code|phrase)?s?|pwd|kennwort|passwort|mot de passe|contraseña|senha|"
    r"wachtwoord|lösenord|hasło|parola)"
)
_NO_VALUE: Final = (
    r"(?!(?:none|null|true|false|str|string|text|required|optional|reset|change[ds]?|forgot(?:ten)?"
    r"|incorrect|invalid|wrong|expired|protected|the|your|my|and|for|is|was|not|must|min|max)"
    r"(?![\w]))"
)

SHAPES: Final = (
    Shape(
        "API_KEY",
        ((rf"(?<![\w-])(?:{'|'.join(_PREFIXED)})(?![\w-])", 0.9),),
        gate=r"(?<![\w-])[\w-]{16}",
        is_cased=True,
    ),
    Shape(
        "API_KEY",
        (
            (
                (
                    rf"(?<![^\W_]){_NAMED}(?:[\"'`]?[ ]{{0,2}}(?:[:=]{{1,2}}|=>|is)[ ]{{0,2}}"
                    r"[\"'`]?)"
                    r"\K[A-Za-z0-9+/_=.~-]{16,512}"
                ),
                0.7,
            ),
            (r"(?<![\w])(?i:bearer|basic)[ ]\K[A-Za-z0-9+/_=.~-]{16,2048}", 0.6),
        ),
        is_valid=_looks_random,
        gate=r"key|token|secret|credential|bearer|basic",
        is_cased=True,
    ),
    Shape(
        "JWT",
        ((r"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]{2,}+(?:\.[\w-]*+){0,3}", 0.95),),
        is_valid=_is_token,
        gate=r"eyJ",
        is_cased=True,
    ),
    Shape(
        "PRIVATE_KEY",
        (
            (
                (
                    r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
                    r"(?:(?:[\w+/=\s:,.\\()]|-(?!-))*+-----END [A-Z0-9 ]{0,40}PRIVATE KEY"
                    r"(?: BLOCK)?-----|(?:(?:\s|\\[nr]){0,6}[A-Za-z0-9+/=]{16,}+)*+)"
                ),
                0.95,
            ),
        ),
        gate=r"PRIVATE KEY",
        is_cased=True,
    ),
    Shape(
        "PASSWORD",
        (
            # password: hunter2, "pwd": "x", PASSWORD=...
            (
                (
                    rf"(?<![^\W_]){_CUE}[\"'`]?[ ]{{0,2}}(?::|=|=>)[ ]{{0,2}}[\"'`]?\K"
                    # a row of x and stars is a mask, unless something follows that is none
                    rf"(?![*•x]{{3,64}}+(?!\w)|\[){_NO_VALUE}"
                    r"[^\s\"'<>`,;]{3,127}[^\s\"'<>`.,;:?)\]}]"
                ),
                0.6,
            ),
            # my password is hunter2
            (
                (
                    rf"(?<![^\W_]){_CUE}[ ](?:is|was|to|=)[ ]{{1,2}}[\"'`]?\K"
                    r"(?=[^\s\"'<>`]{0,64}[\d!@\#$%^&*_+=])[^\s\"'<>`,;]{3,127}[^\s\"'<>`.,;:?)\]}]"
                ),
                0.6,
            ),
            (
                (
                    r"(?<![^\W_])(?:pin|otp|passcode|(?:one-time|verification|security|"
                    r"access) code)"
                    r"(?:[ ](?:number|code|no\.?))?[ ]{0,2}(?:is|was|:|=|\#)[ ]{0,2}\K[0-9]{4,8}"
                    r"(?![\w])"
                ),
                0.5,
            ),
            # password Winter24!; ann@example.com / Winter24!
            (
                (
                    rf"(?:(?<![^\W_]){_CUE}[ ][\"'‘“`*]{{0,2}}|"
                    r"@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4}[ ]?[:/|][ ]?)\K"
                    r"(?=[^\s/]{0,32}[0-9!@#$%^&*_])(?=[^\s/]{0,32}[a-z])[^\s\"'<>`,;/]{5,127}"
                    r"[^\s\"'<>`.,;:?)\]}/]"
                ),
                0.5,
            ),
            # postgres://user:secret@host
            (r"(?<![\w])[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{0,64}:\K[^\s@/]{1,128}(?=@)", 0.8),
        ),
        gate=(
            r"@|pass|pwd|kennwort|contraseña|senha|wachtwoord|lösenord|hasło|parola|pin|otp|"
            r"code|://"
        ),
    ),
)
