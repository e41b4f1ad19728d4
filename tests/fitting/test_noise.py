"""Labels that are noise must give `no signal`, and a reason to leave must be found: by simulation."""

from collections.abc import Callable

import pytest

from streams.fitting.evaluation import Evaluation
from streams.fitting.table import Table
from streams.fitting.table_fit import TableRequest, fit_table
from tests.support import customers


def judged(table: customers.Table) -> Evaluation:
    given = Table("simulated", "", ",", tuple(table), tuple(table.values()))
    return fit_table(given, TableRequest("left"), lambda done, total: None).evaluation


def signals(tables: Callable[[int], customers.Table], count: int) -> int:
    return sum(judged(tables(seed)).verdict == "signal" for seed in range(count))


def test_a_few_tables_of_noise_are_no_signal() -> None:
    assert signals(lambda seed: customers.noise(seed, 200, 5, 0.25), 8) == 0


@pytest.mark.slow
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize(
    ("rows", "columns", "share", "tables"),
    [
        (120, 6, 0.3, 100),
        (300, 8, 0.2, 100),
        (300, 60, 0.25, 25),
        (1_000, 15, 0.02, 30),
        (2_000, 20, 0.15, 15),
    ],
)
def test_at_most_one_table_of_noise_in_a_hundred_is_a_signal(
    rows: int, columns: int, share: float, tables: int
) -> None:
    found = signals(lambda seed: customers.noise(10_000 + seed, rows, columns, share), tables)
    print(f"{rows} rows, {columns} columns, {share:.0%} left: {found} signals in {tables} tables of noise")
    assert found <= tables // 100


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("rows", "columns", "share", "strength"),
    [(300, 8, 0.25, 2.5), (600, 40, 0.25, 2.5), (2_500, 20, 0.02, 3.0), (3_000, 20, 0.15, 1.5)],
)
def test_a_reason_to_leave_is_found_in_nine_tables_of_ten(
    rows: int, columns: int, share: float, strength: float
) -> None:
    found = signals(lambda seed: customers.telling(20_000 + seed, rows, columns, share, strength), 10)
    print(f"{rows} rows, {columns} columns, {share:.0%} left, strength {strength}: {found} signals in 10 tables")
    assert found >= 9
