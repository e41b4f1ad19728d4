"""The fingerprint of a definition is that of its values, whatever process computes it."""

from dataclasses import replace
from datetime import UTC, date, timedelta
from typing import Any

from streams.app import definition
from streams.core.stage1.definition import Definition, _text_of
from streams.core.time.business_hours import BusinessHours
from tests.support.stream import settings_with

DAYS = [date(2026, 1, 1) + timedelta(days=37 * number) for number in range(40)]


class _Reversed(frozenset[date]):
    """Equal to the set of its days, but iterated the other way round, as in a process with another hash seed."""

    def __iter__(self) -> Any:
        return iter(sorted(super().__iter__(), reverse=True))


def with_hours(holidays: frozenset[date]) -> Definition:
    hours = BusinessHours.parse(UTC, ["mon-fri 09:00-17:00"])
    return replace(definition(settings_with()), hours=replace(hours, holidays=holidays))


def test_the_order_in_which_a_process_holds_the_holidays_does_not_change_it() -> None:
    assert with_hours(frozenset(DAYS)).fingerprint == with_hours(_Reversed(DAYS)).fingerprint


def test_another_holiday_changes_it() -> None:
    assert with_hours(frozenset(DAYS)).fingerprint != with_hours(frozenset(DAYS[:-1])).fingerprint


def test_it_is_that_of_earlier_versions_where_that_was_always_the_same() -> None:
    for holidays in (frozenset[date](), frozenset(DAYS[:1])):
        made = with_hours(holidays)
        assert _text_of(made.hours) == repr(made.hours)
