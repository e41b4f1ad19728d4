"""Time that passes while a desk is open: a week of opening hours in a zone, without holidays."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_DAY = timedelta(days=1)
_RULE = re.compile(r"([a-z]{3})(?:-([a-z]{3}))? (\d{2}):(\d{2})-(\d{2}):(\d{2})")

Hours = tuple[time, time | None]
"""From and until, by the local clock; None is the end of the day."""


@dataclass(frozen=True)
class BusinessHours:
    """Opening hours of each weekday (Monday first) by the clock of `zone`; on holidays nobody is there."""

    zone: tzinfo
    week: tuple[tuple[Hours, ...], ...]
    holidays: frozenset[date] = frozenset()

    @classmethod
    def parse(cls, zone: tzinfo, days: Sequence[str], holidays: Sequence[str] = ()) -> "BusinessHours":
        """Read rules like "mon-fri 09:00-17:30" and dates like "2026-12-25"; raises `ValueError` naming the bad one."""
        week: list[list[Hours]] = [[] for _ in WEEKDAYS]
        for rule in days:
            for weekday, hours in _parse(rule):
                week[weekday].append(hours)
        return cls(zone, tuple(tuple(hours) for hours in map(_disjoint, week)), frozenset(map(_holiday, holidays)))

    def between(self, start: int, end: int) -> int:
        """Milliseconds of opening hours in `[start, end)`, both in ms since 1970.

        >>> week = BusinessHours.parse(UTC, ["mon-fri 09:00-17:00"])
        >>> week.between(24 * 3_600_000, 4 * 24 * 3_600_000) // 3_600_000  # Friday and a weekend
        8
        """
        day, last = self._local(start).date(), self._local(max(start, end)).date()
        total = 0
        while day <= last:
            if day not in self.holidays:
                total += sum(self._overlap(day, hours, start, end) for hours in self.week[day.weekday()])
            day += _DAY
        return total

    def _overlap(self, day: date, hours: Hours, start: int, end: int) -> int:
        opens = self._moment(day, hours[0])
        closes = self._moment(day + _DAY, time()) if hours[1] is None else self._moment(day, hours[1])
        return max(0, min(end, closes) - max(start, opens))

    def _local(self, ms: int) -> datetime:
        return (_EPOCH + timedelta(milliseconds=ms)).astimezone(self.zone)

    def _moment(self, day: date, clock: time) -> int:
        return (datetime.combine(day, clock, self.zone) - _EPOCH) // _MILLISECOND


def _parse(rule: str) -> Iterator[tuple[int, Hours]]:
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


def _disjoint(hours: list[Hours]) -> list[Hours]:
    ordered = sorted(hours, key=lambda one: one[0])
    for before, after in pairwise(ordered):
        if before[1] is None or before[1] > after[0]:
            raise ValueError(f"opening hours from {before[0]:%H:%M} and from {after[0]:%H:%M} overlap on one day")
    return ordered


def _holiday(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f'{text!r}: write a holiday as "2026-12-25"') from None
