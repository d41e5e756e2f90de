"""What finding PII costs: stock Presidio, its batch engine, and ours, with the same recognisers.

    python -m tests.benchmarks.pii                      # all of it, some minutes
    python -m tests.benchmarks.pii --texts 50 --memory-texts 20000

All three read the same texts in one process on one core, in turns, and have to find the same in
every one of them. The times are processor seconds. Stock is AnalyzerEngine with the recognisers,
the language model and the context rules of ours, the model run by spaCy as it comes; its batch
engine reads its texts through `nlp.pipe`.
"""

# ruff: noqa: PLC0415 - the limit on cores has to be set before what it limits is loaded

import argparse
import json
import os
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any, Final

from tests.benchmarks.report import Claim

LENGTHS: Final = {"short": 16, "ticket": 80, "legal": 800}  # words
LEAST_SPEEDUP: Final = {"short": 4.0, "ticket": 2.5, "legal": 1.5}
LEAST_SPEEDUP_DISTINCT: Final = 50.0
MOST_OWN_VALUES: Final = 2.0  # times as long, where each row's own name and address are sought too
MOST_GROWTH: Final = 1.15  # of memory, from the first fifth of the texts to the last

_ENTITIES: Final = ("all",)
_N_ROUNDS: Final = 3
_N_DISTINCT: Final = 500
_N_SIGNED: Final = 1_000  # tickets that their customers signed; more than caches hold
_N_COPIES: Final = 40  # of a rendered transaction
_BATCH: Final = 2_048

Work = Callable[[Sequence[str]], Any]


@dataclass(frozen=True, slots=True)
class Speed:
    """How fast texts of one length are read, in texts per processor second.

    Attributes:
        name: member of LENGTHS.
        n_texts: how many were read.
        stock: by AnalyzerEngine.
        batch: by BatchAnalyzerEngine.
        ours: by Engine.findings, which finds the same.
        spans: by Engine.spans, which finds more.
        n_different: texts in which ours found something else than stock.
    """

    name: str
    n_texts: int
    stock: float
    batch: float
    ours: float
    spans: float
    n_different: int

    @property
    def speedup(self) -> float:
        """Return how many times as fast as the faster of Presidio's engines."""
        return self.ours / max(self.stock, self.batch)


@dataclass(frozen=True, slots=True)
class Distinct:
    """How fast rendered transactions are read, of which each occurs several times.

    Attributes:
        n_texts: rows.
        n_distinct: different texts among them.
        stock: by AnalyzerEngine, in texts per processor second.
        ours: by Engine.spans, which reads equal texts once.
        ours_once: by Engine.spans, each different text alone.
    """

    n_texts: int
    n_distinct: int
    stock: float
    ours: float
    ours_once: float

    @property
    def speedup(self) -> float:
        """Return how many times as fast as stock."""
        return self.ours / self.stock


@dataclass(frozen=True, slots=True)
class OwnValues:
    """How fast signed tickets are read, in texts per processor second.

    Attributes:
        n_texts: how many, each of another customer.
        alone: as they are.
        with_rows: searched for the customer's name and address besides.
    """

    n_texts: int
    alone: float
    with_rows: float

    @property
    def cost(self) -> float:
        """Return how many times as long it takes to look at the rows."""
        return self.alone / self.with_rows


@dataclass(frozen=True, slots=True)
class Memory:
    """The resident memory over many texts, all different, in bytes.

    Attributes:
        n_texts: how many were read.
        early_bytes: after a fifth of them.
        late_bytes: after all of them.
    """

    n_texts: int
    early_bytes: int
    late_bytes: int

    @property
    def growth(self) -> float:
        """Return how many times as much memory is used at the end."""
        return self.late_bytes / self.early_bytes


