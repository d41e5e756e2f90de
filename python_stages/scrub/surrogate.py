"""Surrogates: realistic values for real ones, the same for the same value everywhere.

    names      surrogate_names.py: gender, language, casing, order and number of parts stay
    numbers    surrogate_numbers.py: ranges that are kept for fiction, tests and documentation
    addresses  e-mail and web at example.com, .net and .org (RFC 2606), their names replaced as
               names are, so that alice.smith@… still is the address of who was Alice Smith
    dates      up to a year away, in the same form; ages in the same decade; farther only where
               too many of these are real
    the rest   streets, places and organisations as Faker composes them for the locale

Every choice is made by the HMAC of the value (pseudonym.py), so it needs the key, and neither
order, thread nor machine matters. A surrogate is neither the value itself nor a value of the data
(real_values.py): such a draw is discarded and the next one counts. What has no realistic surrogate,
or none that is free, gets its pseudonym, `[ENTITY_3f9a…]`.

Limits: another version of Faker has other lists, and so other surrogates: requirements.lock pins
it. Names and cities are common ones, so somebody of that name will exist, and two values may get
one surrogate: there are some hundred thousand full names in a locale. Which values are real has to
be known before the first text, and where the data change, a value whose surrogate has become real
gets another one (ADR 15). Where all given names of a locale occur in the data, a given name alone
gets its pseudonym, and a full name keeps a part that others have, too.
"""

import random
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from python_stages.scrub import dates, surrogate_names, surrogate_numbers
from python_stages.scrub.generalise import countries, us_states
from python_stages.scrub.pseudonym import Pseudonyms, normalise
from python_stages.scrub.real_values import RealValues
from python_stages.scrub.surrogate_pools import names_of

if TYPE_CHECKING:
    from faker import Faker

_LONGEST_VALUE: Final = 500  # characters; what is longer has no form to keep
_MOST_DRAWS: Final = 50
_DAYS: Final = 365
_DRAWS_IN_REACH: Final = 20  # until dates are moved farther, and ages out of their decade
_DOMAINS: Final = ("example.com", "example.net", "example.org")
_WEB: Final = re.compile(r"([a-z][a-z0-9+.-]*://)?([^/?#\s]+)(/?)(\S*)", re.IGNORECASE)
_LEGAL_FORM: Final = re.compile(
    r",?\s+(?:Inc|LLC|Ltd|Limited|PLC|Corp|Co|LLP|GmbH|AG|KG|SE|SA|SAS|SARL|S\.A|S\.p\.A|Srl|BV|NV|AB"
    r"|AS|ASA|Oy|ApS|Pty Ltd)\.?$",
    re.IGNORECASE,
)

_Maker = Callable[["_Draws", str, str], str | None]


class Surrogates:
    """Makes surrogates for one dataset; may be used by threads.

    Args:
        pseudonyms: of the dataset.
        real: what occurs in the data, and so is no surrogate; by default nothing.
    """

    def __init__(self, pseudonyms: Pseudonyms, real: RealValues | None = None) -> None:
        self._pseudonyms: Final = pseudonyms
        self._real: Final = RealValues(pseudonyms) if real is None else real

    def of(self, entity: str, value: str, locale: str = "") -> str:
        """Return the surrogate of a value, or its pseudonym where there is none.

        Args:
            entity: what the value is.
            value: as it stands in the text.
            locale: such as `de_DE`; empty for `en_US`, or what the script of a name suggests.

        Raises:
            ConfigError: the entity is no upper-case word.
        """
        make = _MAKERS.get(entity) if len(value) <= _LONGEST_VALUE else None
        own = normalise(entity, value)
        for n_discarded in range(_MOST_DRAWS if make else 0):
            draws = _Draws(self._pseudonyms, entity, n_discarded, self._real.has_part)
            made = make(draws, value, locale) if make else None
            if made is None:
                break
            if normalise(entity, made) != own and not self._real(entity, made):
                return made
        return self._pseudonyms.tag(entity, value)


