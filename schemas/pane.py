"""Partial results that stage 1 hands to stage 2: cumulative, keyed, versioned."""

from datetime import datetime

import msgspec


class Pane(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag="pane"):
    """What one source partition has counted for one cell in one event-time bucket, so far.

    `counts` maps a score's name to its integer accumulator, slot by slot; `version` counts the
    additions and retractions behind it, so of two the one with the higher version is the newer.
    `last` gives for each score the newest event time counted. `resolution` is in seconds; 0 says that it
    is no bucket but everything ever counted. `topic` is a source topic or names what was counted else.
    """

    cut: str
    cell: str
    resolution: int
    start: datetime
    topic: str
    partition: int
    version: int
    last: dict[str, datetime]
    counts: dict[str, dict[int, int]]


class Watermark(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag="watermark"):
    """How far in event time one source partition has been applied; follows the panes it covers.

    `offset` is the last record applied; `time` is null until an event was accepted.
    """

    topic: str
    partition: int
    offset: int
    time: datetime | None


PaneRecord = Pane | Watermark
