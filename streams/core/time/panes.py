"""Panes: event-time buckets of three widths, which windows are made of."""

RESOLUTIONS_S = (10, 300, 3600)
"""Widths of the panes in seconds, finest first."""

FINEST_RESOLUTION_S = RESOLUTIONS_S[0]

ALL_TIME = 0
"""In place of a resolution: the partial of a cell that starts in 1970, never closes, and holds stock scores only."""


def pane_start(time_ms: int, resolution_s: int) -> int:
    """Start (ms) of the pane of `resolution_s` seconds that contains `time_ms`.

    >>> pane_start(1_234_567, 10)
    1230000
    """
    return time_ms - time_ms % (resolution_s * 1000)
