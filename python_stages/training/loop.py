"""Train: from lines to a tuned model, resumable at every step, private when asked."""

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np

from python_stages.errors import ConfigError
from python_stages.training import checkpoint, dataset, makers, privacy
from python_stages.training.bases import base_of
from python_stages.training.batches import Epochs, PoissonSample, Schedule, parts
from python_stages.training.checkpoint import Progress
from python_stages.training.dataset import Dataset
from python_stages.training.engine import Engine, Tally
from python_stages.training.plan import Plan, learning_rate, make_plan
from python_stages.training.privacy import Mechanism
from python_stages.training.results import (
    Checkpoint,
    DataCounts,
    StepMetrics,
    TrainEvent,
    TrainResult,
    metrics_csv,
)
from python_stages.training.settings import TrainSettings
from python_stages.training.storage import Start, Storage

Wish = Literal["stop", "pause"] | None

_SAVE_SECONDS: Final = 30.0
_PATIENCE: Final = 3  # epochs without a lower validation loss
_COUNTS_SHARE: Final = 0.01  # of epsilon, for two counts


def train(
    settings: TrainSettings,
    train_lines: Iterable[bytes],
    validation_lines: Iterable[bytes] | None = None,
    *,
    storage: Storage,
    on_event: Callable[[TrainEvent], None] = lambda _: None,
    should_stop: Callable[[], Wish] = lambda: None,
    resume: bool = True,
    start: Start | None = None,
) -> TrainResult | None:
    """Train a model on chat lines; return None if it was stopped or paused.

    The same lines and settings give the same weights on the same machine, interrupted or not; with
    epsilon only the second holds, since rows and noise are drawn from the operating system.

    Args:
        settings: what is asked for.
        train_lines: JSONL, each line an object with `messages`.
        validation_lines: the same form; with epsilon they are not looked at.
        storage: keeps states and checkpoints; encrypted, if the rows are private.
        on_event: told of every step.
        should_stop: asked after every step; "pause" keeps the state, "stop" does not.
        resume: go on from the storage's state if there is one; else it is cleared.
        start: weights to begin with; None: the base's, or fresh ones.

    Raises:
        ConfigError: the settings do not fit the rows, or the state is of another training.
        StageError: a line is not of the form.
    """
    if start is not None and settings.is_private:
        raise ConfigError(
            "a model that goes on from another one on the same rows loses as much privacy as both "
            "together, and epsilon would name a part of it: with epsilon, begin with a base"
        )
    base = base_of(settings.preset)
    encode = makers.encoder(base)
    rows, counts = dataset.read(
        train_lines,
        encode,
        deduplicate=settings.is_private if settings.deduplicate is None else settings.deduplicate,
        max_rows_per_person=settings.max_rows_per_person,
    )
    validation = None
    if validation_lines is not None and not settings.is_private:
        validation, _ = dataset.read(validation_lines, encode, deduplicate=False)
        validation = validation if validation.n_rows else None
    plan = make_plan(settings, rows.n_rows, has_validation=validation is not None)
    if not resume:
        checkpoint.clear(storage)
    engine = makers.engine(base, plan, settings.seed)
    if start is not None:
        engine.begin_with(start)
    training = _Training(
        settings=settings,
        plan=plan,
        rows=rows,
        validation=validation,
        counts=counts,
        engine=engine,
        storage=storage,
        start=None if start is None else hashlib.sha256(start.storage.read(start.name)).hexdigest(),
    )
    return training.run(on_event, should_stop)


@dataclass(frozen=True, slots=True)
class _Pace:
    """How fast the training is, without what compilation took."""

    step: int
    at: float

    def eta_seconds(self, step: int, n_steps: int) -> float | None:
        """Return how long the rest takes, once a second step was made."""
        if step <= self.step:
            return None
        return (time.monotonic() - self.at) / (step - self.step) * (n_steps - step)


