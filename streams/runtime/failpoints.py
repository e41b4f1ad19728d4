"""Named places around every send, where fault tests end the process; in production they do nothing."""

from collections.abc import Callable

POINTS = (
    "before checkpoint",
    "after begin",
    "after outputs",
    "after changelog",
    "after shown",
    "after commit",
    "after ack",
    "before insert",
    "after insert",
)


def _nothing(point: str) -> None:
    """What happens at a point unless a test says otherwise."""


hook: Callable[[str], None] = _nothing
"""Called with the name of each point as it is passed."""


def reach(point: str) -> None:
    """Pass a point of `POINTS`."""
    hook(point)
