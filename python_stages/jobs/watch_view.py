"""Progress of a job on a terminal, live; and on anything else a line for every change."""

from collections.abc import Iterator
from datetime import UTC, datetime

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from python_stages.jobs.watch import Progress, lines, time_left

_REFRESHES_A_SECOND = 4


def show(progresses: Iterator[Progress], console: Console, title: str) -> Progress | None:
    """Show progress until it ends.

    Args:
        progresses: what `watch.follow` yields.
        console: where to; a live view only where that is a terminal.
        title: what to call the job.

    Returns:
        The last progress, or None where there was none.
    """
    if not console.is_terminal:
        return _print_lines(progresses, console, title)
    last: Progress | None = None

    def view() -> Table:
        return _view(title, last)

    with Live(console=console, refresh_per_second=_REFRESHES_A_SECOND, get_renderable=view) as live:
        for progress in progresses:
            last = progress
            live.refresh()
    return last


def _print_lines(progresses: Iterator[Progress], console: Console, title: str) -> Progress | None:
    last: Progress | None = None
    console.print(title, markup=False, highlight=False, soft_wrap=True)
    for progress, line in lines(progresses):
        last = progress
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return last


def _view(title: str, progress: Progress | None) -> Table:
    """Draw the state of a job; drawn anew as time passes, so that what is left counts down."""
    table = Table.grid(padding=(0, 2))
    table.add_row(Text(title, style="bold"))
    if progress is None:
        table.add_row(Text("asking the provider", style="dim"))
        return table
    table.add_row(Text(progress.phase.replace("_", " ") or "asking the provider"))
    if progress.step is not None and progress.n_steps:
        table.add_row(ProgressBar(total=progress.n_steps, completed=progress.step, width=60))
    table.add_row(Text("   ".join(_facts(progress)), style="dim"))
    return table


def _facts(progress: Progress) -> Iterator[str]:
    if progress.step is not None:
        yield f"step {progress.step:,}" + (f" of {progress.n_steps:,}" if progress.n_steps else "")
    if progress.train_loss is not None:
        yield f"train loss {progress.train_loss:.4f}"
    if progress.valid_loss is not None:
        yield f"valid loss {progress.valid_loss:.4f}"
    left = time_left(progress, datetime.now(UTC))
    if left is not None:
        yield f"about {left} left"
    if not progress.is_answering:
        yield "the provider does not answer; asking again"
