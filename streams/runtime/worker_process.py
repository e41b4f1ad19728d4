"""One Faust app in this process, from its start to the exit code."""

import logging

import faust

from streams.errors import CxError
from streams.runtime import logs
from streams.runtime.fatal import PunctualWorker, end_worker
from streams.settings import Settings


def run_worker(app: faust.App, settings: Settings, debug: bool = False) -> None:
    """Run an app in this process until it is stopped; ends by `SystemExit`."""
    logs.configure(settings.app.log, debug)
    _Worker(app).execute_from_commandline()


class _Worker(PunctualWorker):
    """Faust's worker, which leaves logging and the terminal as they are."""

    def __init__(self, app: faust.App) -> None:
        super().__init__(app, loglevel=logging.INFO, quiet=True, redirect_stdouts=False)
        self.spinner = None  # it writes escape sequences, also into files

    async def start(self) -> None:
        """Start; a `CxError` ends the process with one line and its exit code instead of a traceback."""
        try:
            await super().start()
        except CxError as error:
            end_worker(error)

    def _setup_logging(self) -> None:
        """`run_worker` has configured it."""
