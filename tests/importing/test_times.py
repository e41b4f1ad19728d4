"""Local times: zones, the hours that daylight saving repeats or skips, midnight."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from streams.importing.times import TimeReader, UnreadableTime

BERLIN = ZoneInfo("Europe/Berlin")
FORMAT = "%Y-%m-%d %H:%M"
REPEATED, SKIPPED = "2024-10-27 02:30", "2024-03-31 02:30"


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("time_format", "zone", "text", "expected"),
    [
        ("iso", None, "2024-02-29T23:00:00-05:00", at(2024, 3, 1, 4)),
        ("iso", BERLIN, "2024-02-29T23:00:00", at(2024, 2, 29, 22)),
        ("iso", BERLIN, "2024-02-29T23:00:00Z", at(2024, 2, 29, 23)),
        ("epoch_s", None, "1709251200", at(2024, 3, 1)),
        ("epoch_ms", None, "1709251200250", at(2024, 3, 1, 0, 0, 0, 250_000)),
        ("epoch_us", None, "1709251200000001", at(2024, 3, 1, 0, 0, 0, 1)),
        (FORMAT, BERLIN, "2024-07-01 12:00", at(2024, 7, 1, 10)),
        ("%d.%m.%Y %H:%M %z", None, "01.07.2024 12:00 +0200", at(2024, 7, 1, 10)),
    ],
)
def test_a_time_is_read_in_its_format_and_zone(
    time_format: str, zone: ZoneInfo | None, text: str, expected: datetime
) -> None:
    assert TimeReader(time_format, zone).read(text) == expected


@pytest.mark.parametrize(("text", "reason"), [(REPEATED, "ambiguous_time"), (SKIPPED, "nonexistent_time")])
def test_hours_that_daylight_saving_repeats_or_skips_are_refused_unless_the_mapping_decides(
    text: str, reason: str
) -> None:
    with pytest.raises(UnreadableTime, match="in the mapping") as refused:
        TimeReader(FORMAT, BERLIN).read(text)
    assert refused.value.reason == reason


def test_the_mapping_can_choose_one_of_two_repeated_hours_and_move_a_skipped_one_forward() -> None:
    assert TimeReader(FORMAT, BERLIN, fold="first").read(REPEATED) == at(2024, 10, 27, 0, 30)
    assert TimeReader(FORMAT, BERLIN, fold="second").read(REPEATED) == at(2024, 10, 27, 1, 30)
    assert TimeReader(FORMAT, BERLIN, gap="forward").read(SKIPPED) == at(2024, 3, 31, 1, 30)


@pytest.mark.parametrize("text", ["", "31/02/2024", "2023-02-29 10:00", "2024-01-01 24:00", "nan", "0001-01-01 00:30"])
def test_a_text_that_is_not_a_time_is_refused(text: str) -> None:
    with pytest.raises(UnreadableTime) as refused:
        TimeReader(FORMAT, BERLIN).read(text)
    assert refused.value.reason == "bad_time"


@pytest.mark.parametrize("text", ["nan", "1e300", "soon", "-inf"])
def test_a_text_that_is_not_a_number_of_seconds_is_refused(text: str) -> None:
    with pytest.raises(UnreadableTime) as refused:
        TimeReader("epoch_s", None).read(text)
    assert refused.value.reason == "bad_time"


def test_a_time_without_offset_or_zone_is_refused() -> None:
    with pytest.raises(UnreadableTime) as refused:
        TimeReader("iso", None).read("2024-02-29T23:00:00")
    assert refused.value.reason == "no_zone"


def test_times_of_day_run_past_midnight_but_clocks_that_differ_by_seconds_do_not() -> None:
    clock = TimeReader("%H:%M:%S", None)
    assert clock.seconds_between("23:59:30", "0:00:15") == 45
    assert clock.seconds_between("9:48:14", "9:47:17") == -57


def test_a_duration_across_daylight_saving_is_the_elapsed_time() -> None:
    assert TimeReader(FORMAT, BERLIN).seconds_between("2024-03-31 01:30", "2024-03-31 03:30") == 3_600


def test_the_latest_time_of_a_day_may_lie_past_midnight() -> None:
    clock = TimeReader("%y%m%d %H:%M:%S", ZoneInfo("UTC"))
    assert clock.latest("990228", "23:51:29", ["23:51:34", "0:00:55"]) == at(1999, 3, 1, 0, 0, 55)
    assert clock.latest("990228", "9:48:14", ["9:47:17"]) == at(1999, 2, 28, 9, 47, 17)
