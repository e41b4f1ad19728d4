"""How a worker ends: at once and with a reason if it cannot go on, within a time limit after a signal.

Neither way acknowledges anything: records without a checkpoint are processed again by the next owner.
"""

import logging
import os
import threading
from collections.abc import Callable
from typing import Any

import faust

from streams.errors import CxError

log = logging.getLogger(__name__)

OnFatal = Callable[[BaseException], None]
"""Is called with an error after which the worker cannot go on: `end_worker`, unless a replay wants to report it."""

UNEXPECTED = 70
"""Exit code for an unexpected error (EX_SOFTWARE)."""

STOP_SECONDS = 15.0
"""How long an orderly end may take; half of what Kubernetes allows by default."""


def end_worker(error: BaseException) -> None:
    """Log the error and exit at once, with its exit code."""
    if isinstance(error, CxError):
        log.critical("worker ends: %s", error)
        code = error.exit_code
    else:
        log.critical("worker ends: unexpected %r", error, exc_info=error)
        code = UNEXPECTED
    logging.shutdown()
    os._exit(code)


class PunctualWorker(faust.Worker):
    """Faust's worker, which exits `STOP_SECONDS` after a signal even if something still blocks it.

    A consumer that is stopped while it joins its group may block for ever: its thread in Faust never answers.
    """

    def _schedule_shutdown(self, signal: Any) -> None:
        if not self._signal_stop_time:
            overdue = threading.Timer(STOP_SECONDS, _exit_overdue)
            overdue.daemon = True  # a worker that stops in time does not wait for it
            overdue.start()
        super()._schedule_shutdown(signal)


def _exit_overdue() -> None:
    log.warning(
        "not everything stopped within %g s: exiting now; records without a checkpoint are read again", STOP_SECONDS
    )
    logging.shutdown()
    os._exit(0)
