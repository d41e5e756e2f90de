"""What `sealtune build` shows on a terminal: what runs now below, what matters above.

It hears dbt's events and counts from the stages, both from many threads.
"""

from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from python_stages.progress import Count
from python_stages.running import Running, Stage, clock

_REFRESHES_A_SECOND: Final = 4
_NAME_WIDTH: Final = 30
_BAR_WIDTH: Final = 24
# what the lower half shows better: a line for every start, and for every end that is good
_SHOWN_BELOW: Final = frozenset(
    {
        "ConcurrencyLine",
        "Formatting",
        "LogHookEndLine",
        "LogHookStartLine",
        "LogModelResult",
        "LogNodeNoOpResult",
        "LogNodeResult",
        "LogStartLine",
        "LogTestResult",
        "SkippingDetails",
    }
)
_PRINTED: Final = frozenset({"info", "warn", "error"})
# dbt puts the adapter's name before what a plugin says
_PREFIX: Final = "sealtune adapter: sealtune: "


@dataclass(slots=True)
class BuildView:
    """A live view; `hear` takes dbt's events, `count` the stages' counts.

    Args:
        console: a terminal.
    """

    console: Console
    has_error: bool = False
    _live: Live | None = None
    _running: Running = field(default_factory=Running)

    def __enter__(self) -> Self:
        self._live = Live(
            console=self.console,
            refresh_per_second=_REFRESHES_A_SECOND,
            get_renderable=self.draw,
            transient=True,
        )
        self._live.start(refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def hear(self, event: Any) -> None:
        """Take an event of dbt's, an `EventMsg`; called from any thread."""
        info = event.info
        self._running.hear(event)
        if info.level == "error":
            self.has_error = True
        if info.level in _PRINTED and not (info.level == "info" and info.name in _SHOWN_BELOW):
            self._print(info.msg)

    def count(self, count: Count) -> None:
        """Take a count of a stage; called from any thread."""
        self._running.count(count)

    def draw(self) -> Table:
        """Return the lower half, as things are now."""
        now = self._running.snapshot()
        table = Table.grid(padding=(0, 2))
        table.add_column(min_width=_NAME_WIDTH, no_wrap=True)
        table.add_column(width=_BAR_WIDTH)
        table.add_column(no_wrap=True)
        n_total = now.n_total
        told = "reading the project" if n_total is None else f"{now.n_done:,} of {n_total:,}"
        bar = ProgressBar(total=n_total, completed=now.n_done, width=_BAR_WIDTH)
        head = Text("dbt build", style="bold")
        table.add_row(head, bar, Text(f"{told}   {clock(now.seconds)}"))
        for stage in now.stages:
            facts = Text("   ".join(stage.facts()), style="dim")
            table.add_row(Text(f"  {stage.name}"), _bar(stage), facts)
        return table

    def _print(self, line: str) -> None:
        text = Text.from_ansi(line.removeprefix(_PREFIX))
        self.console.print(text, soft_wrap=True, highlight=False)


def _bar(stage: Stage) -> ProgressBar | str:
    if not stage.n_total:
        return ""
    return ProgressBar(total=stage.n_total, completed=stage.n_done, width=_BAR_WIDTH)
