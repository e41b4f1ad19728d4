"""`cxstream demo`: everything on this machine, on a simulated company, for people who want to see it move."""

import asyncio
import signal
import sys
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import NamedTuple, NoReturn

import click

from streams.errors import StoreError
from streams.local.demonstration.folder import start_in, workspace, write_settings
from streams.local.embedded_broker import EmbeddedBroker
from streams.settings import Settings

CUSTOMERS = 2_000
HISTORY_PER_DAY = 1_000.0
WINDOWS = ("5m", "1h", "24h")


@click.command("demo")
@click.option(
    "--seconds", type=click.FloatRange(min=1), help="End after so many seconds of live scores.  [default: at Ctrl-C]"
)
@click.option(
    "--rate", type=click.FloatRange(min=1, max=2_000), default=100.0, show_default=True, help="Events a second."
)
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed tells the same stories.")
@click.option(
    "--window",
    type=click.Choice(WINDOWS),
    default=WINDOWS[0],
    show_default=True,
    help="The window shown beside that of 7 days.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65_533),
    default=0,
    metavar="PORT",
    help="Port of the broker; the metrics are on the next two.  [default: free ones]",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Keep database, logs and settings there.  [default: nothing is kept]",
)
def command(seconds: float | None, rate: float, seed: int, window: str, port: int, keep: Path | None) -> None:
    r"""Run everything on this machine on a simulated company, and watch the scores.

    Starts an embedded broker and database, both workers, and a company with a week of past, then live:
    a dozen touchpoints, their teams and channels, and an incident staged after 20 seconds. Settings of
    your own are not looked at. One Ctrl-C ends all of it.

    \b
    Examples:
      cxstream demo
      cxstream demo --seconds 60 --keep /tmp/cxdemo
    """  # fmt: skip
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the first may be inherited as ignored
        signal.signal(number, _interrupt)
    if find_spec("chdb") is None:
        raise StoreError("no embedded database on this machine: install cxstream[embedded]")
    wish = _Wish(seconds, rate, seed, window, keep is not None)
    try:
        click.echo("cxstream demo: a simulated company on an embedded broker and database, all on this machine")
        with workspace(keep) as folder, EmbeddedBroker(port) as broker:
            settings = write_settings(folder, broker.address, port)
            farewell = _play(wish, settings, folder, broker)
        click.echo(farewell)
    except _Interrupted:  # before anything had been started, or after all had been ended
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Python itself takes its time to end, and would die of another
        sys.exit(0)


class _Wish(NamedTuple):
    """What the options say."""

    seconds: float | None
    rate: float
    seed: int
    window: str
    keep: bool


def _play(wish: _Wish, settings: Settings, folder: Path, broker: EmbeddedBroker) -> str:
    """Run it to its end and show the last table; returns what is to be said when nothing is left of it."""
    streams = start_in(folder, "worker", "--create-topics", "--only", "streams")
    from streams.local.demonstration import messages  # takes a second to import, as streams does at the same time
    from streams.local.demonstration.run import Demo, Plan
    from streams.local.demonstration.screen import console_on, picture, screen_on
    from streams.simulation import Company

    company = Company(wish.seed, CUSTOMERS, wish.rate, HISTORY_PER_DAY)
    demo = Demo(Plan(company, wish.window, wish.seconds, wish.keep), settings, folder, broker, streams)
    console = console_on(sys.stdout)
    console.print(messages.welcome(settings, folder, wish.keep), highlight=False, soft_wrap=True)
    screen = screen_on(console)
    try:
        last = asyncio.run(demo.run(screen))
    finally:
        screen.close()
    console.print(picture(last, console.width))
    return messages.farewell(demo, folder, wish.keep)


class _Interrupted(KeyboardInterrupt):
    """Ctrl-C. Of its own class: a plain one that passes `eval` of a string (as named tuples are made) is noted by
    Python, which then dies of SIGINT at its end, though the exception was caught and the exit code is 0.
    """


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise _Interrupted
