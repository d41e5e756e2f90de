"""Surrogates of the stage: none is a value of the data, and the same value gets the same."""

import random
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pytest

from python_stages.errors import ConfigError
from python_stages.scrub import Engine, Policy, collect_real, scrub
from python_stages.scrub.pool import Executor
from python_stages.scrub.reversal import ReversalMap
from python_stages.scrub.surrogate_pools import names_of
from tests.python_stages.scrub.engines import built
from tests.python_stages.scrub.pool_work import AtADesk
from tests.python_stages.scrub.stage_batches import batch_of, policy_of, texts_of

KEY = bytes(range(32))
NAMES = names_of("en_US")
POLICY = policy_of(
    {"name": {"operator": "drop"}, "note": {"operator": "keep"}},
    entities=["EMAIL_ADDRESS"],
    deny_from={"name": "PERSON"},
    operator="surrogate",
)


@pytest.fixture(scope="module")
def emails() -> Engine:
    return built(*POLICY.entities)


def rows_of(people: Sequence[str], notes: Sequence[str] = ("",)) -> pa.RecordBatch:
    """Return a row for each of some people, with a text that names them and their address."""
    texts = [
        f"{name} <{name.replace(' ', '.').lower()}@acme.com> wrote. Dear {name.split()[0]},"
        for name in people
    ]
    return batch_of(
        *texts, name=list(people), note=[notes[n % len(notes)] for n in range(len(people))]
    )


def scrubbed(
    batches: Sequence[pa.RecordBatch],
    policy: Policy = POLICY,
    engine: Engine | None = None,
    executor: Executor | None = None,
    **more: Any,
) -> list[str]:
    how: dict[str, Any] = {"engine": engine, "key": KEY, "executor": executor}
    real = collect_real(batches, policy, **how)
    return [str(text) for text in texts_of(scrub(batches, policy, **how, real=real, **more))]


def people_of(texts: Sequence[str]) -> list[tuple[str, str, str]]:
    """Return the name, the address without its domain, and the salutation of scrubbed texts."""
    found = []
    for text in texts:
        name, _, rest = text.partition(" <")
        mail, _, greeting = rest.partition("> wrote. Dear ")
        found.append((name, mail.partition("@")[0], greeting.removesuffix(",")))
    return found


def test_no_surrogate_is_a_value_of_the_data_though_the_first_draws_are(emails: Engine) -> None:
    draw = random.Random(3)
    people = [
        f"{draw.choice(NAMES.female.names)} {draw.choice(NAMES.surnames.names)}" for _ in range(25)
    ]
    first = people_of(scrubbed([rows_of(people)], engine=emails))
    people += [name for name, _, _ in first]  # what the first draws were is real from now on
    second = people_of(scrubbed([rows_of(people)], engine=emails))
    assert not {name for name, _, _ in second} & set(people)
    assert not {given for _, _, given in second} & {name.split()[0] for name in people}
    assert [(mail, given) for _, mail, given in second] == [
        (name.replace(" ", ".").lower(), name.split()[0]) for name, _, _ in second
    ]


def test_what_a_kept_column_holds_is_no_surrogate(emails: Engine) -> None:
    ((made, _, _),) = people_of(scrubbed([rows_of(["Alice Smith"])], engine=emails))
    ((other, _, _),) = people_of(scrubbed([rows_of(["Alice Smith"], [made])], engine=emails))
    assert other != made


def test_neither_order_nor_batches_nor_processes_change_a_surrogate(emails: Engine) -> None:
    people = ["Alice Smith", "Bob Jones", "Carol White", "Alice Jones"]
    whole = scrubbed([rows_of(people)], engine=emails)
    pieces = scrubbed([rows_of(people[2:]), rows_of(people[:2])], engine=emails)
    assert pieces == whole[2:] + whole[:2]
    assert scrubbed([rows_of(people)], executor=AtADesk()) == whole


def test_surrogates_wait_until_it_is_known_what_is_real(emails: Engine) -> None:
    with pytest.raises(ConfigError, match="which values are real"):
        next(scrub([rows_of(["Alice Smith"])], POLICY, engine=emails, key=KEY))


def test_what_stands_for_what_is_told_when_asked_for(emails: Engine) -> None:
    reversals = ReversalMap()
    (text,) = scrubbed([rows_of(["Alice Smith"])], engine=emails, reversals=reversals)
    assert len(reversals) == 3  # name, address, given name
    assert "Alice" not in text
