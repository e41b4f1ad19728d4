"""How a worker ends when it cannot go on: at once, with a reason, and without acknowledging anything."""

import logging
import os

from streams.errors import CxError

log = logging.getLogger(__name__)

UNEXPECTED = 70
"""Exit code for an error nobody foresaw (EX_SOFTWARE)."""


def end_worker(error: BaseException) -> None:
    """Log why and exit now; what was not acknowledged is processed again by the next owner."""
    if isinstance(error, CxError):
        log.critical("worker ends: %s", error)
        code = error.exit_code
    else:
        log.critical("worker ends: unexpected %r", error, exc_info=error)
        code = UNEXPECTED
    logging.shutdown()
    os._exit(code)
