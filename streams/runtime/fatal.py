"""How a worker ends: when it cannot go on, at once and with a reason; when it is told to, in time.

Neither acknowledges anything: what was not checkpointed is processed again by the next owner.
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
"""Exit code for an error nobody foresaw (EX_SOFTWARE)."""

STOP_SECONDS = 15.0
"""How long an orderly end may take; half of what Kubernetes allows by default."""


def end_worker(error: BaseException) -> None:
    """Log why and exit now."""
    if isinstance(error, CxError):
        log.critical("worker ends: %s", error)
        code = error.exit_code
    else:
        log.critical("worker ends: unexpected %r", error, exc_info=error)
        code = UNEXPECTED
    logging.shutdown()
    os._exit(code)


class PunctualWorker(faust.Worker):
    """Faust's worker, which has ended `STOP_SECONDS` after a signal, whatever still holds it up.

    A consumer that is told to stop while it joins its group may wait for good: Faust's thread for it never answers.
    """

    def _schedule_shutdown(self, signal: Any) -> None:
        if not self._signal_stop_time:
            overdue = threading.Timer(STOP_SECONDS, _leave)
            overdue.daemon = True  # an end in time does not wait for it
            overdue.start()
        super()._schedule_shutdown(signal)


def _leave() -> None:
    log.warning(
        "not everything stopped within %g s: leaving now; what was not checkpointed is read again", STOP_SECONDS
    )
    logging.shutdown()
    os._exit(0)
