"""Surrogates under one key, and names to be replaced."""

from hypothesis import settings
from hypothesis import strategies as st

from python_stages.scrub import surrogate_pools
from python_stages.scrub.pseudonym import Pseudonyms
from python_stages.scrub.surrogate import Surrogates

ours = Pseudonyms(bytes(range(32)), "orders")
surrogates = Surrogates(ours)
american = surrogate_pools.names_of("en_US")

given_names = st.sampled_from([*american.male.names, *american.female.names])
surnames = st.sampled_from(american.surnames.names)
BRIEF = settings(max_examples=25)


def of(entity: str, value: str, locale: str = "") -> str:
    return surrogates.of(entity, value, locale)
