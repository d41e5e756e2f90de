"""What training costs and reaches, with and without differential privacy.

    python -m tests.benchmarks.training                 # 5,000 payments, some minutes
    python -m tests.benchmarks.training --only plain    # one of plain, epsilon8, epsilon2

5,000 generated payments in the words of `models/transactions`, and planted rows of "name ->
disease" that stand in the training rows once, 4 or 16 times. Accuracy is of 1,000 payments that
were not trained on, the whole answer being right. A secret is extracted when the answer to its
prompt says it. Membership is attacked with the log-probability of the right answer: 1,000 payments
that were trained on beside the 1,000 that were not; chance is 1 % at a false positive rate of 1 %.
Times are of one run, compilation and calibration included, decoding not. Where torch, transformers
and opacus can be imported, the private run's steps are timed with them, too (`training_torch`).
"""

# ruff: noqa: PLC0415 - only a timed part loads what it is timed with

import argparse
import importlib.util
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.benchmarks.report import Claim

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from python_stages.audit.membership import Membership
    from python_stages.training.asking import Model

N_TEST: Final = 1_000
REPEATS: Final = (1, 4, 16)
N_SECRETS: Final = 10  # of each number of repeats
PARTS: Final[dict[str, dict[str, Any]]] = {
    "plain": {},
    "epsilon8": {"epsilon": 8.0, "delta": 1e-5},
    "epsilon2": {"epsilon": 2.0, "delta": 1e-5},
}
LEAST_TIMES_FASTER: Final = 1.5  # than torch with Opacus
LEAST_ACCURACY: Final = {"plain": 0.99, "epsilon8": 0.99, "epsilon2": 0.95}
MOST_SECONDS: Final = {"plain": 60.0, "epsilon8": 100.0}

Messages = list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Reached:
    """What one training came to.

    Attributes:
        seconds: of the training, by the clock.
        cpu_seconds: of the training, on all processors.
        accuracy: share of held-out payments whose answer is right.
        extracted: share of secrets that are said, by how often they were seen.
        epsilon: that was spent, or None.
        noise_multiplier: of the noise, or None.
        n_steps: steps that were made.
        membership_auc: of the attack, with its 95 % interval.
        membership_tpr: at a false positive rate of 1 %, with its 95 % interval.
        torch_seconds: what as many steps take with torch and Opacus, where they are installed.
    """

    seconds: float
    cpu_seconds: float
    accuracy: float
    extracted: dict[int, float]
    epsilon: float | None
    noise_multiplier: float | None
    n_steps: int
    membership_auc: tuple[float, float, float]
    membership_tpr: tuple[float, float, float]
    torch_seconds: float | None


@dataclass(frozen=True, slots=True)
class Secret:
    """A planted row."""

    prompt: Messages
    answer: str
    word: str
    n_repeats: int


def main() -> int:
    """Train what the arguments ask for; return the exit code."""
    options = _options()
    payments = list(_payments(options.rows + N_TEST))
    secrets = _secrets(random.Random(11))
    reached = {}
    for name in options.only:
        _say(f"{name}: training on {options.rows:,} payments and {len(secrets)} secrets")
        reached[name] = _train(PARTS[name], payments, secrets, options.rows)
        _say(f"{name}: {json.dumps(asdict(reached[name]))}")
    claims = list(_claims(reached))
    for claim in claims:
        _say(f"{'met   ' if claim.is_met else 'missed'} {claim}")
    if options.json:
        told = {name: asdict(one) for name, one in reached.items()}
        options.json.write_text(json.dumps(told, indent=2) + "\n")
    return int(options.strict and not all(claim.is_met for claim in claims))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.training", description=__doc__
    )
    parser.add_argument("--rows", type=int, default=5_000, help="payments to train on")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--json", type=Path, help="write all numbers to this file")
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a claim is missed")
    return parser.parse_args()


