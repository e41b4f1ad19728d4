"""Business hours are counted minute by minute by the local clock, through daylight saving and holidays."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.time.business_hours import BusinessHours

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = 60_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WEEK = ("mon-thu 09:00-12:30", "mon-thu 13:00-17:30", "fri 08:00-14:00", "sun 01:00-04:00")
HOLIDAYS = ("2026-03-27", "2026-10-23")
OPEN = {
    **dict.fromkeys(range(4), (("09:00", "12:30"), ("13:00", "17:30"))),
    4: (("08:00", "14:00"),),
    5: (),
    6: (("01:00", "04:00"),),
}


def ms(year: int, month: int, day: int) -> int:
    return (datetime(year, month, day, tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)


def is_open(minute: int) -> bool:
    local = (EPOCH + timedelta(minutes=minute)).astimezone(BERLIN)
    if local.date() in map(date.fromisoformat, HOLIDAYS):
        return False
    return any(begin <= f"{local:%H:%M}" < end for begin, end in OPEN[local.weekday()])


def minute_by_minute(start: int, end: int) -> int:
    minutes = range(start // MINUTE, end // MINUTE + 1)
    return sum(max(0, min(end, (m + 1) * MINUTE) - max(start, m * MINUTE)) for m in minutes if is_open(m))


@settings(deadline=None, max_examples=40)
@given(st.sampled_from((ms(2026, 3, 26), ms(2026, 10, 22), ms(2028, 2, 28))), st.integers(0, 4 * 86_400_000), st.data())
def test_opening_hours_are_those_counted_minute_by_minute(day: int, offset: int, data: st.DataObject) -> None:
    start = day + offset
    end = start + data.draw(st.integers(0, 3 * 86_400_000))
    hours = BusinessHours.parse(BERLIN, WEEK, HOLIDAYS)
    assert hours.between(start, end) == minute_by_minute(start, end)


def test_a_day_of_23_and_one_of_25_hours() -> None:
    always = BusinessHours.parse(BERLIN, ["sun 00:00-24:00"])
    assert always.between(ms(2026, 3, 28), ms(2026, 3, 31)) == 23 * 60 * MINUTE
    assert always.between(ms(2026, 10, 24), ms(2026, 10, 27)) == 25 * 60 * MINUTE


def test_an_end_before_the_start_gives_0() -> None:
    assert BusinessHours.parse(UTC, ["mon-sun 00:00-24:00"]).between(2 * MINUTE, MINUTE) == 0


@pytest.mark.parametrize(
    "rule",
    ["", "mon", "mon 9:00-17:00", "mon 17:00-09:00", "fri-mon 09:00-17:00", "mon 09:00-24:01", "mon 09:60-17:00"],
)
def test_a_rule_that_cannot_be_read_is_named(rule: str) -> None:
    with pytest.raises(ValueError, match=f"^{rule!r}: "):
        BusinessHours.parse(UTC, ["tue 09:00-17:00", rule])


def test_hours_that_overlap_are_refused() -> None:
    with pytest.raises(ValueError, match="from 09:00 and from 16:00 overlap"):
        BusinessHours.parse(UTC, ["mon-fri 09:00-17:00", "wed 16:00-20:00"])


def test_a_holiday_that_is_no_date_is_named() -> None:
    with pytest.raises(ValueError, match="^'25.12.2026': "):
        BusinessHours.parse(UTC, [], ["25.12.2026"])