def texts_of(n_words: int, n_texts: int, seed: int = 7) -> list[str]:
    """Return texts of some words, from the documents that the model's generator writes."""
    from python_stages.scrub.ner.generate.documents import Writer

    draw = random.Random(seed * 10_000 + n_words)
    n_documents = max(200, min(n_texts * n_words // 8, 4_000))
    words = " ".join(d.text for d in Writer().documents(draw, n_documents)).split(" ")
    starts = [draw.randrange(len(words) - n_words) for _ in range(n_texts)]
    return [" ".join(words[start : start + n_words]) for start in starts]


def speeds(n_texts: int) -> Iterator[Speed]:
    """Yield the speed at each length.

    Args:
        n_texts: short texts; fewer of the longer ones.
    """
    from presidio_analyzer import BatchAnalyzerEngine

    from python_stages.scrub import presidio
    from python_stages.scrub.engine import Engine

    engine = Engine(_ENTITIES)
    analyzer = presidio.analyzer(engine.entities, _as_it_comes())
    batch = BatchAnalyzerEngine(analyzer)
    for name, n_words in LENGTHS.items():
        texts = texts_of(n_words, max(5, n_texts * LENGTHS["short"] // n_words))
        works: dict[str, Work] = {
            "stock": lambda some: [analyzer.analyze(text, "en") for text in some],
            "batch": lambda some: batch.analyze_iterator(some, "en", batch_size=64),
            "ours": engine.findings,
            "spans": engine.spans,
        }
        for work in works.values():  # what is compiled or loaded late is not counted
            work(texts[: max(2, len(texts) // 20)])
        found: dict[str, Any] = {}
        rates = _rates(works, texts, engine, found)
        both = zip(found["stock"], found["ours"], strict=True)
        n_different = sum(_stocked(a) != _ours(b) for a, b in both)
        yield Speed(name, len(texts), **rates, n_different=n_different)


def _as_it_comes() -> Any:
    """Return the model as spaCy runs it, with the same numbers and the same second look."""
    import spacy

    from python_stages.scrub.ner import exact, loading, second_look

    return second_look.add_to(exact.use(spacy.load(loading.MODEL)))


def _rates(
    works: dict[str, Work],
    texts: Sequence[str],
    engine: Any,
    found: dict[str, Any] | None = None,
) -> dict[str, float]:
    """Return texts per second of each work, in turns, so that all share a noise.

    Args:
        works: name -> what is timed.
        texts: what each is given.
        engine: whose memory of texts is cleared before each.
        found: takes what each found last.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(_N_ROUNDS):
        for name, work in works.items():
            engine.forget()
            start = time.process_time()
            result = work(texts)
            seconds[name].append(time.process_time() - start)
            if found is not None:
                found[name] = result
    return {name: len(texts) / statistics.median(taken) for name, taken in seconds.items()}


def _stocked(results: Sequence[Any]) -> set[tuple[str, int, int, float]]:
    return {(r.entity_type, r.start, r.end, r.score) for r in results}


def _ours(findings: Sequence[Any]) -> set[tuple[str, int, int, float]]:
    return {(f.entity, f.start, f.end, f.score) for f in findings}


def distinct() -> Distinct:
    """Return the speed on rendered transactions, each of which occurs `_N_COPIES` times."""
    from python_stages.scrub import presidio
    from python_stages.scrub.engine import Engine, expand

    draw = random.Random(3)
    once = [_transaction(draw) for _ in range(_N_DISTINCT)]
    texts = once * _N_COPIES
    draw.shuffle(texts)
    analyzer = presidio.analyzer(expand(["identifiers"]), presidio.word_splitter())
    engine = Engine(["identifiers"])

    def rate(work: Work, some: Sequence[str]) -> float:
        work(some[:50])
        engine.forget()
        start = time.process_time()
        for at in range(0, len(some), _BATCH):
            work(some[at : at + _BATCH])
        return len(some) / (time.process_time() - start)

    stock = rate(lambda some: [analyzer.analyze(text, "en") for text in some], once)
    return Distinct(
        len(texts), len(set(once)), stock, rate(engine.spans, texts), rate(engine.spans, once)
    )


def _transaction(draw: random.Random) -> str:
    """Return a transaction as the tutorial renders it."""
    merchant = draw.choice(("Red Lobster", "Booking.com", "Shell", "IKEA", "Macy's", "Uber"))
    city = draw.choice(("New York", "Lagos", "Houston", "London", "Paris"))
    day = f"{draw.choice(('March', 'October'))} {draw.randint(1, 28):02d}, 2024"
    amount = f"${draw.randrange(100, 99_999) / 100:,.2f}"
    return f"{amount} was charged by {merchant} in {city} on {day}, card: Gold Credit."


def own_values() -> OwnValues:
    """Return the speed on signed tickets, without and with what their rows tell."""
    from python_stages.generate.people import person
    from python_stages.scrub.engine import Engine, RowValues

    draw = random.Random(5)
    customers = [person(draw) for _ in range(_N_SIGNED)]
    texts = [
        f"{who.name} here. {body}\nWrite to {who.email}. Thanks, {who.name.split()[0]}"
        for who, body in zip(customers, texts_of(LENGTHS["ticket"], _N_SIGNED), strict=True)
    ]
    deny = ((("PERSON", who.name), ("EMAIL_ADDRESS", who.email)) for who in customers)
    rows = [RowValues(values) for values in deny]
    engine = Engine(["identifiers", "PERSON"])
    engine.spans(texts[:20], rows=rows[:20])
    works: dict[str, Work] = {
        "alone": engine.spans,
        "with_rows": lambda some: engine.spans(some, rows=rows),
    }
    return OwnValues(_N_SIGNED, **_rates(works, texts, engine))


def memory(n_texts: int) -> Memory:
    """Return the memory over some texts that are all different, in batches."""
    from python_stages.scrub.engine import Engine

    engine = Engine(["identifiers", "names"])
    bodies = texts_of(10, 2_000)
    texts = (f"{bodies[n % len(bodies)]} Zork{n}son u{n}@example.com" for n in range(n_texts))
    early = n_read = 0
    while batch := list(islice(texts, _BATCH)):
        engine.spans(batch)
        n_read += len(batch)
        if not early and n_read >= n_texts // 5:
            early = _resident_bytes()
    return Memory(n_texts, early, _resident_bytes())


def _resident_bytes() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


def main() -> int:
    """Measure, print the claims last, and return 1 if one does not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.pii", description=__doc__)
    parser.add_argument("--texts", type=int, default=1_000, help="short texts; longer ones: fewer")
    parser.add_argument("--memory-texts", type=int, default=200_000)
    options = parser.parse_args()
    claims: list[Claim] = []
    for speed in speeds(options.texts):
        _say(asdict(speed) | {"speedup": speed.speedup})
        claims += [
            Claim(
                f"{speed.name} texts, times stock",
                speed.speedup,
                LEAST_SPEEDUP[speed.name],
                is_at_least=True,
            ),
            Claim(f"{speed.name} texts with other findings than stock", speed.n_different, 0),
        ]
    repeated = distinct()
    _say(asdict(repeated) | {"speedup": repeated.speedup})
    claims.append(
        Claim(
            "rendered transactions, times stock",
            repeated.speedup,
            LEAST_SPEEDUP_DISTINCT,
            is_at_least=True,
        )
    )
    own = own_values()
    _say(asdict(own) | {"cost": own.cost})
    claims.append(
        Claim("tickets with their rows' values, times as long", own.cost, MOST_OWN_VALUES)
    )
    if options.memory_texts:
        used = memory(options.memory_texts)
        _say(asdict(used) | {"growth": used.growth})
        claims.append(Claim("memory at the end / after a fifth", used.growth, MOST_GROWTH))
    sys.stdout.write(json.dumps([asdict(claim) for claim in claims]) + "\n")
    return int(not all(claim.is_met for claim in claims))


def _say(numbers: dict[str, Any]) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    sys.stdout.write(json.dumps(numbers | {"peak_bytes": peak}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    # one core: before anything that counts cores is loaded
    os.environ.update(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    sys.exit(main())
