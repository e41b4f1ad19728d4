"""Business hours: a week of opening hours in a time zone, except on holidays."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise

from streams.core.time.instants import to_datetime, to_ms

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = timedelta(days=1)
_RULE = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d{2}):(\d{2})-(\d{2}):(\d{2})")

OpeningHours = tuple[time, time | None]
"""From and until, by the local clock; None is the end of the day."""


@dataclass(frozen=True)
class BusinessHours:
    """Opening hours of each weekday (Monday first) by the clock of `zone`; closed on holidays."""

    zone: tzinfo
    week: tuple[tuple[OpeningHours, ...], ...]
    holidays: frozenset[date] = frozenset()

    @classmethod
    def parse(cls, zone: tzinfo, days: Sequence[str], holidays: Sequence[str] = ()) -> "BusinessHours":
        """Read rules like "mon-fri 09:00-17:30" and dates like "2026-12-25"; raises `ValueError` naming the bad one."""
        week: list[list[OpeningHours]] = [[] for _ in WEEKDAYS]
        for rule in days:
            for weekday, hours in _parse(rule):
                week[weekday].append(hours)
        return cls(zone, tuple(tuple(hours) for hours in map(_disjoint, week)), frozenset(map(_holiday, holidays)))

    def between(self, start_ms: int, end_ms: int) -> int:
        """Milliseconds of opening hours in `[start_ms, end_ms)`; 0 where the end is before the start.

        >>> from datetime import UTC
        >>> week = BusinessHours.parse(UTC, ["mon-fri 09:00-17:00"])
        >>> week.between(24 * 3_600_000, 4 * 24 * 3_600_000) // 3_600_000  # Friday and a weekend
        8
        """
        day, last = self._local(start_ms).date(), self._local(max(start_ms, end_ms)).date()
        total_ms = 0
        while day <= last:
            if day not in self.holidays:
                total_ms += sum(self._overlap_ms(day, hours, start_ms, end_ms) for hours in self.week[day.weekday()])
            day += _DAY
        return total_ms

    def _overlap_ms(self, day: date, hours: OpeningHours, start_ms: int, end_ms: int) -> int:
        opens_ms = self._instant_ms(day, hours[0])
        closes_ms = self._instant_ms(day + _DAY, time()) if hours[1] is None else self._instant_ms(day, hours[1])
        return max(0, min(end_ms, closes_ms) - max(start_ms, opens_ms))

    def _local(self, instant_ms: int) -> datetime:
        return to_datetime(instant_ms).astimezone(self.zone)

    def _instant_ms(self, day: date, clock: time) -> int:
        return to_ms(datetime.combine(day, clock, self.zone))


def _parse(rule: str) -> Iterator[tuple[int, OpeningHours]]:
    match = _RULE.fullmatch(rule.strip().lower())
    if not match or match[1] not in WEEKDAYS or (match[2] or "mon") not in WEEKDAYS:
        raise ValueError(f'{rule!r}: write opening hours as "mon-fri 09:00-17:30" or "sat 10:00-14:00"')
    first, last = WEEKDAYS.index(match[1]), WEEKDAYS.index(match[2] or match[1])
    opens, closes = int(match[3]) * 60 + int(match[4]), int(match[5]) * 60 + int(match[6])
    minutes = max(int(match[4]), int(match[6]))
    if not (opens < closes <= 24 * 60 and minutes < 60 and first <= last):
        raise ValueError(f"{rule!r}: opening hours begin before they end, within one day, and days run from mon to sun")
    until = None if closes == 24 * 60 else time(*divmod(closes, 60))
    for weekday in range(first, last + 1):
        yield weekday, (time(*divmod(opens, 60)), until)


def _disjoint(hours: list[OpeningHours]) -> list[OpeningHours]:
    ordered = sorted(hours, key=lambda opening: opening[0])
    for earlier, later in pairwise(ordered):
        if earlier[1] is None or earlier[1] > later[0]:
            raise ValueError(f"opening hours from {earlier[0]:%H:%M} and from {later[0]:%H:%M} overlap on one day")
    return ordered


def _holiday(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f'{text!r}: write a holiday as "2026-12-25"') from None
