"""What `sealtune build` shows on a terminal: what runs now below, what matters above.

It hears dbt's events, whose names are dbt's, and counts from the stages (`progress.Count`), both
from many threads.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final, Self

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from python_stages.progress import Count

_REFRESHES_A_SECOND: Final = 4
_NAME_WIDTH: Final = 30
_BAR_WIDTH: Final = 24
_MINUTE: Final = 60
_LEAST_SECONDS: Final = 0.5  # before that, a rate says nothing
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
class _Stage:
    """A model that runs now."""

    name: str
    begun: float
    first: Count | None = None
    last: Count | None = None


@dataclass(slots=True)
class BuildView:
    """A live view; `hear` takes dbt's events, `count` the stages' counts.

    Args:
        console: a terminal.
        clock: monotonic seconds.
    """

    console: Console
    has_error: bool = False
    _live: Live | None = None
    _begun: float = field(default_factory=time.monotonic)
    _n_done: int = 0
    _n_total: int | None = None
    _stages: dict[str, _Stage] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

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
        if info.name == "LogStartLine":
            with self._lock:
                self._n_total = event.data.total
                node = event.data.node_info
                if node.resource_type == "model":  # a test is over before it is read
                    self._stages[info.thread] = _Stage(node.node_name, time.monotonic())
        elif info.name == "NodeFinished":
            with self._lock:
                self._stages.pop(info.thread, None)
                self._n_done += 1
        if info.level == "error":
            self.has_error = True
        if info.level in _PRINTED and not (info.level == "info" and info.name in _SHOWN_BELOW):
            self._print(info.msg)

    def count(self, count: Count) -> None:
        """Take a count of a stage; called from any thread."""
        with self._lock:
            stage = self._stages.get(count.thread)
            if stage is None:
                return
            if stage.first is None or stage.first.unit != count.unit:
                stage.first = count
            stage.last = count

    def draw(self) -> Table:
        """Return the lower half, as things are now."""
        now = time.monotonic()
        table = Table.grid(padding=(0, 2))
        table.add_column(min_width=_NAME_WIDTH, no_wrap=True)
        table.add_column(width=_BAR_WIDTH)
        table.add_column(no_wrap=True)
        with self._lock:
            n_total = self._n_total
            told = "reading the project" if n_total is None else f"{self._n_done:,} of {n_total:,}"
            bar = ProgressBar(total=n_total, completed=self._n_done, width=_BAR_WIDTH)
            head = Text("dbt build", style="bold")
            table.add_row(head, bar, Text(f"{told}   {_clock(now - self._begun)}"))
            for stage in sorted(self._stages.values(), key=lambda one: one.begun):
                table.add_row(Text(f"  {stage.name}"), *_cells(stage, now))
        return table

    def _print(self, line: str) -> None:
        text = Text.from_ansi(line.removeprefix(_PREFIX))
        self.console.print(text, soft_wrap=True, highlight=False)


def _cells(stage: _Stage, now: float) -> tuple[ProgressBar | str, Text]:
    """Return the bar and the facts of a stage."""
    last = stage.last
    if last is None:
        return "", Text(_clock(now - stage.begun), style="dim")
    bar: ProgressBar | str = ""
    if last.n_total:
        bar = ProgressBar(total=last.n_total, completed=last.n_done, width=_BAR_WIDTH)
    return bar, Text("   ".join(_facts(stage, last)), style="dim")


def _facts(stage: _Stage, last: Count) -> Iterator[str]:
    of = f" of {last.n_total:,}" if last.n_total else ""
    yield f"{last.n_done:,}{of} {last.unit}"
    first = stage.first or last
    seconds, n_since = last.at - first.at, last.n_done - first.n_done
    if seconds < _LEAST_SECONDS or n_since <= 0:
        return
    rate = n_since / seconds
    yield f"{rate:,.0f}/s" if rate >= 1 else f"{_clock(1 / rate)} each"
    if last.n_total and last.n_done < last.n_total:
        yield f"about {_clock((last.n_total - last.n_done) / rate)} left"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), _MINUTE)
    return f"{minutes}:{rest:02} min" if minutes else f"{rest} s"