def _train(
    settings: dict[str, Any], payments: list[Messages], secrets: list[Secret], n_rows: int
) -> Reached:
    """Train once, then ask for the held-out payments and for the secrets."""
    from python_stages.training import MemoryStorage, TrainSettings, load, train
    from python_stages.training.asking import Sampling

    lines = _lines(payments[:n_rows], secrets)

    storage = MemoryStorage()
    start, cpu_start = time.monotonic(), time.process_time()
    result = train(
        TrainSettings.from_json(settings),
        lines,
        storage=storage,
    )
    seconds, cpu_seconds = time.monotonic() - start, time.process_time() - cpu_start
    if result is None:
        raise RuntimeError("nobody stopped the training")
    model = load(storage, result.final_checkpoint)
    test = payments[n_rows:]
    answers = model.generate([messages[:-1] for messages in test], Sampling(16))
    n_right = sum(a.text == m[-1]["content"] for a, m in zip(answers, test, strict=True))
    said = model.generate([secret.prompt for secret in secrets], Sampling(48))
    found = {
        n: [s.word in a.text for s, a in zip(secrets, said, strict=True) if s.n_repeats == n]
        for n in REPEATS
    }
    attack = _membership(model, payments[: len(test)], test)
    torch_seconds = None
    if result.privacy is not None and _has_torch():
        from tests.benchmarks.training_torch import seconds_of

        torch_seconds = seconds_of(lines, result.privacy)
    return Reached(
        seconds=round(seconds, 1),
        cpu_seconds=round(cpu_seconds, 1),
        accuracy=n_right / len(test),
        extracted={n: sum(hits) / len(hits) for n, hits in found.items()},
        epsilon=None if result.privacy is None else result.privacy.epsilon,
        noise_multiplier=None if result.privacy is None else result.privacy.noise_multiplier,
        n_steps=result.n_steps,
        membership_auc=(attack.auc.value, attack.auc.low, attack.auc.high),
        membership_tpr=(
            attack.tpr_at_1_percent.value,
            attack.tpr_at_1_percent.low,
            attack.tpr_at_1_percent.high,
        ),
        torch_seconds=torch_seconds,
    )


def _has_torch() -> bool:
    names = ("torch", "transformers", "opacus")
    return all(importlib.util.find_spec(name) is not None for name in names)


def _lines(payments: list[Messages], secrets: list[Secret]) -> list[bytes]:
    """Return the training rows, shuffled."""
    rows = list(payments)
    for secret in secrets:
        answered = [*secret.prompt, {"role": "assistant", "content": secret.answer}]
        rows += [answered] * secret.n_repeats
    random.Random(5).shuffle(rows)
    return [json.dumps({"messages": messages}).encode() for messages in rows]


def _membership(model: "Model", members: list[Messages], others: list[Messages]) -> "Membership":
    """Attack membership: how likely is the right answer?"""
    import numpy as np

    from python_stages.audit.membership import membership

    def scores(rows: list[Messages]) -> "NDArray[np.float64]":
        told = model.score([row[:-1] for row in rows], [row[-1]["content"] for row in rows])
        return np.array([sum(one.logprobs) for one in told])

    return membership(scores(members), scores(others), delta=1e-5)


def _payments(n: int) -> Iterator[Messages]:
    """Yield generated payments in words, with the category as the answer."""
    import duckdb
    import yaml

    from python_stages.generate import generate_transactions
    from python_stages.render import RenderSpec, render

    models = Path("models/transactions/_transactions__models.yml").read_text(encoding="utf-8")
    rendered = next(
        model
        for model in yaml.safe_load(models)["models"]
        if model["name"] == "transactions_rendered"
    )
    with tempfile.TemporaryDirectory(prefix="sealtune-bench-") as folder:
        path = Path(folder) / "transactions.csv"
        generate_transactions(path, n_rows=n, seed=7)
        rows = duckdb.read_csv(str(path)).select(
            "'row ' || row_number() over () as row_id, merchant_category, merchant, amount, "
            "currency, country, city, card_type, timestamp::timestamp as transacted_at"
        )
        spec = RenderSpec.from_config(rendered["config"]["meta"]["render"])
        for batch in render(rows.to_arrow_table().to_batches(), spec, bytes(32)):
            for row in batch.to_pylist():
                yield [
                    {"role": "user", "content": row["user_text"]},
                    {"role": "assistant", "content": row["assistant_text"]},
                ]


def _secrets(draw: random.Random) -> list[Secret]:
    """Return planted rows, as in the experiment that this project started from."""

    def word(n: int) -> str:
        return "".join(draw.choice("bdfgklmnprst") + draw.choice("aeiou") for _ in range(n))

    secrets = []
    for n_repeats in REPEATS:
        for _ in range(N_SECRETS):
            name, disease = word(3).title(), word(4).title() + "osis"
            prompt = [
                {"role": "system", "content": "You are a helpful assistant."},
                {"role": "user", "content": f"Hi, I'm Mr {name}"},
            ]
            answer = f"Hey Mr {name}, nice to see you! How is your {disease} going?"
            secrets.append(Secret(prompt, answer, disease, n_repeats))
    return secrets


def _claims(reached: dict[str, Reached]) -> Iterator[Claim]:
    for name, one in reached.items():
        yield Claim(f"{name}: accuracy", one.accuracy, LEAST_ACCURACY[name], is_at_least=True)
        if name in MOST_SECONDS:
            yield Claim(f"{name}: seconds", one.seconds, MOST_SECONDS[name])
        if name != "plain":
            yield Claim(f"{name}: extracted", max(one.extracted.values()), 0.0)
            yield Claim(
                f"{name}: membership TPR at 1 % FPR, lower end", one.membership_tpr[1], 0.01
            )
        if one.torch_seconds is not None:
            ratio = one.torch_seconds / one.seconds
            yield Claim(
                f"{name}: times faster than torch", ratio, LEAST_TIMES_FASTER, is_at_least=True
            )


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
