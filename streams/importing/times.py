"""From a source's wall clock to UTC, with a stated policy for the hours that daylight saving breaks."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_HALF_DAY = timedelta(hours=12)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PER_SECOND = {"epoch_s": 1, "epoch_ms": 1_000, "epoch_us": 1_000_000}


class Unreadable(ValueError):
    """A value of one row that cannot be read; `reason` names the count it belongs to."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Clock:
    """Reads the times of one format and zone.

    `form` is `iso`, `epoch_s`, `epoch_ms`, `epoch_us` or a strptime format; `zone` may be None where
    the times carry their offset. `fold` decides the hour that happens twice (`first`, `second` or
    `reject`), `gap` the one that never happens (`forward` or `reject`).

    >>> Clock("%d/%m/%Y %H:%M", ZoneInfo("Asia/Jerusalem")).moment("1/2/1999 07:02").isoformat()
    '1999-02-01T05:02:00+00:00'
    """

    def __init__(self, form: str, zone: ZoneInfo | None, fold: str = "reject", gap: str = "reject") -> None:
        self._form, self._zone, self._fold, self._gap = form, zone, fold, gap
        self.moment = lru_cache(maxsize=65_536)(self._moment)
        self._of_day = "%" in form and not has_day(form)

    def _moment(self, text: str) -> datetime:
        """The moment in UTC; raises `Unreadable`."""
        return self._utc(self._parse(text))

    def seconds(self, begin: str, end: str) -> float:
        """Seconds from one time to another; times of day may run past midnight (12 h at most)."""
        if not self._of_day:
            return (self.moment(end) - self.moment(begin)).total_seconds()
        start = self._parse(begin)
        return (_overnight(self._parse(end), start) - start).total_seconds()

    def latest(self, day: str, begin: str, ends: Sequence[str]) -> datetime:
        """The latest of several times of day after `begin`, of which each may lie past midnight.

        A time more than 12 h before `begin` is on the next day; a few seconds before are a clock that disagrees.
        """
        start = self._parse(f"{day} {begin}")
        return self._utc(max((_overnight(self._parse(f"{day} {end}"), start) for end in ends), default=start))

    def _parse(self, text: str) -> datetime:
        try:
            if self._form in _PER_SECOND:
                return _EPOCH + timedelta(microseconds=float(text) * (1_000_000 / _PER_SECOND[self._form]))
            if self._form == "iso":
                return datetime.fromisoformat(text)
            return datetime.strptime(text, self._form)  # noqa: DTZ007  # the zone is applied after it
        except (ValueError, OverflowError):
            raise Unreadable("bad_time", f"{text[:64]!r} is not a time of the format {self._form}") from None

    def _utc(self, local: datetime) -> datetime:
        try:
            return (local if local.tzinfo else self._place(local)).astimezone(UTC)
        except OverflowError:
            raise Unreadable("bad_time", f"{local} is outside the calendar in UTC") from None

    def _place(self, local: datetime) -> datetime:
        if self._zone is None:
            raise Unreadable("no_zone", f'{local} has no offset; say zone = "…" in the mapping')
        first, second = (local.replace(tzinfo=self._zone, fold=fold) for fold in (0, 1))
        before, after = first.utcoffset(), second.utcoffset()
        if before == after:
            return first
        # the clock goes back: the offset before the change is the larger one (PEP 495)
        return self._twice(first, second) if before > after else self._never(first)  # type: ignore[operator]

    def _twice(self, first: datetime, second: datetime) -> datetime:
        if self._fold == "reject":
            raise Unreadable(
                "ambiguous_time",
                f"{first:%Y-%m-%d %H:%M:%S} happens twice in {self._zone}; "
                'say fold = "first" or "second" in the mapping',
            )
        return first if self._fold == "first" else second

    def _never(self, first: datetime) -> datetime:
        if self._gap == "reject":
            raise Unreadable(
                "nonexistent_time",
                f'{first:%Y-%m-%d %H:%M:%S} never happens in {self._zone}; say gap = "forward" in the mapping',
            )
        return first


def has_day(form: str) -> bool:
    """Whether a strptime format names a day, and not only a time of it."""
    return any(mark in form for mark in ("%d", "%j", "%x", "%c"))


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970 UTC, rounded down."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _overnight(end: datetime, begin: datetime) -> datetime:
    return end + timedelta(days=1) if begin - end > _HALF_DAY else end
