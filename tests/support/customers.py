"""Tables of customers that do not exist, with a known reason to leave or none."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Table = dict[str, list[str]]


def customers(rng: np.random.Generator, rows: int, columns: int) -> Table:
    """Amounts, counts, categories and skewed amounts in turn, none of which knows anything; some are blank."""
    makers = (
        lambda: [f"{value:.3f}" for value in rng.normal(50.0, 10.0, rows)],
        lambda: [str(value) for value in rng.poisson(1.5, rows)],
        lambda: [("red", "green", "blue", "grey", "NA")[value] for value in rng.integers(0, 5, rows)],
        lambda: [f"{value:.2f}" if value > 0.2 else "" for value in np.exp(rng.normal(0.0, 1.0, rows))],
    )
    return {f"x{place}": makers[place % 4]() for place in range(columns)}


def noise(seed: int, rows: int, columns: int, share: float) -> Table:
    """A table whose labels are drawn without looking at it."""
    rng = np.random.default_rng(seed)
    left = np.zeros(rows)
    left[rng.permutation(rows)[: max(10, round(share * rows))]] = 1.0
    return customers(rng, rows, columns) | {"left": labels(left)}


def telling(seed: int, rows: int, columns: int, share: float, strength: float) -> Table:
    """A table in which three calls or more, and to a lesser degree a high first amount, mean leaving."""
    rng = np.random.default_rng(seed)
    table = customers(rng, rows, columns)
    calls, amount = np.array(table["x1"], dtype=float), np.array(table["x0"], dtype=float)
    lift = strength * (calls >= 3) + 0.35 * strength * (amount - 50.0) / 10.0
    base = np.log(share / (1.0 - share))
    for _ in range(50):
        now = float(np.mean(1.0 / (1.0 + np.exp(-lift - base))))
        base += np.log(share / (1.0 - share)) - np.log(now / (1.0 - now))
    left = rng.random(rows) < 1.0 / (1.0 + np.exp(-lift - base))
    return table | {"left": labels(left.astype(float))}


def labels(left: Floats) -> list[str]:
    """`yes` and `no`."""
    return ["yes" if value else "no" for value in left]


def write(table: Table, path: Path, delimiter: str = ",") -> Path:
    """The table as a file, with a header."""
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out, delimiter=delimiter)
        writer.writerow(table)
        writer.writerows(rows(table))
    return path


def rows(table: Table) -> Sequence[tuple[str, ...]]:
    """The table row by row."""
    return list(zip(*table.values(), strict=True))