class _Training:
    """One training, from its first or its next step on."""

    def __init__(
        self,
        *,
        settings: TrainSettings,
        plan: Plan,
        rows: Dataset,
        validation: Dataset | None,
        counts: DataCounts,
        engine: Engine,
        storage: Storage,
        start: str | None,
    ) -> None:
        self.start = start
        self.settings = settings
        self.plan = plan
        self.rows = rows
        self.validation = validation
        self.counts = counts
        self.engine = engine
        self.storage = storage
        self.mechanism = _mechanism(settings, plan, rows.n_rows)
        self.metrics: list[StepMetrics] = []

    def run(
        self, on_event: Callable[[TrainEvent], None], should_stop: Callable[[], Wish]
    ) -> TrainResult | None:
        """Make all steps that are left."""
        progress, arrays = self._begin()
        schedule = self._schedule(progress)
        if arrays is not None:
            self.engine.restore(arrays)
        note = _note(progress, self._counts_deviation)
        if note is not None and progress.step == 0:
            on_event(TrainEvent(step=0, n_steps=schedule.n_steps, note=note))
        saved_at, pace = time.monotonic(), None
        while not progress.is_over:
            progress, event = self._step(schedule, progress)
            pace = pace or _Pace(progress.step, time.monotonic())
            eta = pace.eta_seconds(progress.step, schedule.n_steps)
            on_event(replace(event, eta_seconds=eta))
            wish = None if progress.is_over else should_stop()
            if wish == "stop":
                return None
            if wish or progress.is_over or time.monotonic() - saved_at > _SAVE_SECONDS:
                whole = replace(progress, metrics=tuple(self.metrics))
                checkpoint.write_state(self.storage, self.engine.arrays(), whole)
                saved_at = time.monotonic()
            if wish:
                return None
        return self._result(progress, schedule)

    def _begin(self) -> tuple[Progress, checkpoint.Arrays | None]:
        digest = self._digest()
        found = checkpoint.read_state(self.storage, digest)
        if found is not None:
            self.metrics = list(found[1].metrics)
            return found[1], found[0]
        secret = privacy.new_secret().hex() if self.mechanism else None
        n_cut, n_too_long = self.counts.n_cut, self.counts.n_too_long
        if secret is not None:
            n_cut, n_too_long = privacy.noisy_counts(
                bytes.fromhex(secret),
                (n_cut, n_too_long),
                self._counts_epsilon,
                self.settings.max_rows_per_person,
            )
        return Progress(digest=digest, secret=secret, n_cut=n_cut, n_too_long=n_too_long), None

    @property
    def _counts_epsilon(self) -> float:
        return _COUNTS_SHARE * (self.plan.epsilon or 0.0)

    @property
    def _counts_deviation(self) -> float:
        if self.mechanism is None:
            return 0.0
        return math.sqrt(2) * (self.settings.max_rows_per_person or 1) / self._counts_epsilon

    def _schedule(self, progress: Progress) -> Schedule:
        if self.mechanism is None:
            return Epochs(self.rows, self.plan.n_epochs, self.plan.batch_size, self.settings.seed)
        return PoissonSample(self.rows, self.mechanism, bytes.fromhex(progress.secret or ""))

    def _step(self, schedule: Schedule, progress: Progress) -> tuple[Progress, TrainEvent]:
        """Make one step, and what is due at the end of an epoch."""
        number = progress.step
        cut = parts(self.rows, schedule.rows(number), schedule.part_sizes)
        is_last = number + 1 == schedule.n_steps
        rate = learning_rate(self.plan.learning_rate, number, schedule.n_steps)
        event = TrainEvent(step=number + 1, n_steps=schedule.n_steps)
        progress = replace(progress, step=number + 1)
        if self.mechanism is not None:
            noise_seed = privacy.noise_seed(bytes.fromhex(progress.secret or ""), number)
            self.engine.noisy_step(self.rows, cut, self.mechanism, rate=rate, noise_seed=noise_seed)
            if is_last:
                progress = self._publish(progress, None)
                event = replace(event, checkpoint=progress.checkpoints[-1].name)
                progress = replace(progress, secret=None, is_over=True)
            return progress, event
        train_loss, train_accuracy = self.engine.plain_step(self.rows, cut, rate).means()
        metrics = StepMetrics(number + 1, train_loss, train_accuracy)
        event = replace(event, train_loss=train_loss)
        if is_last or (number + 1) % schedule.epoch_steps == 0:
            valid = self._validate()
            if valid is not None:
                metrics = replace(metrics, valid_loss=valid[0], valid_mean_token_accuracy=valid[1])
                event = replace(event, valid_loss=valid[0], valid_token_accuracy=valid[1])
            progress = self._publish(progress, valid)
            event = replace(event, checkpoint=progress.checkpoints[-1].name)
            is_enough = self.plan.stops_early and progress.n_worse >= _PATIENCE
            progress = replace(progress, is_over=is_last or is_enough)
        self.metrics.append(metrics)
        return progress, event

    def _validate(self) -> tuple[float, float] | None:
        """Return loss and token accuracy on all validation rows."""
        if self.validation is None:
            return None
        every = np.arange(self.validation.n_rows)
        tallies = [
            self.engine.look(self.validation, part) for part in parts(self.validation, every)
        ]
        return Tally(*(sum(values) for values in zip(*tallies, strict=True))).means()

    def _publish(self, progress: Progress, valid: tuple[float, float] | None) -> Progress:
        """Write weights, and drop those that nobody will ask for."""
        name = checkpoint.weights_name(progress.step)
        self.engine.publish(self.storage, name)
        loss, accuracy = valid or (None, None)
        new = Checkpoint(name, progress.step, valid_loss=loss, valid_token_accuracy=accuracy)
        progress = replace(progress, checkpoints=(*progress.checkpoints, new))
        if loss is not None:
            is_best = progress.best_loss is None or loss < progress.best_loss
            progress = replace(
                progress,
                best_loss=loss if is_best else progress.best_loss,
                n_worse=0 if is_best else progress.n_worse + 1,
            )
        kept = self._kept(progress)
        for other in progress.checkpoints:
            if other not in kept:
                self.storage.delete(other.name)
        return replace(progress, checkpoints=kept)

    def _kept(self, progress: Progress) -> tuple[Checkpoint, ...]:
        """Return the checkpoints to keep: the last ones, and the one that would be the final."""
        last = progress.checkpoints[-max(1, self.plan.n_checkpoints) :]
        final = self._final(progress)
        return last if final in last else (final, *last)

    def _final(self, progress: Progress) -> Checkpoint:
        if not self.plan.stops_early:
            return progress.checkpoints[-1]
        return next(c for c in progress.checkpoints if c.valid_loss == progress.best_loss)

    def _result(self, progress: Progress, schedule: Schedule) -> TrainResult:
        final = replace(self._final(progress), is_final=True)
        others = [c for c in progress.checkpoints if c.name != final.name]
        shown = others[len(others) - self.plan.n_checkpoints :] if self.plan.n_checkpoints else []
        for other in others:
            if other not in shown:
                self.storage.delete(other.name)
        if self.mechanism is not None:
            tokens = None
        else:
            tokens = sum(self.rows.n_tokens(schedule.rows(i)) for i in range(progress.step))
        return TrainResult(
            n_steps=progress.step,
            n_trained_tokens=tokens,
            final_checkpoint=final.name,
            checkpoints=(*shown, final),
            metrics_csv=metrics_csv(self.metrics),
            counts=None if self.mechanism else self.counts,
            privacy=None
            if self.mechanism is None
            else privacy.report(
                self.mechanism,
                counts=(progress.n_cut, progress.n_too_long),
                counts_epsilon=self._counts_epsilon,
            ),
        )

    def _digest(self) -> str:
        """Return what tells this training from every other one."""
        valid = None if self.validation is None else self.validation.digest()
        told = [self.settings.to_json(), self.rows.digest(), valid, checkpoint.FORMAT]
        told += [] if self.start is None else [self.start]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _note(progress: Progress, deviation: float) -> str | None:
    """Return what became of rows that are too long, if there seem to be any.

    Args:
        progress: holds their counts.
        deviation: of the counts' noise.
    """
    if max(progress.n_cut, progress.n_too_long) <= 2 * deviation:
        return None
    about = f" Both numbers hold noise, of a deviation of {deviation:.0f}." if deviation else ""
    return (
        f"Rows too long for the model's context: {progress.n_cut} lost the middle of their prompt, "
        f"{progress.n_too_long} were left out since their answer alone does not fit. "
        f"No answer was cut.{about}"
    )


def _mechanism(settings: TrainSettings, plan: Plan, n_rows: int) -> Mechanism | None:
    if plan.epsilon is None:
        return None
    return privacy.calibrate(
        epsilon=plan.epsilon * (1 - _COUNTS_SHARE),
        delta=plan.delta,
        n_rows=n_rows,
        batch_size=plan.batch_size,
        n_steps=max(1, round(plan.n_epochs * n_rows / plan.batch_size)),
        clip_norm=plan.clip_norm,
        rows_per_person=settings.max_rows_per_person,
    )
