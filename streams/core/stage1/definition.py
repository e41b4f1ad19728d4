"""Everything the state of a source partition depends on, in one frozen place."""

import hashlib
from dataclasses import dataclass, field

import msgspec

from streams.core.cells.cuts import Cut
from streams.core.churn.churn_model import ChurnModel
from streams.core.scores import SCORES
from streams.core.time.business_hours import BusinessHours
from streams.core.time.lateness import Lateness

STATE_FORM = 3
"""How records are named, laid out and counted in the state: raise it when that changes; older is misread."""


@dataclass(frozen=True)
class Definition:
    """How events are counted. `horizon` is in milliseconds; `replay` keeps no tombstones for panes.

    `hours` are the opening hours by which tickets are timed beside the calendar.
    """

    partitions: int
    cuts: tuple[Cut, ...]
    lateness: Lateness
    horizon_ms: int
    max_cells: int = 5_000
    max_records: int = 1_024
    churn_model: ChurnModel | None = field(default=None, compare=False)
    replay: bool = False
    hours: BusinessHours | None = None

    @property
    def fingerprint(self) -> str:
        """Changes when state written under another definition could not be continued; another model of risk can be."""
        parts = (
            STATE_FORM,
            self.partitions,
            [cut.name for cut in self.cuts],
            sorted(self.lateness.keep_ms.items()),
            self.lateness.allowance_ms,
            self.horizon_ms,
            [(score.name, score.code) for score in SCORES],
            _text_of(self.hours),
            self.churn_model is not None,
        )
        return hashlib.blake2b(msgspec.json.encode(parts), digest_size=8).hexdigest()


def _text_of(hours: BusinessHours | None) -> str:
    """Equal for equal hours: the order of a set, and with it its `repr`, differs from process to process."""
    if hours is None:
        return "None"
    holidays = ", ".join(map(repr, sorted(hours.holidays)))
    days = f"frozenset({{{holidays}}})" if holidays else "frozenset()"
    return f"BusinessHours(zone={hours.zone!r}, week={hours.week!r}, holidays={days})"
