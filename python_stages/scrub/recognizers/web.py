"""Addresses and names on the web: URLs, domains, user names."""

from functools import cache
from typing import Final

from python_stages.scrub.recognizers.shapes import Shape
from python_stages.scrub.recognizers.words import listed

_LABELS: Final = r"(?:[^\W_](?:[\w-]{0,62}[^\W])?\.){1,8}"
_HOST: Final = rf"(?<![\w@.-]){_LABELS}[a-z]{{2,24}}(?![\w@-])(?!\.[\w])"
_COMMON_TLDS: Final = frozenset(
    listed(
        """
    com org net edu gov mil int info biz io ai app dev co xyz online site store shop tech cloud
    uk us de fr es it nl be ch at se no dk fi pl cz pt ie eu ca au nz jp cn kr in br mx ar cl ru ua
    za ng ke sg hk tw tr gr hu ro bg hr si sk lt lv ee is lu il ae sa id my ph th vn example test
    invalid localhost local internal
    """,
    ),
)
_WORDS_TOO: Final = frozenset(
    listed(
        "in is it no us be at so my me to do am as by tv pm id ph md py sh rs pl cc mk hr zip mov "
        "ms new one now how app here ps ml am",
    ),
)


@cache
def _tlds() -> frozenset[str]:
    """Return the top level domains of the public suffix list that tldextract ships."""
    import tldextract  # noqa: PLC0415  # reads its list

    # Without addresses and without a cache it reads its own copy and stays off the network.
    extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    return frozenset(extract.tlds)


def _is_domain(text: str) -> bool:
    """Return whether a host ends in a top level domain, and is no sentence without its blank."""
    host = text.split("/", 1)[0]
    tld = host.rsplit(".", 1)[1]
    if host.lower().startswith("www."):
        return tld.lower() in _COMMON_TLDS or tld.lower() in _tlds()
    if tld.lower() in _WORDS_TOO:
        # `done.It was` and `setup.py` are none; `example.co.in` and `visit abc.it/x` are.
        return (tld.islower() and host.count(".") > 1 and tld in _COMMON_TLDS) or "/" in text
    return tld.islower() and (tld in _COMMON_TLDS or (tld.isascii() and tld in _tlds()))


_PATH: Final = r"(?:[/?#](?:[^\s<>\"'`{}|\\^\[\]()]|\([^\s<>\"'()]{0,64}\)){0,2048}+)"
_NO_TAIL: Final = r"(?<![.,;:!?])"
_CODE_WORDS: Final = (
    r"(?!(?:override|property|media|import|param|return|returns|charset|keyframes|font-face|"
    r"staticmethod|classmethod|dataclass|pytest|app|deprecated|see|link|todo|author|since|throws|"
    r"everyone|here|channel|gmail|yahoo|hotmail|outlook)\b)"
)
_LOGIN: Final = (
    r"(?:user[ _-]?(?:name|id)|login(?:[ _-]?(?:name|id))?|screen[ _-]?name|nick(?:name)?|handle|"
    r"account[ _-]name|benutzername|identifiant|usuario|nombre de usuario|skype(?:[ _]id)?|"
    r"twitter|instagram|telegram|discord|github|user)"
)

SHAPES: Final = (
    Shape(
        "URL",
        (
            (
                r"(?<![\w])(?:https?|ftps?|sftp|wss?|ssh|file|s3|gs|jdbc:[a-z]{2,12})://"
                r"(?:[^\s<>\"'`{}|\\^\[\]()]|\([^\s<>\"'()]{0,64}\)|\[[0-9a-f:.]{2,45}\]){2,2048}"
                + _NO_TAIL,
                0.6,
            ),
        ),
        context=("url", "website", "link"),
        gate=r"://",
    ),
    Shape(
        "URL",
        ((rf"{_HOST}(?::[0-9]{{2,5}})?{_PATH}?{_NO_TAIL}", 0.5),),
        context=("url", "website", "link"),
        is_valid=_is_domain,
        gate=r"[^\W_]\.[a-z]{2}",
    ),
    Shape(
        "DOMAIN_NAME",
        ((rf"{_HOST}(?![/:]\w)", 0.55),),
        context=("domain", "website", "site", "host", "hostname"),
        is_valid=_is_domain,
        gate=r"[^\W_]\.[a-z]{2}",
    ),
    Shape(
        "USERNAME",
        ((rf"(?<![\w@./+-])@{_CODE_WORDS}[a-z_](?:[\w.]{{0,28}}\w)(?![\w@])(?!\.\w)", 0.5),),
        gate=r"@",
    ),
    # ann.b@okbank: an address of a payment service, or of a network of one's own
    Shape(
        "USERNAME",
        ((r"(?<![\w.+-])[a-z0-9][\w.+-]{1,64}+@[a-z][a-z0-9]{1,20}(?![\w@-])(?!\.\w)", 0.4),),
        gate=r"@",
    ),
    Shape(
        "USERNAME",
        (
            (
                (
                    rf"(?<![^\W_]){_LOGIN}[\"'`]?[ ]{{0,2}}(?::|=)[ ]{{0,2}}[\"'`]?\K"
                    r"@?(?!(?:none|null|true|false|yes|no|required|str|string|the|a|your|my)\b|https?:)"
                    r"[\w][\w.+-]{1,38}[\w](?![\w@])"
                ),
                0.6,
            ),
            (
                (
                    r"(?<![^\W_])(?:user[ ]?name|user[ ]id|login(?:[ ]name)?|handle|nickname|"
                    r"screen[ ]name)[ ]"
                    r"(?:is|was)[ ]{1,2}[\"'`“]?\K@?(?=[\w.+-]{0,38}[0-9_.+]\w)[\w][\w.+-]{1,38}"
                    r"[\w](?![\w@])"
                ),
                0.6,
            ),
        ),
        gate=r"[:=]|(?:name|id|login|handle)[ ](?:is|was)[ ]",
    ),
)
