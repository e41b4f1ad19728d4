"""A fit to labels as the model file that a worker reads."""

import os
from datetime import date
from pathlib import Path

import numpy as np
from scipy.special import expit

from streams.core.churn.model_file import FORMAT, parse_model
from streams.fitting.model_file import backtest, condition, provenance, quoted
from streams.fitting.run import Fitted
from streams.fitting.terms import Term

_HEAD = """\
# Churn model fitted by `cxstream fit` to labelled customers. Name it in cxstream.toml: [risk] model = "FILE".
# risk = 1 / (1 + exp(−log-odds)), log-odds = intercept + the sum of coefficient × product of the factors of each term.
# A factor is 1 or 0: `from` (the feature is this or more), `missing` (it is not known); or rises from 0 at the first to
# 1 at the second number of `ramp`. docs/churn.md lists the features. Bands: of the labelled customers a tenth is high,
# three tenths are medium or high.
"""
_MEDIUM, _HIGH = 0.7, 0.9


def write_stream_model(fitted: Fitted, path: Path, today: date, horizon_days: int) -> None:
    """Write the file whole or not at all. Raises `OSError`."""
    part = path.with_name(path.name + ".part")
    part.write_text(stream_model_text(fitted, today, horizon_days), encoding="utf-8")
    os.replace(part, path)


def stream_model_text(fitted: Fitted, today: date, horizon_days: int) -> str:
    """The content of the file, as `parse_model` reads it. Raises `ValueError` when there is no model."""
    if fitted.model is None:
        raise ValueError("there is no model to write")
    medium, high = _bands(fitted)
    terms = sorted(fitted.model.terms(), key=lambda pair: -abs(pair[1]))
    source = f"fitted to {fitted.table.name} on {today.isoformat()}"
    lines = [
        f"format = {FORMAT}",
        f'version = "fitted-{today.isoformat()}-{fitted.table.digest[:8]}"',
        f"horizon_days = {horizon_days}",
        f"base_rate = {fitted.labels.values.mean():.6f}",
        f"intercept = {fitted.model.intercept!r}",
        "",
        f"[bands]\nmedium = {medium!r}\nhigh = {high!r}\n",
    ]
    parts = [*lines, *provenance(fitted, today), *backtest(fitted), *(_term(pair, source) for pair in terms)]
    text = "\n".join([_HEAD, *parts]) + "\n"
    parse_model(text)
    return text


def _bands(fitted: Fitted) -> tuple[float, float]:
    if fitted.model is None:
        raise ValueError("there is no model")
    risks = expit(fitted.model.log_odds(fitted.screened.frame))
    medium, high = (round(float(np.quantile(risks, q)), 6) for q in (_MEDIUM, _HIGH))
    high = min(max(high, 0.000_002), 0.999_999)
    return (medium if 0 < medium < high else high / 2), high


def _term(pair: tuple[Term, float], source: str) -> str:
    term, coefficient = pair
    factors = ", ".join(f"{{ feature = {quoted(factor.column)}, {condition(factor)} }}" for factor in term)
    return f"[[terms]]\ncoefficient = {coefficient!r}\nfactors = [{factors}]\nprovenance = {quoted(source)}\n"
