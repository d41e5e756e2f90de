"""The request that creates a job, as a host wants it."""

from collections.abc import Mapping
from typing import Any

from python_stages.backends.quirks import Quirks
from python_stages.backends.values import JobSpec


def job_request(
    spec: JobSpec, key: str, quirks: Quirks, extra: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the keyword arguments of the client's `fine_tuning.jobs.create`, less the files.

    Args:
        spec: the job.
        key: its job key, which goes into the metadata.
        quirks: what is different at the host; what it does not take is left out, and what that
            would change was refused before (`host_rules`).
        extra: what this provider takes beyond the API that the client knows.
    """
    names = quirks.hyperparameter_names
    hyperparameters = {names.get(name, name): v for name, v in spec.hyperparameters.items()}
    prefix = "" if spec.base_model.startswith(quirks.model_prefix) else quirks.model_prefix
    wanted: dict[str, Any] = {"model": f"{prefix}{spec.base_model}"}
    if quirks.hyperparameters_at == "top":
        wanted["hyperparameters"] = hyperparameters
    else:
        method = {"hyperparameters": hyperparameters}
        wanted["method"] = {"type": spec.method, spec.method: method}
    if quirks.takes_seed:
        wanted["seed"] = spec.seed
    if quirks.takes_suffix and spec.suffix:
        wanted["suffix"] = spec.suffix
    if quirks.keeps_metadata:
        wanted["metadata"] = spec.job_metadata(key)
    if extra:
        wanted["extra_body"] = dict(extra)
    return wanted
