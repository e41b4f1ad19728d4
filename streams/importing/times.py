"""From local times in an export to UTC, with a stated policy for the hours that daylight saving repeats or skips.

The time zone database is the only thing read from outside: the standard library loads each zone once.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from streams.core.time.instants import EPOCH

_TICKS_PER_SECOND = {"epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000}
NAMED_FORMATS = ("iso", *_TICKS_PER_SECOND)
"""Time formats that are not strptime formats."""
_HALF_DAY = timedelta(hours=12)


class UnreadableTime(ValueError):
    """A time of one row that cannot be read; `reason` is the reason its row is rejected for."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class TimeReader:
    """Reads times of one format and one time zone.

    `time_format` is one of `NAMED_FORMATS` or a strptime format. `zone` may be None where the times
    carry their offset. `fold` decides the hour that happens twice (`first`, `second` or `reject`),
    `gap` the hour that is skipped (`forward` or `reject`). Every method raises `UnreadableTime`.

    >>> TimeReader("%d/%m/%Y %H:%M", ZoneInfo("Asia/Jerusalem")).read("1/2/1999 07:02").isoformat()
    '1999-02-01T05:02:00+00:00'
    """

    def __init__(self, time_format: str, zone: ZoneInfo | None, fold: str = "reject", gap: str = "reject") -> None:
        self._format, self._zone, self._fold, self._gap = time_format, zone, fold, gap
        self._is_time_of_day = "%" in time_format and not has_day(time_format)
        self.read = lru_cache(maxsize=65_536)(self._read)

    def _read(self, text: str) -> datetime:
        """The time in UTC."""
        return self._utc(self._parse(text))

    def seconds_between(self, begin: str, end: str) -> float:
        """Seconds from one time to another; a time of day more than 12 h before `begin` is on the next day."""
        if not self._is_time_of_day:
            return (self.read(end) - self.read(begin)).total_seconds()
        start = self._parse(begin)
        return (_past_midnight(self._parse(end), start) - start).total_seconds()

    def latest(self, day: str, begin: str, ends: Sequence[str]) -> datetime:
        """The latest of several times of day, in UTC; that of `begin` when there is none.

        A time more than 12 h before `begin` is on the next day. One a few seconds before `begin` is
        on the same day, because clocks of a source may disagree by so much.
        """
        start = self._parse(f"{day} {begin}")
        return self._utc(max((_past_midnight(self._parse(f"{day} {end}"), start) for end in ends), default=start))

    def _parse(self, text: str) -> datetime:
        try:
            if self._format in _TICKS_PER_SECOND:
                return EPOCH + timedelta(microseconds=float(text) * (1_000_000 / _TICKS_PER_SECOND[self._format]))
            if self._format == "iso":
                return datetime.fromisoformat(text)
            return datetime.strptime(text, self._format)  # noqa: DTZ007  # _place adds the zone
        except (ValueError, OverflowError):
            raise UnreadableTime("bad_time", f"{text[:64]!r} is not a time of the format {self._format}") from None

    def _utc(self, local: datetime) -> datetime:
        try:
            return (local if local.tzinfo else self._place(local)).astimezone(UTC)
        except OverflowError:
            raise UnreadableTime("bad_time", f"{local} is outside the calendar in UTC") from None

    def _place(self, local: datetime) -> datetime:
        if self._zone is None:
            raise UnreadableTime("no_zone", f'{local} has no offset; set zone = "…" in the mapping')
        first, second = (local.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        before, after = first.utcoffset(), second.utcoffset()
        if before == after:
            return first
        # When the clock goes back, the offset before the change is the larger one (PEP 495).
        if before > after:  # type: ignore[operator]
            return self._repeated(first, second)
        return self._skipped(first)

    def _repeated(self, first: datetime, second: datetime) -> datetime:
        if self._fold == "reject":
            raise UnreadableTime(
                "ambiguous_time",
                f"{first:%Y-%m-%d %H:%M:%S} happens twice in {self._zone}; "
                'set fold = "first" or "second" in the mapping',
            )
        return first if self._fold == "first" else second

    def _skipped(self, first: datetime) -> datetime:
        if self._gap == "reject":
            raise UnreadableTime(
                "nonexistent_time",
                f'{first:%Y-%m-%d %H:%M:%S} does not exist in {self._zone}; set gap = "forward" in the mapping',
            )
        return first


def has_day(time_format: str) -> bool:
    """Whether a strptime format names a day, and not only a time of day."""
    return any(mark in time_format for mark in ("%d", "%j", "%x", "%c"))


def _past_midnight(end: datetime, begin: datetime) -> datetime:
    return end + timedelta(days=1) if begin - end > _HALF_DAY else end