class _Draws:
    """Choices for one value, other ones for every draw that was discarded before."""

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        entity: str,
        n_discarded: int,
        has_part: Callable[[str], bool],
    ) -> None:
        self.entity: Final = entity
        self.n_discarded: Final = n_discarded
        self._pseudonyms: Final = pseudonyms
        self._has_part: Final = has_part

    def of(self, value: str) -> random.Random:
        """Return the stream of choices for a value."""
        return self._stream(self.entity, "", value)

    @property
    def names(self) -> surrogate_names.Draw:
        """How parts of names are chosen, whatever entity they stand in."""
        return surrogate_names.Draw(self.of_name, self._has_part)

    def of_name(self, purpose: str, text: str) -> random.Random:
        """Return the stream of choices for a part of a name, whatever entity it stands in."""
        return self._stream("PERSON", purpose, text)

    def _stream(self, entity: str, purpose: str, text: str) -> random.Random:
        digest = self._pseudonyms.digest(entity, text, f"surrogate/{purpose}/{self.n_discarded}")
        return random.Random(int.from_bytes(digest))  # noqa: S311  # the secret is in its seed


def _person(draws: _Draws, value: str, locale: str) -> str | None:
    locale = surrogate_names.locale_of(value, locale)
    return surrogate_names.person(value, draws.names, locale)


def _handle(draws: _Draws, value: str, locale: str) -> str | None:
    locale = surrogate_names.locale_of(value, locale)
    return surrogate_names.handle(value, draws.names, locale)


def _email(draws: _Draws, value: str, locale: str) -> str | None:
    local, at, domain = value.rpartition("@")
    made = _handle(draws, local, locale) if local and domain else None
    return made and f"{made}{at}{_domain(draws, domain)}"


def _domain(draws: _Draws, domain: str) -> str:
    """Return one of the three domains, the same for the same domain."""
    return draws.of_name("domain", domain).choice(_DOMAINS)


def _host(draws: _Draws, value: str, _locale: str) -> str:
    """Return a host below one of the three domains."""
    surnames = names_of("en_US").surnames.names
    choice = draws.of(value)
    return f"{choice.choice(surnames)}-{choice.choice(surnames)}.{choice.choice(_DOMAINS)}".lower()


def _url(draws: _Draws, value: str, locale: str) -> str | None:
    match = _WEB.fullmatch(value)
    if match is None:
        return None
    scheme, host, slash, path = match.groups(default="")
    return f"{scheme}{_host(draws, host, locale)}{slash}" + (
        f"{draws.of(value).getrandbits(32):08x}" if path else ""
    )


def _phone(draws: _Draws, value: str, locale: str) -> str | None:
    return surrogate_numbers.phone(value, draws.of(value), locale)


def _zip(draws: _Draws, value: str, locale: str) -> str | None:
    if locale in ("", "en_US"):
        return surrogate_numbers.us_zip(value, draws.of(value))
    choice = draws.of(value)
    made = re.sub(r"\d", lambda _: choice.choice("0123456789"), value)
    return re.sub(r"[A-Za-z]", lambda _: choice.choice("ABCDEFGHJKLMNPRSTUVWXY"), made)


def _uuid(draws: _Draws, value: str, _locale: str) -> str | None:
    made = uuid.UUID(int=draws.of(value).getrandbits(128), version=4).hex
    if len(re.sub(r"[^\da-fA-F]", "", value)) != len(made):
        return None
    characters = iter(made.upper() if value.isupper() else made)
    return re.sub(r"[\da-fA-F]", lambda _: next(characters), value)


