"""The output of a demo while it runs: one table redrawn on a terminal, a line every few seconds elsewhere."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from streams.local.demonstration.scores import Scores
from streams.local.demonstration.table import points, rows, table
from streams.local.demonstration.worker_metrics import WorkerMetrics
from streams.runtime.clock import monotonic

PLAIN_COLUMNS = 140
"""Width of the output where it is not a terminal."""

_LINE_INTERVAL_S = 5.0
_WIDE_COLUMNS = 130


Activity = Literal["starting", "loading", "live", "ending"]


@dataclass(frozen=True)
class View:
    """The state of a demo at one time; `elapsed_s` counts from the first live score, before it from the start."""

    at: datetime
    scores: Scores
    worker_metrics: WorkerMetrics
    window: str
    activity: Activity
    elapsed_s: float
    sent: int
    incident: str = ""

    @property
    def headline(self) -> str:
        """The activity and its duration."""
        minutes, seconds = divmod(int(self.elapsed_s), 60)
        return f"{self.activity} {minutes:02d}:{seconds:02d}"


class Screen(Protocol):
    """Shows one view after the other."""

    def show(self, view: View) -> None:
        """Show the newest view."""

    def close(self) -> None:
        """End the output; calling it twice is harmless."""


class LiveScreen:
    """For a terminal: the table, redrawn in place."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()

    def show(self, view: View) -> None:
        """Draw the view over the one before."""
        self._live.update(picture(view, self._live.console.width), refresh=True)

    def close(self) -> None:
        """Remove the drawing."""
        self._live.stop()


class LineScreen:
    """For logs and pipes: a line when the activity changes, and every few seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._activity: Activity | None = None
        self._due_s = 0.0

    def show(self, view: View) -> None:
        """Write a line when one is due."""
        if view.activity != self._activity or monotonic() >= self._due_s:
            self._activity, self._due_s = view.activity, monotonic() + _LINE_INTERVAL_S
            self._console.print(line(view), soft_wrap=True, highlight=False)

    def close(self) -> None:
        """Do nothing: lines stay."""


def console_on(out: TextIO) -> Console:
    """As wide as the terminal, or `PLAIN_COLUMNS` where there is none."""
    return Console(file=out, width=None if out.isatty() else PLAIN_COLUMNS)


def screen_on(console: Console) -> Screen:
    """A `LiveScreen` on a terminal, a `LineScreen` elsewhere."""
    return LiveScreen(console) if console.is_terminal and not console.is_dumb_terminal else LineScreen(console)


def picture(view: View, width: int) -> RenderableType:
    """A view for a screen `width` columns wide; ends with an empty line, where the terminal may echo a key."""
    texts = [pace(view), outcomes(view, with_reasons=width >= _WIDE_COLUMNS), view.incident]
    parts: list[RenderableType] = [Text(text) for text in texts if text]
    if view.scores.latest:
        parts += [Text(), table(view.scores, view.window, view.at, width)]
    return Group(*parts, Text())


def pace(view: View) -> str:
    """The activity, the rate, the waiting records and the latency."""
    metrics = view.worker_metrics
    if not metrics.received:
        return f"{view.headline}  {view.sent:,} events sent"
    latency = "" if metrics.latency_s is None else f"  arrival to score {metrics.latency_s:.2f} s"
    return (
        f"{view.headline}  {metrics.events_per_second:,.0f} events/s  waiting {metrics.lag_records:,.0f}{latency}  "
        f"database {sum(metrics.stored_by_topic.values()):,.0f} rows"
    )


def outcomes(view: View, with_reasons: bool) -> str:
    """The sum of all outcomes beside the number received, with the most frequent reasons of rejection."""
    metrics = view.worker_metrics
    by_outcome = ((name, count) for name, count in metrics.count_by_outcome.items() if name != "rekeyed")
    parts = " + ".join(f"{name} {count:,.0f}" for name, count in by_outcome)
    top = sorted(metrics.count_by_reason.items(), key=lambda item: -item[1])[:3] if with_reasons else []
    reasons = f" ({', '.join(f'{name} {count:,.0f}' for name, count in top)} …)" if top else ""
    return f"received {metrics.received:,.0f} = {parts}{reasons}" if metrics.received else ""


def line(view: View) -> str:
    """A view in one line: the total, and the touchpoints below both the total and their own past."""
    total, *others = rows(view.scores, view.window)
    if total.nps is None:
        return pace(view)
    interval = f"{points(total.nps.lower)} … {points(total.nps.upper)}"
    fallen = [f"{row.cell} {points(row.nps.value)}" for row in others if row.nps and len(row.drops) > 1]
    dropped = f", dropped: {', '.join(fallen)}" if fallen else ""
    return f"{pace(view)}  NPS {view.window} {points(total.nps.value)} ({interval}, n {total.nps.n:,}){dropped}"
