"""`sealtune predict --review`: rows to correct, as the `feedback` source reads them."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from python_stages.errors import ConfigError
from python_stages.jobs.predict import Sampling

if TYPE_CHECKING:
    from python_stages.jobs.chat import ChatPlace


def write_review(
    place: "ChatPlace",
    dataset: str,
    out: Path,
    *,
    tells: bool,
    sampling: Sampling,
    n_rows: int,
    n_candidates: int,
    n_at_once: int,
) -> None:
    """Write the rows of a dataset that its model doubts most; the file is only the user's.

    Args:
        place: where the model answers.
        dataset: name of the dataset.
        out: a new file.
        tells: whether the backend tells log-probabilities.
        sampling: how an answer is drawn.
        n_rows: rows to write.
        n_candidates: examples that the model is asked about.
        n_at_once: prompts under way at the same time.

    Raises:
        ConfigError: the file is there already, or cannot be written.
        SealtuneError: the vault does not open, or the model does not answer.
    """
    from python_stages import review
    from python_stages.seal.reader import create_file
    from python_stages.site import warehouse

    with warehouse.opened() as (vault, _):
        examples = review.candidates(vault.con, dataset, n_candidates)
    try:
        file = create_file(out.absolute())
    except OSError as error:
        raise ConfigError(f"cannot write the rows: {error.strerror}; name a new file") from None
    try:
        with file, place.opened() as client:
            found = review.doubts(
                examples, client, place.model, sampling, tells=tells, n_at_once=n_at_once
            )
            for block in review.to_csv(islice(found, n_rows)):
                file.write(block)
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    order = (
        "the most uncertain first, by log-probabilities"
        if tells
        else "those first where the model disagrees: this backend tells no log-probabilities"
    )
    typer.echo(
        f"{min(n_rows, len(examples)):,} rows of {len(examples):,} that were asked about, {order}",
        err=True,
    )
    typer.echo(
        f"they are in plain text, scrubbed, in {out}: fill in label or answer, who and when, move "
        "it to the folder of the var feedback, and remove it where it is needed no more",
        err=True,
    )
