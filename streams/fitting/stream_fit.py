"""A fit to labels with times: features as known then, judged on later labels than it learned from."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streams.core.churn.features import DAY, FEATURES
from streams.errors import ConfigError
from streams.fitting.columns import Column, Floats, Frame, Ints, Numeric, take
from streams.fitting.figures import figures
from streams.fitting.history import History
from streams.fitting.labels import MIN_OF_CLASS, MIN_ROWS, Labels, read_labels
from streams.fitting.model import fit_models
from streams.fitting.rates import rates
from streams.fitting.run import SEED, STRONGEST, Fitted, Progress, by_strength
from streams.fitting.screening import screen
from streams.fitting.table import Table
from streams.fitting.timed_labels import TimedLabel
from streams.fitting.validation import OutOfSample, cross_validate, describe

_CUTS = (0.5, 0.75, 1.0)
"""The later half of the labels is predicted, in two steps, each from all that was known before it."""


@dataclass(frozen=True)
class Evidence:
    """The labels with evidence, their features, and what to know about the others."""

    moments: tuple[TimedLabel, ...]
    columns: tuple[Column, ...]
    notes: tuple[str, ...]


def fit_labels(
    path: Path,
    digest: str,
    moments: Sequence[TimedLabel],
    history: History,
    horizon_days: int,
    drop: Sequence[str],
    progress: Progress,
) -> Fitted:
    """Fit and judge. Raises `ConfigError` for labels that cannot be fitted, saying why."""
    _refuse_small(path, moments)
    evidence = gather(path, moments, history, horizon_days, drop)
    labels = _labels(evidence.moments)
    screened = screen(evidence.columns, labels.values, timed=True)
    times = np.array([moment.at for moment in evidence.moments], dtype=np.int64)
    found, how, more = _judge(screened.frame, labels.values, times, horizon_days, progress)
    figured = figures(found)
    model = None if figured.verdict == "no signal" else fit_models(screened.frame, labels.values).model
    names = by_strength(model, screened.frame) if model else [figured.best_single]
    shown = tuple(rates(screened.frame[name], labels.values) for name in names[:STRONGEST])
    table = Table(path.name, digest, ",", tuple(screened.frame), ())
    notes = (*evidence.notes, *screened.notes, *more)
    return Fitted(table, labels, screened, figured, model, shown, notes, how)


def gather(
    path: Path, moments: Sequence[TimedLabel], history: History, horizon_days: int, drop: Sequence[str] = ()
) -> Evidence:
    """The features of each label as known at its time. Raises `ConfigError` where a label comes after the leaving."""
    unknown = [name for name in drop if name not in FEATURES]
    if unknown:
        raise ConfigError(f"--drop {unknown[0]}: no such feature; there are {', '.join(FEATURES)}")
    known = [history.known(moment.customer, moment.at) for moment in moments]
    _refuse_left(path, [moment for moment, then in zip(moments, known, strict=True) if then.left])
    pairs = [(moment, then.features) for moment, then in zip(moments, known, strict=True) if then.is_evidence]
    columns = tuple(
        Numeric(name, np.array([features.get(name, np.nan) for _, features in pairs], dtype=np.float64))
        for name in FEATURES
        if name not in drop
    )
    return Evidence(tuple(m for m, _ in pairs), columns, tuple(_notes(moments, len(pairs), history, horizon_days)))


def _refuse_small(path: Path, moments: Sequence[TimedLabel]) -> None:
    read_labels(f"{path}: churned", [m.churned for m in moments], _positive(moments))


def _refuse_left(path: Path, left: Sequence[TimedLabel]) -> None:
    if left:
        lines = ", ".join(str(moment.line) for moment in left[:5])
        raise ConfigError(
            f"{path}: {len(left)} labels lie after the cancellation of their customer's account (line {lines}): "
            "that is the outcome, not a forecast; give each a time before the customer left, or take it out"
        )


def _labels(moments: Sequence[TimedLabel]) -> Labels:
    return read_labels("churned, of the labels with evidence", [m.churned for m in moments], _positive(moments))


def _positive(moments: Sequence[TimedLabel]) -> str | None:
    return "1" if {moment.churned for moment in moments} == {"0", "1"} else None


def _notes(moments: Sequence[TimedLabel], rows: int, history: History, horizon_days: int) -> list[str]:
    notes = []
    if rows < len(moments):
        notes.append(
            f"{len(moments) - rows} of {len(moments)} labels have no evidence within "
            f"{history.horizon / DAY:g} days before their time; their risk is unknown, and they are left out"
        )
    early = sum(history.newest is not None and m.at + horizon_days * DAY > history.newest for m in moments)
    if early:
        notes.append(
            f"{early} labels lie less than {horizon_days} days before the newest event: make sure that it was known "
            "whether these customers left"
        )
    if history.undated:
        notes.append(
            f"{history.undated} corrections do not say when they were made (updated_at) and are left out, "
            "or else they could tell what was not known at a label's time"
        )
    if history.refused:
        notes.append(f"{history.refused} records break their contract and are left out")
    return notes


def _judge(
    frame: Frame, y: Floats, times: Ints, horizon_days: int, progress: Progress
) -> tuple[OutOfSample, str, list[str]]:
    if len(np.unique(times)) == 1:
        found = cross_validate(frame, y, SEED, progress)
        return found, describe(len(y)), ["all labels are of one time: judged by cross-validation, not on later ones"]
    folds = time_folds(times, horizon_days * DAY)
    scarce = [fold for fold in folds if not _is_enough(y[fold[0]])]
    notes = []
    if scarce:
        folds = time_folds(times, 0)
        notes.append(
            f"fewer than {horizon_days} days lie between the labels learned from and those predicted: "
            "in earnest the outcome of the former would not have been known yet"
        )
    if any(not _is_enough(y[seen]) for seen, _ in folds):
        raise ConfigError(
            f"the earlier half of the labels has fewer than {MIN_ROWS // 2} or fewer than {MIN_OF_CLASS // 2} of a "
            "class; bring labels from a longer period"
        )
    return _predicted(frame, y, folds, progress), "the later half of the labels, from earlier ones only", notes


def time_folds(times: Ints, apart: int) -> list[tuple[Ints, Ints]]:
    """Rows learned from and rows predicted; at least `apart` ms lie between the times of the two.

    >>> [(seen.tolist(), unseen.tolist()) for seen, unseen in time_folds(np.arange(8), 1)]
    [([0, 1, 2, 3], [4, 5]), ([0, 1, 2, 3, 4, 5], [6, 7])]
    """
    starts = [np.quantile(times, cut, method="higher") for cut in _CUTS[:-1]]
    ends = [*starts[1:], times.max() + 1]
    return [
        (np.flatnonzero((times < start) & (times <= start - apart)), np.flatnonzero((times >= start) & (times < end)))
        for start, end in zip(starts, ends, strict=True)
        if start < end
    ]


def _is_enough(y: Floats) -> bool:
    left = int(y.sum())
    return len(y) >= MIN_ROWS // 2 and min(left, len(y) - left) >= MIN_OF_CLASS // 2


def _predicted(frame: Frame, y: Floats, folds: Sequence[tuple[Ints, Ints]], progress: Progress) -> OutOfSample:
    model, single, base = (np.full(len(y), np.nan) for _ in range(3))
    singles = Counter[str]()
    for number, (seen, unseen) in enumerate(folds, 1):
        fits, new = fit_models(take(frame, seen), y[seen]), take(frame, unseen)
        model[unseen], single[unseen] = fits.model.log_odds(new), fits.single.log_odds(new)
        base[unseen] = np.log(y[seen].mean() / (1.0 - y[seen].mean()))
        singles[fits.single_name] += 1
        progress(number, len(folds) + 1)
    later = ~np.isnan(model)
    if len(np.unique(y[later])) < 2:
        raise ConfigError("the later half of the labels is of one class; bring labels from a longer period")
    return OutOfSample(y[later], model[None, later], single[None, later], base[None, later], singles)
