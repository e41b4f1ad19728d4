"""Window results: the records that downstream services subscribe to."""

from datetime import datetime

import msgspec


class Score(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One score of one cell over one window `[start, end)`.

    `value` is in the unit of the score: NPS in points, shares as ratios 0…1, means on their scale, durations in
    seconds. `lower` and `upper` bound the 95 % interval. `value` is null where there is none, the other two
    where there is no interval. `n` is the number of answers (or calls, tickets, customers) counted, `counts` how they
    are made up. For the same `end` a higher `revision` is newer; `final` means that no accepted event can change the
    result any more. `last_event` is the newest event time counted. `owner` is responsible for the cell.
    """

    score: str
    cut: str
    cell: str
    window: str
    start: datetime
    end: datetime
    value: float | None
    lower: float | None
    upper: float | None
    n: int
    unit: str
    counts: dict[str, int]
    revision: int
    final: bool
    last_event: datetime | None = None
    owner: str | None = None
