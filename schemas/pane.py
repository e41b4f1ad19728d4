"""Partial results from stage 1 to stage 2: cumulative, keyed and versioned."""

from datetime import datetime

import msgspec


class Pane(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="type", tag="pane"):
    """The counts so far of one source partition for one cell in one event-time bucket (pane).

    `counts` maps the name of a score to its accumulator: slot to integer. `version` is the number of additions and
    retractions so far; of two partials with the same key the one with the higher version is newer. `last` is the
    newest event time counted, by score. `resolution` is the width of the pane in seconds; 0 means that the partial
    holds all counts since the beginning instead of one pane. `topic` is a source topic, or a label for derived records
    and for inputs of comparisons.
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
    """The event time up to which one source partition has been applied; sent after the panes it covers.

    `offset` is that of the last record applied. `time` is null until an event has been accepted.
    """

    topic: str
    partition: int
    offset: int
    time: datetime | None


PaneRecord = Pane | Watermark
