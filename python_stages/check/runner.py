"""Great Expectations at work: frames and suites in, one outcome per expectation out.

The suites, validation definitions and checkpoints are the JSON files in expectations/. They are
read from there; results stay in memory, so that a build leaves no file behind. Great Expectations
is imported when the first check runs, since that takes seconds (imports.py makes them fewer).
"""

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from python_stages.check.flags import Frame
from python_stages.check.imports import import_great_expectations
from python_stages.check.suites import SUITES
from python_stages.errors import StageError

PROJECT_FILE: Final = "great_expectations.yml"
# The only format that holds no values of the columns. Flags are harmless, a later rule may not be.
RESULT_FORMAT: Final = "BOOLEAN_ONLY"

# Great Expectations keeps one current context per process, and dbt runs models in threads.
_ONE_AT_A_TIME = threading.Lock()


def open_context(folder: Path) -> Any:
    """Return a Great Expectations context of the project under `folder`; it writes nothing.

    Raises:
        StageError: there is no project; Great Expectations would silently make an empty one.
    """
    if not (folder / PROJECT_FILE).is_file():
        raise StageError(f"check: {PROJECT_FILE} is missing; run write_suites")
    gx = import_great_expectations()
    return gx.get_context(mode="file", context_root_dir=folder.absolute())


def run_checkpoints(
    frames: Mapping[str, Frame], parameters: Mapping[str, Any], folder: Path
) -> dict[str, bool]:
    """Validate each frame with the checkpoint of its name.

    Args:
        frames: text-free columns by suite name.
        parameters: what the suites' `$PARAMETER` stand for.
        folder: the folder of the definitions.

    Returns:
        Whether it held, by the id of the expectation. One in which Great Expectations raised did
        not hold.

    Raises:
        StageError: a checkpoint cannot be loaded or run at all, or would keep values.
    """
    with _ONE_AT_A_TIME:
        try:
            context = open_context(folder)
            held: dict[str, bool] = {}
            for suite in SUITES:
                checkpoint = context.checkpoints.get(suite)
                held |= _run(checkpoint, frames[suite], parameters)
        except StageError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, its text is not ours to repeat
            raise StageError(
                f"check: great expectations stopped with {type(error).__name__}; "
                "see whether expectations/ is what write_suites writes"
            ) from None
        return held


def _run(checkpoint: Any, frame: Frame, parameters: Mapping[str, Any]) -> dict[str, bool]:
    import pandas as pd  # noqa: PLC0415 - seconds, and only a check that runs needs it

    if checkpoint.result_format != RESULT_FORMAT:
        raise StageError(f"check: a checkpoint must have result_format {RESULT_FORMAT}; restore it")
    result = checkpoint.run(
        batch_parameters={"dataframe": pd.DataFrame(dict(frame))},
        expectation_parameters=dict(parameters),
    )
    return {
        outcome.expectation_config.id: outcome.success is True
        for run in result.run_results.values()
        for outcome in run.results
    }
