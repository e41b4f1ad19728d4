"""Fit a churn model to labels with times: features as known at those times, evaluated on later labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streams.core.churn.features import FEATURES
from streams.core.time.instants import DAY_MS
from streams.errors import ConfigError
from streams.fitting.columns import Column, Numeric
from streams.fitting.fitted import Fitted, InputFile, fit_after
from streams.fitting.history import History
from streams.fitting.labels import Labels, read_labels
from streams.fitting.predictions import Progress
from streams.fitting.screening import screen
from streams.fitting.time_folds import predict_later
from streams.fitting.timed_labels import TimedLabel


@dataclass(frozen=True)
class LabelRequest:
    """The options of a fit to labels: the horizon of `churned`, and the features not to learn from."""

    horizon_days: int
    drop: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelledFeatures:
    """The labels with evidence, a column for each feature as known at their times, and notes on the other labels."""

    labels: tuple[TimedLabel, ...]
    columns: tuple[Column, ...]
    notes: tuple[str, ...]


def fit_labels(
    path: Path, labels: Sequence[TimedLabel], history: History, request: LabelRequest, progress: Progress
) -> Fitted:
    """Fit and evaluate. Raises `ConfigError` for labels that cannot be fitted, with the reason."""
    _read(f"{path}: churned", labels)
    features = labelled_features(path, labels, history, request)
    classes = _read("churned, of the labels with evidence", features.labels)
    screened = screen(features.columns, classes.values, timed=True)
    times_ms = np.array([label.time_ms for label in features.labels], dtype=np.int64)
    predictions, method, notes = predict_later(screened.frame, classes.values, times_ms, request.horizon_days, progress)
    notes = [*features.notes, *screened.notes, *notes]
    return fit_after(predictions, InputFile.of(path), classes, screened, notes, method, progress)


def labelled_features(
    path: Path, labels: Sequence[TimedLabel], history: History, request: LabelRequest
) -> LabelledFeatures:
    """The features of each label as known at its time.

    Raises `ConfigError` for an unknown feature to drop, and for a label after its customer's cancellation.
    """
    for name in request.drop:
        if name not in FEATURES:
            raise ConfigError(f"--drop {name}: no such feature; there are {', '.join(FEATURES)}")
    known = [(label, history.features(label.customer, label.time_ms)) for label in labels]
    _refuse_left(path, [label for label, features in known if features.left])
    usable = [(label, features.features) for label, features in known if features.is_evidence]
    columns = tuple(
        Numeric(name, np.array([features.get(name, np.nan) for _, features in usable], dtype=np.float64))
        for name in FEATURES
        if name not in request.drop
    )
    notes = _notes(labels, len(usable), history, request.horizon_days)
    return LabelledFeatures(tuple(label for label, _ in usable), columns, tuple(notes))


def _read(column: str, labels: Sequence[TimedLabel]) -> Labels:
    """The classes of the labels. Raises `ConfigError` where there are too few."""
    texts = [label.churned for label in labels]
    return read_labels(column, texts, "1" if set(texts) == {"0", "1"} else None)


def _refuse_left(path: Path, labels: Sequence[TimedLabel]) -> None:
    if labels:
        lines = ", ".join(str(label.line) for label in labels[:5])
        raise ConfigError(
            f"{path}: {len(labels)} labels lie after the cancellation of their customer's account (line {lines}): "
            "that is the outcome, not a forecast; give each a time before the customer left, or take it out"
        )


def _notes(labels: Sequence[TimedLabel], usable: int, history: History, horizon_days: int) -> Iterator[str]:
    if usable < len(labels):
        yield (
            f"{len(labels) - usable} of {len(labels)} labels have no evidence within "
            f"{history.horizon_ms / DAY_MS:g} days before their time; their risk is unknown, and they are left out"
        )
    newest_ms = history.newest_ms
    late = sum(newest_ms is not None and label.time_ms + horizon_days * DAY_MS > newest_ms for label in labels)
    if late:
        yield (
            f"{late} labels lie less than {horizon_days} days before the newest event: make sure that it was known "
            "whether these customers left"
        )
    if history.undated:
        yield (
            f"{history.undated} corrections do not say when they were made (updated_at) and are left out, "
            "because they could reveal what was not known at a label's time"
        )
    if history.invalid:
        yield f"{history.invalid} records break their contract and are left out"