def _date(draws: _Draws, value: str, locale: str) -> str | None:
    written = dates.read(value, locale)
    days = _DAYS * (1 + draws.n_discarded // _DRAWS_IN_REACH)
    return written.moved(draws.of(value), days) if written else None


def _age(draws: _Draws, value: str, _locale: str) -> str | None:
    if len(re.findall(r"\d+", value)) != 1:
        return None
    choice = draws.of(value)
    if draws.n_discarded < _DRAWS_IN_REACH:
        return re.sub(r"\d(?=\D*$)", lambda _: choice.choice("0123456789"), value)
    return re.sub(r"\d+", lambda _: str(choice.randint(18, 89)), value)


def _coordinates(draws: _Draws, value: str, _locale: str) -> str | None:
    match = re.fullmatch(r"\s*-?\d{1,2}\.(\d+)(\s*[,;]\s*)-?\d{1,3}\.(\d+)\s*", value)
    if match is None:
        return None
    choice = draws.of(value)
    latitude, longitude = choice.uniform(-60, 60), choice.uniform(-180, 180)
    return f"{latitude:.{len(match[1])}f}{match[2]}{longitude:.{len(match[3])}f}"


def _organization(draws: _Draws, value: str, locale: str) -> str:
    form = _LEGAL_FORM.search(value)
    words = len(value[: form.start()].split()) if form else len(value.split())
    names = names_of(surrogate_names.locale_of(value, locale)).surnames.names
    choice = draws.of(value)
    made = "-".join(choice.choice(names) for _ in range(min(max(words, 1), 2)))
    return _in_casing(value, made) + (form.group() if form else "")


def _place(draws: _Draws, value: str, locale: str) -> str | None:
    """Return a country for a country, a state for a state, else a city, between the same commas."""
    locale = surrogate_names.locale_of(value, locale)
    seed = draws.of(value).getrandbits(64)
    with _LOCK:
        faker = _faker(locale)
        faker.seed_instance(seed)
        return re.sub(
            r"[^\W\d_][^,\n\d]*[^\W\d_]|[^\W\d_]",
            lambda part: _in_casing(part.group(), _one_place(faker, part.group(), locale)),
            re.sub(r"\d", lambda _: str(faker.random_digit()), value),
        )


def _one_place(faker: "Faker", part: str, locale: str) -> str:
    if part.casefold() in countries(locale):
        return faker.country()
    if part in us_states():
        return str(faker.state_abbr())
    if part.casefold() in us_states():
        return str(faker.state())
    return faker.city()


def _street(draws: _Draws, value: str, locale: str) -> str | None:
    """Return another street and number, and other places behind the first comma or line."""
    head, comma, tail = re.fullmatch(r"([^,\n]*)([,\n]?\s*)(.*)", value, re.DOTALL).groups()  # type: ignore[union-attr]  # every text matches
    locale = surrogate_names.locale_of(value, locale)
    seed = draws.of(value).getrandbits(64)
    with _LOCK:
        faker = _faker(locale)
        faker.seed_instance(seed)
        made = _in_casing(head, " ".join(faker.street_address().split()))
    return made + comma + ((_place(draws, tail, locale) or "") if tail else "")


def _in_casing(like: str, made: str) -> str:
    if len(like) > 1 and like.isupper():
        return made.upper()
    return made.lower() if like.islower() else made


def _number(make: Callable[[str, random.Random], str | None]) -> _Maker:
    return lambda draws, value, _locale: make(value, draws.of(value))


_LOCK: Final = threading.Lock()  # between seeding and drawing, a Faker is not to be shared


@lru_cache(32)
def _faker(locale: str) -> "Faker":
    from faker import Faker  # noqa: PLC0415  # takes half a second

    return Faker(locale)


_MAKERS: Final[Mapping[str, _Maker]] = {
    "PERSON": _person,
    "USERNAME": _handle,
    "EMAIL_ADDRESS": _email,
    "DOMAIN_NAME": _host,
    "URL": _url,
    "PHONE_NUMBER": _phone,
    "ZIP_CODE": _zip,
    "UUID": _uuid,
    "DATE_TIME": _date,
    "DATE_OF_BIRTH": _date,
    "AGE": _age,
    "GPS_COORDINATE": _coordinates,
    "ORGANIZATION": _organization,
    "LOCATION": _place,
    "STREET_ADDRESS": _street,
    **{entity: _number(make) for entity, make in surrogate_numbers.MAKERS.items()},
}
