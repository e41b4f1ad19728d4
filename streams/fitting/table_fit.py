"""Fit a table model: read the label, sort the columns, evaluate out of sample, and fit if there is a signal."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from streams.errors import ConfigError
from streams.fitting.columns import Column, Frame, as_column, is_missing
from streams.fitting.fitted import SEED, Fitted, InputFile, fit_after
from streams.fitting.labels import MIN_PER_CLASS, Labels, read_labels
from streams.fitting.predictions import Progress, copy_groups, cross_validate, describe
from streams.fitting.screening import screen
from streams.fitting.table import Table, find_column


@dataclass(frozen=True)
class TableRequest:
    """The options of a fit to a table; columns by their names in the header."""

    label: str
    positive: str | None = None
    drop: tuple[str, ...] = ()
    id_column: str | None = None


def fit_table(table: Table, request: TableRequest, progress: Progress) -> Fitted:
    """Fit and evaluate. Raises `ConfigError` for a table that cannot be fitted, with the reason."""
    request = _resolved(table, request)
    labels = read_labels(request.label, _texts(table, request.label), request.positive)
    id_notes = _check_ids(table, request.id_column)
    columns, column_notes = _columns(table, labels, request)
    screened = screen(columns, labels.values)
    copy_notes = _check_copies(screened.frame, labels)
    predictions = cross_validate(screened.frame, labels.values, SEED, progress)
    notes = [*labels.notes, *id_notes, *column_notes, *screened.notes, *copy_notes]
    source = InputFile(table.name, table.sha256)
    return fit_after(predictions, source, labels, screened, notes, describe(len(labels.values)), progress)


def _resolved(table: Table, request: TableRequest) -> TableRequest:
    label = find_column(table, request.label, "--label")
    drop = tuple(find_column(table, name, "--drop") for name in request.drop)
    if label in drop:
        raise ConfigError(f"{label}: both --label and in --drop; a fit needs its label")
    id_column = request.id_column and find_column(table, request.id_column, "--id")
    return TableRequest(label, request.positive, drop, id_column)


def _texts(table: Table, name: str) -> tuple[str, ...]:
    return tuple(table.columns[table.header.index(name)])


def _check_ids(table: Table, name: str | None) -> list[str]:
    """Notes on the identifiers. Raises `ConfigError` when one of them is in two rows."""
    if name is None:
        return []
    counts = Counter(text for text in _texts(table, name) if not is_missing(text))
    repeated = [(text, n) for text, n in counts.most_common() if n > 1]
    if repeated:
        text, n = repeated[0]
        raise ConfigError(
            f"{name}: {len(repeated)} identifiers come more than once, such as {text!r} ({n} rows); "
            "keep one row per customer, or else a customer is predicted from itself"
        )
    unidentified = table.rows - counts.total()
    return [f"{name}: {unidentified} rows without an identifier"] if unidentified else []


def _columns(table: Table, labels: Labels, request: TableRequest) -> tuple[list[Column], list[str]]:
    names = [name for name in table.header if name not in (request.label, request.id_column, *request.drop)]
    if not names:
        raise ConfigError(f"{table.name}: no column beside the label; bring columns that describe the customers")
    pairs = [as_column(name, texts, table.delimiter == ";") for name, texts in _labelled(table, labels, names)]
    return [column for column, _ in pairs], [note for _, note in pairs if note]


def _labelled(table: Table, labels: Labels, names: list[str]) -> Iterator[tuple[str, list[str]]]:
    """The texts of these columns in the rows that have a label."""
    for name in names:
        texts = _texts(table, name)
        yield name, [texts[row] for row in labels.rows]


def _check_copies(frame: Frame, labels: Labels) -> list[str]:
    """Notes on copied rows. Raises `ConfigError` when too few different rows are left without the copies."""
    _, first = np.unique(copy_groups(frame), return_index=True)
    left = int(labels.values[first].sum())
    if min(left, len(first) - left) < MIN_PER_CLASS:
        raise ConfigError(
            f"{labels.column}: only {left} customers who left and {len(first) - left} who stayed differ in "
            f"any column, the other rows are copies; bring {MIN_PER_CLASS} or more different ones of each"
        )
    copies = len(labels.values) - len(first)
    return [f"{copies} rows are copies of others in every column used; they stay in one fold, but the intervals "
            "count each copy as another customer: take the copies out"] if copies else []  # fmt: skip
