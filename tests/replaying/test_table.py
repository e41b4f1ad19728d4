"""Results in the table: each unit has its own format."""

from datetime import UTC, datetime
from typing import get_args

import pytest

from schemas.score import Score
from streams.core.scores import Unit
from streams.replaying.results import Result
from streams.replaying.table import table


def lines(
    unit: str,
    value: float | None,
    interval: tuple[float, float] | None = None,
    n: int = 40,
    counts: dict[str, int] | None = None,
) -> list[str]:
    lower, upper = interval or (None, None)
    end = datetime(2025, 3, 4, tzinfo=UTC)
    score = Score(
        score="x",
        cut="total",
        cell="all",
        window="24h",
        start=end,
        end=end,
        value=value,
        lower=lower,
        upper=upper,
        n=n,
        unit=unit,
        counts=counts or {},
        revision=1,
        final=True,
    )
    return list(table([Result(score, b"")]))[2:]


FORMATS = {
    "points": (12.345, (-3.21, 27.0), "+12.3  -3.2 … +27.0"),
    "ratio": (0.8269, (0.5, 1.0), "82.7 %  50.0 % … 100.0 %"),
    "scale": (4.7, (3.15, 6.25), "4.70  3.15 … 6.25"),
    "seconds": (1234.56, (0.0, 2000.04), "1,234.6 s  0.0 s … 2,000.0 s"),
    "count": (17313.0, None, "17,313  –"),
}


def test_every_unit_has_a_format() -> None:
    assert set(FORMATS) == set(get_args(Unit))


@pytest.mark.parametrize("unit", FORMATS)
def test_value_and_interval_are_shown_in_their_unit(unit: str) -> None:
    value, interval, expected = FORMATS[unit]
    assert " ".join(expected.split()) in " ".join(lines(unit, value, interval)[0].split())


def test_a_value_without_data_is_unknown_and_an_empty_window_is_left_out() -> None:
    (line,) = lines("ratio", None, n=0, counts={"transferred": 0, "unknown": 7})
    assert " ".join(line.split()) == "x total all 24h 2025-03-04 00:00 unknown – 0"
    assert lines("ratio", None, n=0) == []
