"""How far an import is: a bar on a terminal, a line every few seconds elsewhere, or nothing."""

from collections.abc import Callable
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

_EVERY = 5.0


class Progress(Protocol):
    """Told how many rows have been read or sent, what share 0…1 that is, and at how many a second."""

    def step(self, doing: str, rows: int, share: float, per_second: float) -> None:
        """One more report on `doing` (`reading` or `sending`)."""

    def close(self) -> None:
        """Nothing more will come."""


class Quiet:
    """Says nothing."""

    def step(self, doing: str, rows: int, share: float, per_second: float) -> None:
        """Ignored."""

    def close(self) -> None:
        """Nothing to do."""


class Lines:
    """A line now and then, for logs and pipes."""

    def __init__(self, out: TextIO, clock: Callable[[], float], every: float = _EVERY) -> None:
        self._out, self._clock, self._every = out, clock, every
        self._due = clock() + every

    def step(self, doing: str, rows: int, share: float, per_second: float) -> None:
        """Write a line when the last one is `every` seconds ago."""
        if self._clock() >= self._due:
            self._due = self._clock() + self._every
            print(f"{doing}: {rows:,} rows, {share:.0%}, {per_second:,.0f}/s", file=self._out, flush=True)

    def close(self) -> None:
        """Nothing to do: the summary follows."""


class Bars:
    """One bar for each stage, on a terminal."""

    def __init__(self, console: Console) -> None:
        self._bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f}/s"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._tasks = {
            doing: self._bar.add_task(doing, total=1.0, visible=False, rows=0, rate=0.0)
            for doing in ("reading", "sending")
        }
        self._bar.start()

    def step(self, doing: str, rows: int, share: float, per_second: float) -> None:
        """Move the bar of this stage."""
        self._bar.update(self._tasks[doing], completed=share, visible=True, rows=rows, rate=per_second)

    def close(self) -> None:
        """Take the bars away."""
        self._bar.stop()


def progress_on(out: TextIO, clock: Callable[[], float]) -> Progress:
    """Bars when `out` is a terminal, lines when it is not; `clock` counts seconds."""
    return Bars(Console(file=out)) if out.isatty() else Lines(out, clock)
