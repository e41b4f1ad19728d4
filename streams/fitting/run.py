"""The whole fit of one table: read the label, sort the columns, judge out of sample, and fit if there is anything."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from streams.errors import ConfigError
from streams.fitting.columns import Column, Floats, Frame, as_column, is_missing
from streams.fitting.figures import Figures, figures
from streams.fitting.labels import MIN_OF_CLASS, Labels, read_labels
from streams.fitting.model import Model, fit_models
from streams.fitting.rates import Rates, rates
from streams.fitting.screening import Screened, screen
from streams.fitting.table import Table, find_column
from streams.fitting.validation import FOLDS, cross_validate, describe, repeats, twin_rows

SEED = 1
"""Where the folds are cut; the same table gives the same figures."""

STRONGEST = 5

Progress = Callable[[int, int], None]
"""Told after each fit how many of how many are done."""


@dataclass(frozen=True)
class Request:
    """What the user asked for, columns by their names in the header."""

    label: str
    positive: str | None = None
    drop: tuple[str, ...] = ()
    id_column: str | None = None


@dataclass(frozen=True)
class Fitted:
    """What was found; `model` is None when there is no signal, `strongest` has the strongest column first.

    `method` says how customers were kept from being predicted by what was learned from them.
    """

    table: Table
    labels: Labels
    screened: Screened
    figures: Figures
    model: Model | None
    strongest: tuple[Rates, ...]
    notes: tuple[str, ...]
    method: str


def fit_table(table: Table, request: Request, progress: Progress) -> Fitted:
    """Fit and judge. Raises `ConfigError` for a table that cannot be fitted, saying why."""
    request = _resolved(table, request)
    labels = read_labels(request.label, _texts(table, request.label), request.positive)
    notes = [*labels.notes, *_check_ids(table, request.id_column)]
    columns, read_notes = _columns(table, labels, request)
    screened = screen(columns, labels.values)
    notes += [*read_notes, *screened.notes, *_copies(screened.frame, labels)]
    found, model = _judged(screened.frame, labels.values, progress)
    names = by_strength(model, screened.frame) if model else [found.best_single]
    shown = tuple(rates(screened.frame[name], labels.values) for name in names[:STRONGEST])
    return Fitted(table, labels, screened, found, model, shown, tuple(notes), describe(found.rows))


def _judged(frame: Frame, y: Floats, progress: Progress) -> tuple[Figures, Model | None]:
    total = repeats(len(y)) * FOLDS + 1
    found = figures(cross_validate(frame, y, SEED, lambda done, _: progress(done, total)))
    if found.verdict == "no signal":
        return found, None
    model = fit_models(frame, y).model
    progress(total, total)
    return found, model


def _resolved(table: Table, request: Request) -> Request:
    label = find_column(table, request.label, "--label")
    drop = tuple(find_column(table, name, "--drop") for name in request.drop)
    if label in drop:
        raise ConfigError(f"{label}: both --label and in --drop; a fit needs its label")
    id_column = request.id_column and find_column(table, request.id_column, "--id")
    return Request(label, request.positive, drop, id_column)


def _texts(table: Table, name: str) -> tuple[str, ...]:
    return tuple(table.columns[table.header.index(name)])


def _check_ids(table: Table, name: str | None) -> list[str]:
    if name is None:
        return []
    counts = Counter(text for text in _texts(table, name) if not is_missing(text))
    again = [(text, n) for text, n in counts.most_common() if n > 1]
    if again:
        text, n = again[0]
        raise ConfigError(
            f"{name}: {len(again)} identifiers come more than once, such as {text!r} ({n} rows); "
            "keep one row per customer, or else a customer is predicted from itself"
        )
    nameless = table.rows - counts.total()
    return [f"{name}: {nameless} rows without an identifier"] if nameless else []


def _columns(table: Table, labels: Labels, request: Request) -> tuple[list[Column], list[str]]:
    columns, notes = [], []
    for name in table.header:
        if name not in (request.label, request.id_column, *request.drop):
            texts = _texts(table, name)
            column, note = as_column(name, [texts[row] for row in labels.rows], table.delimiter == ";")
            columns.append(column)
            notes += [note] if note else []
    if not columns:
        raise ConfigError(f"{table.name}: no column beside the label; bring columns that describe the customers")
    return columns, notes


def _copies(frame: Frame, labels: Labels) -> list[str]:
    _, first = np.unique(twin_rows(frame), return_index=True)
    left = int(labels.values[first].sum())
    if min(left, len(first) - left) < MIN_OF_CLASS:
        raise ConfigError(
            f"{labels.column}: only {left} customers who left and {len(first) - left} who stayed differ in "
            f"any column, the other rows are copies; bring {MIN_OF_CLASS} or more different ones of each"
        )
    again = len(labels.values) - len(first)
    return [f"{again} rows are copies of others in every column used; copies stay in one fold, but the intervals "
            "count them as customers of their own: take them out"] if again else []  # fmt: skip


def by_strength(model: Model, frame: Frame) -> list[str]:
    """Columns by how far they move the log-odds (standard deviation); an interaction counts half for each."""
    strength: dict[str, float] = {}
    for block, part in zip(model.blocks, model.parts(frame), strict=True):
        for name in block.columns:
            strength[name] = strength.get(name, 0.0) + float(part.std()) / len(block.columns)
    return sorted(strength, key=lambda name: -strength[name])
