"""Decide which columns may go into a model: a column that identifies or repeats is left out, a leak is refused."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streams.errors import ConfigError
from streams.fitting.column_factors import frequent_levels, min_support
from streams.fitting.columns import Categorical, Column, Floats, Frame, Ints, Numeric
from streams.fitting.leaks import leak_notes, refuse_leaks, single_auc

_ID_NAME = re.compile(
    r"(?:^|[^a-z])(?:customer|client|subscriber|member|ids?|u?uid|guid|key|phone|telephone|mobile|msisdn|e-?mail|index|row|number|no|nr|num|ref|code)"
    r"(?:$|[^a-z])"
)
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_DATE = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?:[T ].*)?|\d{1,2}[/.]\d{1,2}[/.]\d{2,4}(?: .*)?")


@dataclass(frozen=True)
class Screened:
    """The columns to fit, those left out with the reason, and notes for the reader."""

    frame: Frame
    left_out: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def screen(columns: Sequence[Column], y: Floats, *, timed: bool = False) -> Screened:
    """Sort the columns. Only leaks are found by looking at the labels.

    `timed` says that every value was known at the time of its label: then it is no leak that only leavers have one.
    Raises `ConfigError` naming every column that leaks, and when no column is left.
    """
    useless = {column.name: _useless(column) for column in columns}
    aucs = {column.name: single_auc(column, y, by_value=useless[column.name] is None) for column in columns}
    frame, left_out = _sorted(columns, useless)
    refuse_leaks(columns, aucs, y, timed=timed)
    if not frame:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out)
        raise ConfigError(f"no column is left to learn from ({reasons}); bring columns that describe the customers")
    return Screened(frame, tuple(left_out), tuple(leak_notes(frame, aucs, y, timed=timed)))


def _sorted(columns: Sequence[Column], useless: dict[str, str | None]) -> tuple[Frame, list[tuple[str, str]]]:
    frame: Frame = {}
    left_out: list[tuple[str, str]] = []
    for column in columns:
        reason = useless[column.name] or _repeated(column, frame)
        if reason:
            left_out.append((column.name, reason))
        else:
            frame[column.name] = column
    return frame, left_out


def _useless(column: Column) -> str | None:
    """Why nothing can be learned from this column; None where something can."""
    if column.missing().all():
        return "has no values"
    return _useless_numbers(column) if isinstance(column, Numeric) else _useless_levels(column)


def _useless_numbers(column: Numeric) -> str | None:
    known = column.values[~column.missing()]
    distinct = len(np.unique(known))
    if distinct == 1 and len(known) == len(column.values):
        return f"is always {known[0]:g}"
    is_whole = bool((known == np.round(known)).all())
    if not is_whole or distinct < 0.99 * len(known) or len(known) < len(column.values) / 2:
        return None
    is_consecutive = known.max() - known.min() + 1 <= 1.01 * distinct or bool((np.diff(known) > 0).all())
    if is_consecutive or _ID_NAME.search(_CAMEL_CASE.sub(" ", column.name).casefold()):
        return "looks like an identifier: another whole number in nearly every row" + _repeats(len(known), distinct)
    return None


def _repeats(n: int, distinct: int) -> str:
    return f" ({n - distinct:,} repeat one; if it names the customer, say so with --id)" if n > distinct else ""


def _useless_levels(column: Categorical) -> str | None:
    codes = column.codes[column.codes >= 0]
    distinct = len(np.unique(codes))
    if distinct == 1 and len(codes) == len(column.codes):
        return f"is always {column.levels[codes[0]]!r}"
    if np.mean([bool(_DATE.fullmatch(level)) for level in column.levels]) > 0.9:
        return "holds dates: give the time from them to a fixed day as a number, in days"
    if distinct > max(20, len(codes) / 2):
        return f"looks like an identifier or free text: {distinct:,} different values in {len(codes):,} rows"
    support = min_support(len(column.codes))
    covered = sum(n for _, n in frequent_levels(column, support))
    if covered < len(codes) / 2:
        return f"has {distinct:,} different values, most of them on fewer than {support} rows: group them"
    return None


def _repeated(column: Column, frame: Frame) -> str | None:
    """The first column before this one that says the same in other numbers or words."""
    for other in frame.values():
        if _is_same(column, other):
            return f"says the same as {other.name}"
    return None


def _is_same(column: Column, other: Column) -> bool:
    if isinstance(column, Numeric) and isinstance(other, Numeric):
        return _is_linear(column.values, other.values)
    if isinstance(column, Categorical) and isinstance(other, Categorical):
        return _is_relabelled(column.codes, other.codes)
    return False


def _is_linear(a: Floats, b: Floats) -> bool:
    known = ~np.isnan(a)
    if not np.array_equal(known, ~np.isnan(b)):
        return False
    x, z = a[known] - a[known].mean(), b[known] - b[known].mean()
    size = float(np.sqrt((x @ x) * (z @ z)))
    return size > 0 and abs(float(x @ z)) > 0.99999 * size


def _is_relabelled(a: Ints, b: Ints) -> bool:
    pairs = len(np.unique(np.column_stack([a, b]), axis=0))
    return pairs == len(np.unique(a)) == len(np.unique(b)) and np.array_equal(a < 0, b < 0)
