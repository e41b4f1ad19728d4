"""Window results: the records downstream services subscribe to."""

from datetime import datetime

import msgspec


class Score(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One score of one cell over one window `[start, end)`.

    `value`, `lower` and `upper` are null where there is none; NPS in points, shares as ratios 0…1,
    means on their scale, durations in seconds. `lower` and `upper` bound the 95 % interval. `n` is
    the number of answers (or customers) behind it, `counts` their make-up. For the same `end` a
    higher `revision` is newer; `final` means no accepted event can change it any more. `last_event`
    is the newest event time counted, from which its age follows; `owner` answers for the cell.
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
