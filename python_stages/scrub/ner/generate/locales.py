"""What Faker knows of a locale: names, cities, streets, companies."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

SAMPLES: Final = 150  # of each value that Faker composes
SEED: Final = 20_240_917
# The others take most of Faker's time to start.
PROVIDERS: Final = ("faker.providers.person", "faker.providers.address", "faker.providers.company")
INGREDIENTS: Final = ("faker.providers.misc", "faker.providers.date_time", "faker.providers.lorem")

# Weights: English-language texts name English names most, and every other kind often enough.
LATIN: Final = {
    "en_US": 40, "en_GB": 16, "en_CA": 6, "en_AU": 6, "en_IE": 5, "en_NZ": 4, "en_IN": 10,
    "en_PH": 3, "de_DE": 9, "de_AT": 3, "de_CH": 3, "fr_FR": 9, "fr_CA": 3, "fr_CH": 3,
    "es_ES": 9, "es_MX": 7, "es_AR": 4, "es_CO": 4, "es_CL": 3, "it_IT": 8, "pt_BR": 6,
    "pt_PT": 4, "nl_NL": 8, "nl_BE": 4, "da_DK": 5, "sv_SE": 6, "no_NO": 5, "fi_FI": 6,
    "is_IS": 3, "et_EE": 2, "lv_LV": 2, "lt_LT": 2, "pl_PL": 6, "cs_CZ": 5, "sk_SK": 3,
    "sl_SI": 4, "hr_HR": 4, "hu_HU": 5, "ro_RO": 4, "tr_TR": 5, "az_AZ": 2,
    "id_ID": 4, "yo_NG": 3, "ha_NG": 2, "ig_NG": 3, "zu_ZA": 3, "sw": 3, "tw_GH": 2,
}  # fmt: skip
OTHER_SCRIPTS: Final = {
    "ru_RU": 3, "uk_UA": 2, "bg_BG": 1, "el_GR": 2, "ja_JP": 2, "zh_CN": 2, "ko_KR": 1,
    "ar_AA": 2, "he_IL": 1, "hi_IN": 1, "th_TH": 1,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Pool:
    """Values of one locale; cities, streets and addresses only where Faker has native ones."""

    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    cities: tuple[str, ...]
    streets: tuple[str, ...]
    addresses: tuple[str, ...]
    companies: tuple[str, ...]


def _known(provider: Any, attributes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the strings that a provider lists under some names, sorted."""
    found: set[str] = set()
    for attribute in attributes:
        listed = getattr(provider, attribute, ())
        found.update(item for item in listed if isinstance(item, str) and len(item) > 1)
    return tuple(sorted(found))


def _sampled(make: Callable[[], str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(make() for _ in range(SAMPLES)))


def _cities(faker: Any, address: Any) -> tuple[str, ...]:
    listed = _known(address, ("cities",))  # in some locales in an order that changes by process
    return (
        tuple(faker.random.sample(listed, SAMPLES))
        if len(listed) > SAMPLES
        else _sampled(faker.city)
    )


@cache
def pool(locale: str) -> Pool:
    """Return the values of a locale, always the same ones."""
    from faker import Factory  # noqa: PLC0415  # only a training run needs it
    from faker.providers.address.en_US import Provider as AmericanAddress  # noqa: PLC0415  # same
    from faker.providers.company.en_US import Provider as AmericanCompany  # noqa: PLC0415  # same

    faker: Any = Factory.create(locale, [*PROVIDERS, *INGREDIENTS])
    faker.seed_instance(SEED)
    person, address, company = map(faker.provider, PROVIDERS)
    is_english = locale.startswith("en")
    # where a locale has nothing of its own, Faker falls back on American values
    has_address = is_english or type(address) is not AmericanAddress
    has_company = is_english or type(company) is not AmericanCompany
    first = _known(person, ("first_names", "first_names_male", "first_names_female"))
    last = _known(person, ("last_names", "last_names_male", "last_names_female"))
    return Pool(
        first_names=first if len(first) > SAMPLES // 4 else _sampled(faker.first_name),
        last_names=last if len(last) > SAMPLES // 4 else _sampled(faker.last_name),
        cities=_cities(faker, address) if has_address else (),
        streets=_sampled(faker.street_address) if has_address else (),
        addresses=_sampled(faker.address) if has_address else (),
        companies=_sampled(faker.company) if has_company else (),
    )
