"""The progress of an import: a bar on a terminal, a line every few seconds elsewhere."""

from collections.abc import Callable
from typing import Protocol, TextIO

from rich.console import Console
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress

_INTERVAL_S = 5.0


class Progress(Protocol):
    """Receives reports on how many rows have been read or sent."""

    def step(self, activity: str, rows: int, fraction: float, rows_per_s: float) -> None:
        """Report on one activity, `reading` or `sending`; `fraction` is how much of it is done, 0…1."""

    def close(self) -> None:
        """End the output; no report follows."""


class LineProgress:
    """A line every `interval_s` seconds at most, for logs and pipes; `clock` counts seconds."""

    def __init__(self, out: TextIO, clock: Callable[[], float], interval_s: float = _INTERVAL_S) -> None:
        self._out, self._clock, self._interval_s = out, clock, interval_s
        self._due_s = clock() + interval_s

    def step(self, activity: str, rows: int, fraction: float, rows_per_s: float) -> None:
        """Write a line when the last one is at least the interval ago."""
        if self._clock() >= self._due_s:
            self._due_s = self._clock() + self._interval_s
            print(f"{activity}: {rows:,} rows, {fraction:.0%}, {rows_per_s:,.0f}/s", file=self._out, flush=True)

    def close(self) -> None:
        """Do nothing: the summary follows."""


class BarProgress:
    """One bar for each activity, on a terminal."""

    def __init__(self, console: Console) -> None:
        self._bars = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f}/s"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
        )
        self._tasks = {
            activity: self._bars.add_task(activity, total=1.0, visible=False, rows=0, rate=0.0)
            for activity in ("reading", "sending")
        }
        self._bars.start()

    def step(self, activity: str, rows: int, fraction: float, rows_per_s: float) -> None:
        """Move the bar of this activity."""
        self._bars.update(self._tasks[activity], completed=fraction, visible=True, rows=rows, rate=rows_per_s)

    def close(self) -> None:
        """Remove the bars from the terminal."""
        self._bars.stop()


def progress_on(out: TextIO, clock: Callable[[], float]) -> Progress:
    """Bars when `out` is a terminal, lines when it is not; `clock` counts seconds."""
    return BarProgress(Console(file=out)) if out.isatty() else LineProgress(out, clock)
