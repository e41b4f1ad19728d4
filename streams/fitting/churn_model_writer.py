"""The file of a churn model (format 2), which a worker reads, from a fit to labels."""

from datetime import date
from pathlib import Path

import numpy as np
from scipy.special import expit

from streams.core.churn.churn_model_file import FORMAT, parse_churn_model
from streams.fitting.fitted import Fitted
from streams.fitting.model_toml import (
    backtest_lines,
    model_of,
    provenance_lines,
    quoted,
    strongest_first,
    term_lines,
    write_whole,
)

_HEAD = """\
# Churn model fitted by `cxstream fit LABELS`. To use it, name it in cxstream.toml: [risk] model = "FILE".
# risk = 1 / (1 + exp(−log-odds)), log-odds = intercept + the sum of coefficient × product of the factors of each term.
# A factor is 1 or 0: `from` (the feature is this or more), `missing` (the feature is unknown). A `ramp` rises from 0 at
# its first number to 1 at its second. docs/churn.md lists the features.
# Bands: of the labelled customers a tenth is high, and three tenths are medium or high.
"""
_MEDIUM_QUANTILE, _HIGH_QUANTILE = 0.7, 0.9


def write_churn_model(fitted: Fitted, path: Path, today: date, horizon_days: int) -> None:
    """Write the file whole or not at all. Raises `OSError`."""
    write_whole(path, churn_model_text(fitted, today, horizon_days))


def churn_model_text(fitted: Fitted, today: date, horizon_days: int) -> str:
    """The content of the file, as `parse_churn_model` reads it. Raises `ValueError` when there is no model."""
    model = model_of(fitted)
    medium, high = _bands(fitted)
    head = [
        f"format = {FORMAT}",
        f'version = "fitted-{today.isoformat()}-{fitted.source.sha256[:8]}"',
        f"horizon_days = {horizon_days}",
        f"base_rate = {fitted.labels.values.mean():.6f}",
        f"intercept = {model.intercept!r}",
        "",
        f"[bands]\nmedium = {medium!r}\nhigh = {high!r}\n",
    ]
    source = f"provenance = {quoted(f'fitted to {fitted.source.name} on {today.isoformat()}')}"
    terms = ["\n".join([*term_lines(term, "feature"), source, ""]) for term in strongest_first(model)]
    text = "\n".join([_HEAD, *head, *provenance_lines(fitted, today), *backtest_lines(fitted), *terms]) + "\n"
    parse_churn_model(text)
    return text


def _bands(fitted: Fitted) -> tuple[float, float]:
    """The least risk of the bands medium and high."""
    risks = expit(model_of(fitted).log_odds(fitted.screened.frame))
    medium, high = (round(float(np.quantile(risks, q)), 6) for q in (_MEDIUM_QUANTILE, _HIGH_QUANTILE))
    high = min(max(high, 0.000_002), 0.999_999)
    return (medium if 0 < medium < high else high / 2), high
