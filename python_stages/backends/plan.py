"""The backend that sends nothing: tokens, cost, files, and what would be sent."""

from dataclasses import dataclass

from python_stages.backends.values import (
    BackendIdentity,
    Estimate,
    HyperparameterValue,
    JobSpec,
    Split,
    estimate,
    job_key,
)


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """A file that would be uploaded."""

    split: Split
    name: str
    n_bytes: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a submission would send.

    Args:
        key: the job key under this backend.
        files: what would be uploaded, sizes in bytes.
        base_model: model that would be trained.
        hyperparameters: as pairs, sorted by name.
        seed: seed of the job.
        estimate: tokens and cost.
    """

    key: str
    files: tuple[PlannedFile, ...]
    base_model: str
    hyperparameters: tuple[tuple[str, HyperparameterValue], ...]
    seed: int
    estimate: Estimate

    @property
    def sentence(self) -> str:
        """The plan in one line, fit for a log: counts and names, no values."""
        n_bytes = sum(file.n_bytes for file in self.files)
        return (
            f"would send {len(self.files)} file(s), {n_bytes:,} bytes, to train {self.base_model}: "
            f"{describe(self.estimate)}"
        )


class PlanBackend:
    """Computes what a job would send and cost; touches neither network nor sealed files."""

    @property
    def identity(self) -> BackendIdentity:
        """Which backend this is."""
        return BackendIdentity("plan")

    def plan(self, spec: JobSpec) -> Plan:
        """Return what would be sent."""
        key = job_key(spec, self.identity)
        return Plan(
            key=key,
            files=tuple(
                PlannedFile(split, spec.file_name(split, key), content.n_bytes)
                for split, content in spec.splits
            ),
            base_model=spec.base_model,
            hyperparameters=tuple(sorted(spec.hyperparameters.items())),
            seed=spec.seed,
            estimate=estimate(spec),
        )


def describe(estimated: Estimate) -> str:
    """Return tokens and cost as a person reads them."""
    if estimated.n_billed_tokens is None:
        return f"{estimated.n_tokens:,} tokens an epoch, number of epochs left to the provider"
    tokens = f"{estimated.n_billed_tokens:,} billed tokens"
    if estimated.cost is None:
        return f"{tokens}, price unknown"
    return f"{tokens}, {estimated.cost:,.2f} {estimated.currency}"
