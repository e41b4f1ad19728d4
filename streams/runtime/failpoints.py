"""Named points around every send, at which fault tests kill the process; in production they have no effect."""

from collections.abc import Callable

POINTS = (
    "before checkpoint",
    "after begin",
    "after outputs",
    "after changelog",
    "after last outputs",
    "after commit",
    "after ack",
    "before insert",
    "after insert",
)


def _nothing(point: str) -> None:
    """Do nothing: the hook of every point unless a test sets another."""


hook: Callable[[str], None] = _nothing
"""Called with the name of each point as it is passed."""


def reach(point: str) -> None:
    """Pass a point of `POINTS`."""
    hook(point)
