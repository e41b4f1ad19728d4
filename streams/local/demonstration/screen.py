"""How a demo is shown: one picture that changes on a terminal, a line every few seconds elsewhere."""

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

PLAIN_WIDTH = 140
"""Columns where nobody looks at a terminal."""

_EVERY = 5.0
_WIDE = 130


Doing = Literal["starting", "loading", "live", "ending"]


@dataclass(frozen=True)
class View:
    """What is known `at` one moment; `seconds` since the live scores, before those since the start."""

    at: datetime
    scores: Scores
    machine: WorkerMetrics
    window: str
    doing: Doing
    seconds: float
    sent: int
    incident: str = ""

    @property
    def headline(self) -> str:
        """What is under way, and since when."""
        minutes, seconds = divmod(int(self.seconds), 60)
        return f"{self.doing} {minutes:02d}:{seconds:02d}"


class Screen(Protocol):
    """Shows one view after the other, and the last one for good."""

    def show(self, view: View) -> None:
        """The state of now."""

    def close(self) -> None:
        """Nothing more will be shown; a second time is harmless."""


class Picture:
    """For a terminal: the table, drawn over again."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, transient=True)
        self._live.start()

    def show(self, view: View) -> None:
        """Draw it over the one before."""
        self._live.update(picture(view, self._live.console.width), refresh=True)

    def close(self) -> None:
        """Take it away."""
        self._live.stop()


class Lines:
    """For logs and pipes: a line when something else is being done, and every few seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._doing: Doing | None = None
        self._due = 0.0

    def show(self, view: View) -> None:
        """Write a line when it is time for one."""
        if view.doing != self._doing or monotonic() >= self._due:
            self._doing, self._due = view.doing, monotonic() + _EVERY
            self._console.print(line(view), soft_wrap=True, highlight=False)

    def close(self) -> None:
        """Nothing to do."""


def console_on(out: TextIO) -> Console:
    """As wide as the terminal, or `PLAIN_WIDTH` where there is none."""
    return Console(file=out, width=None if out.isatty() else PLAIN_WIDTH)


def screen_on(console: Console) -> Screen:
    """A picture on a terminal, lines elsewhere."""
    return Picture(console) if console.is_terminal and not console.is_dumb_terminal else Lines(console)


def picture(view: View, width: int) -> RenderableType:
    """The whole of a view; ends with an empty line, where the terminal may echo a key."""
    said = [pace(view), outcomes(view, with_reasons=width >= _WIDE), view.incident]
    shown: list[RenderableType] = [Text(text) for text in said if text]
    if view.scores.latest:
        shown += [Text(), table(view.scores, view.window, view.at, width)]
    return Group(*shown, Text())


def pace(view: View) -> str:
    """What is under way, how fast, how far behind and how late."""
    machine = view.machine
    if not machine.received:
        return f"{view.headline}  {view.sent:,} events sent"
    latency = "" if machine.latency is None else f"  arrival to score {machine.latency:.2f} s"
    return (
        f"{view.headline}  {machine.per_second:,.0f} events/s  waiting {machine.waiting:,.0f}{latency}  "
        f"database {sum(machine.stored.values()):,.0f} rows"
    )


def outcomes(view: View, with_reasons: bool) -> str:
    """What became of all that was received."""
    machine = view.machine
    parts = " + ".join(f"{name} {number:,.0f}" for name, number in machine.outcomes.items() if name != "rekeyed")
    worst = sorted(machine.reasons.items(), key=lambda item: -item[1])[:3] if with_reasons else []
    why = f" ({', '.join(f'{name} {number:,.0f}' for name, number in worst)} …)" if worst else ""
    return f"received {machine.received:,.0f} = {parts}{why}" if machine.received else ""


def line(view: View) -> str:
    """A view in one line: the total, and who has fallen clear below it and below itself."""
    total, *others = rows(view.scores, view.window)
    if total.nps is None:
        return pace(view)
    interval = f"{points(total.nps.lower)} … {points(total.nps.upper)}"
    fallen = [f"{row.cell} {points(row.nps.value)}" for row in others if row.nps and len(row.drops) > 1]
    dropped = f", dropped: {', '.join(fallen)}" if fallen else ""
    return f"{pace(view)}  NPS {view.window} {points(total.nps.value)} ({interval}, n {total.nps.n:,}){dropped}"
