"""The stage in other processes: the same results, and no secret in what is sent."""

import pickle

from python_stages.scrub import Engine, scrub
from python_stages.scrub.pool import Pool, executor
from python_stages.scrub.work import Chunk, Done, Scrubbing, Search
from python_stages.scrub.workers import ProcessWorker
from tests.python_stages.scrub.pool_work import hired
from tests.python_stages.scrub.stage_batches import batch_of, policy_of, texts_of

KEY = bytes(range(32))
NAMES = ("Ann Lee", "Bo Ray", "Cy Fox", "Di Kay", "Ed Poe", "Flo Moy", "Guy Ash")


def test_a_worker_does_what_this_process_does() -> None:
    """Pseudonyms included: they depend on the key, and on nothing of the process."""
    policy = policy_of(
        {"name": {"operator": "drop"}},
        entities=["EMAIL_ADDRESS"],
        deny_from={"name": "PERSON"},
        operator="pseudonym",
    )
    batches = [
        batch_of(
            *[f"{n}: {NAMES[n % 7]} wrote to a{n % 9}@example.com" for n in range(start, stop)],
            name=[NAMES[n % 7] for n in range(start, stop)],
        )
        for start, stop in ((0, 60), (60, 70), (70, 130))
    ]
    here = list(scrub(batches, policy, key=KEY))
    there = list(scrub(batches, policy, key=KEY, executor=Pool(ProcessWorker, 1)))
    assert there == here
    words = [str(text).split() for text in texts_of(here)]
    assert len({(line[1], line[-1]) for line in words}) == 7 * 9


def test_a_small_input_starts_no_process(engine: Engine) -> None:
    out = scrub(
        [batch_of("a@example.com")] * 20,
        policy_of(),
        engine=engine,
        executor=executor("auto", n_workers=2),
    )
    for _ in out:
        assert hired() == []


def test_neither_engine_nor_key_shows_in_the_work(engine: Engine) -> None:
    work = Scrubbing(Search(policy_of(), engine), KEY)
    assert repr(KEY) not in repr(work)
    assert pickle.loads(pickle.dumps(work)) == work


def test_a_policy_that_looks_for_nothing_loads_nothing() -> None:
    do = Scrubbing(Search(policy_of(operator="keep")), None).start()
    assert do(Chunk("", (), ())) == Done()
