"""The parts that the files of table models and of churn models have in common, as TOML."""

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from streams.core.churn.terms import From, Missing, Ramp
from streams.fitting.evaluation import METRICS
from streams.fitting.factors import ColumnFactor, Is
from streams.fitting.fitted import Fitted
from streams.fitting.table_model import TableModel, TableTerm


def write_whole(path: Path, text: str) -> None:
    """Write the file whole or not at all. Raises `OSError`."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)


def model_of(fitted: Fitted) -> TableModel:
    """The model of a fit. Raises `ValueError` when there is none."""
    if fitted.model is None:
        raise ValueError("there is no model to write")
    return fitted.model


def strongest_first(model: TableModel) -> list[TableTerm]:
    """The terms in the order of the file: by the size of their coefficients."""
    return sorted(model.terms(), key=lambda term: -abs(term.coefficient))


def provenance_lines(fitted: Fitted, today: date) -> Iterator[str]:
    """What the model was fitted to, and when."""
    yield "[provenance]"
    yield f"table = {quoted(fitted.source.name)}"
    yield f"sha256 = {quoted(fitted.source.sha256)}"
    yield f"fitted_on = {today.isoformat()}"
    yield f"rows = {len(fitted.labels.values)}"
    yield f"left = {int(fitted.labels.values.sum())}"
    yield f"label = {quoted(fitted.labels.column)}"
    yield f"positive = {quoted(fitted.labels.positive)}"
    yield f"columns = [{', '.join(map(quoted, fitted.screened.frame))}]"
    yield f"left_out = [{', '.join(quoted(name) for name, _ in fitted.screened.left_out)}]"
    yield ""


def backtest_lines(fitted: Fitted) -> Iterator[str]:
    """How good the predictions were out of sample."""
    evaluation = fitted.evaluation
    yield "[backtest]"
    yield f"method = {quoted(fitted.method)}"
    yield f"predicted = {evaluation.rows}"
    for name in METRICS:
        yield f"{name} = {getattr(evaluation, name):.4f}"
    yield f"best_single = {quoted(evaluation.best_single)}"
    yield "calibration = ["
    for decile in evaluation.calibration:
        values = (f"{name} = {value:.4f}" for name, value in decile._asdict().items() if name != "n")
        yield f"  {{ {', '.join(values)}, n = {decile.n} }},"
    yield "]\n"


def term_lines(term: TableTerm, key: str) -> Iterator[str]:
    """A term; `key` is what the file calls the name of a factor's column."""
    factors = ", ".join(f"{{ {key} = {quoted(factor.feature)}, {_condition(factor)} }}" for factor in term.factors)
    yield "[[terms]]"
    yield f"coefficient = {term.coefficient!r}"
    yield f"factors = [{factors}]"


def _condition(factor: ColumnFactor) -> str:
    match factor:
        case From(_, at):
            return f"from = {at!r}"
        case Ramp(_, low, high):
            return f"ramp = [{low!r}, {high!r}]"
        case Is(_, level):
            return f"is = {quoted(level)}"
        case Missing():
            return "missing = true"


def quoted(text: str) -> str:
    """A text as TOML writes it."""
    # a JSON string is a TOML string, except for DEL
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
