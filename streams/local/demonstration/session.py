"""One demo from its start to its last table, on a broker and in a folder that exist already."""

import asyncio
import sys
from dataclasses import dataclass
from pathlib import Path

from streams.local.demonstration.folder import start_in
from streams.local.embedded_broker import EmbeddedBroker
from streams.settings import Settings

_CUSTOMERS = 2_000
_HISTORY_PER_DAY = 1_000.0


@dataclass(frozen=True)
class SessionOptions:
    """The options of `cxstream demo`; without `duration_s` it runs until it is stopped."""

    duration_s: float | None
    events_per_second: float
    seed: int
    window: str
    keep: bool


def play(options: SessionOptions, settings: Settings, folder: Path, broker: EmbeddedBroker) -> str:
    """Run the demo and print its last table; returns the farewell, to be printed when broker and folder are gone.

    Raises `CxError`. The stream worker starts before the modules of the run are imported: both take a second.
    """
    streams = start_in(folder, "worker", "--create-topics", "--only", "streams")
    from streams.local.demonstration import messages
    from streams.local.demonstration.run import Demo, DemoOptions
    from streams.local.demonstration.screen import console_on, picture, screen_on
    from streams.simulation import Company

    company = Company(options.seed, _CUSTOMERS, options.events_per_second, _HISTORY_PER_DAY)
    demo_options = DemoOptions(company, options.window, options.duration_s, options.keep)
    demo = Demo(demo_options, settings, folder, broker, streams)
    console = console_on(sys.stdout)
    console.print(messages.welcome(settings, folder, options.keep), highlight=False, soft_wrap=True)
    screen = screen_on(console)
    try:
        last = asyncio.run(demo.run(screen))
    finally:
        screen.close()
    console.print(picture(last, console.width))
    return messages.farewell(demo, folder, options.keep)
