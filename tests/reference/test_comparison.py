from typing import Any

import pytest

from tests.reference import differences

ROW: dict[str, Any] = {
    "score": "csat",
    "cut": "total",
    "cell": "all",
    "window": "1h",
    "start": "2024-01-01T12:00:00Z",
    "end": "2024-01-01T13:00:00Z",
    "value": 0.8,
    "lower": 0.490162,
    "upper": 0.943318,
    "n": 10,
    "counts": {"satisfied": 8},
}
EMPTY: dict[str, Any] = {"n": 0, "value": None, "lower": None, "upper": None, "counts": {}}


def test_equal_rows_agree_in_any_order_and_with_more_columns() -> None:
    other = ROW | {"cell": "web"}
    assert differences([ROW, other], [other | {"revision": 3}, ROW | {"unit": "ratio"}]) == []


def test_the_last_digit_may_be_rounded_either_way() -> None:
    assert differences([ROW], [ROW | {"lower": 0.490163}]) == []


def test_an_empty_window_is_as_good_as_none() -> None:
    assert differences([ROW], [ROW, ROW | EMPTY | {"cell": "web"}]) == []


@pytest.mark.parametrize(
    "change",
    [
        {"n": 11},
        {"value": 0.80001},
        {"lower": None},
        {"upper": 0.9},
        {"counts": {"satisfied": 9}},
        {"start": "2024-01-01T12:30:00Z"},
    ],
    ids=str,
)
def test_every_other_difference_is_named(change: dict[str, Any]) -> None:
    (line,) = differences([ROW], [ROW | change])
    assert f"{next(iter(change))} is" in line


def test_what_is_missing_unexpected_or_twice_is_named() -> None:
    other = ROW | {"end": "2024-01-01T14:00:00Z"}
    assert "missing" in differences([ROW], [])[0]
    assert "missing" in differences([ROW], [ROW | EMPTY])[0]
    assert "not expected" in differences([], [ROW])[0]
    assert len(differences([ROW], [other])) == 2
    assert "there twice" in differences([ROW], [ROW, ROW])[0]
