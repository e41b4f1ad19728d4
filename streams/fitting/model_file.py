"""The fitted model as a readable TOML file: every term with its coefficient, where it comes from, how good it is."""

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from streams.fitting.figures import NAMES
from streams.fitting.run import Fitted
from streams.fitting.terms import Factor, From, Is, Ramp, Term

_HEAD = """\
# Churn model fitted by `cxstream fit`.
# risk = 1 / (1 + exp(−log-odds)), log-odds = intercept + the sum of coefficient × product of the factors of each term.
# A factor is 1 or 0: `from` (the number is this or more), `is` (the category is this), `missing` (there is no value);
# or rises from 0 at the first to 1 at the second number of `ramp`. Where a number is missing, `from` and `ramp` are 0.
"""


def write_model(fitted: Fitted, path: Path, today: date) -> None:
    """Write the file whole or not at all. Raises `OSError`."""
    part = path.with_name(path.name + ".part")
    part.write_text(model_text(fitted, today), encoding="utf-8")
    os.replace(part, path)


def model_text(fitted: Fitted, today: date) -> str:
    """The content of the file. Raises `ValueError` when there is no model."""
    if fitted.model is None:
        raise ValueError("there is no model to write")
    lines = ["format = 1", f"intercept = {fitted.model.intercept!r}", ""]
    terms = sorted(fitted.model.terms(), key=lambda pair: -abs(pair[1]))
    return "\n".join([_HEAD, *lines, *provenance(fitted, today), *backtest(fitted), *map(_term, terms)]) + "\n"


def provenance(fitted: Fitted, today: date) -> Iterator[str]:
    """The lines that say what was fitted to, and when."""
    yield "[provenance]"
    yield f"table = {quoted(fitted.table.name)}"
    yield f"sha256 = {quoted(fitted.table.digest)}"
    yield f"fitted_on = {today.isoformat()}"
    yield f"rows = {len(fitted.labels.values)}"
    yield f"left = {int(fitted.labels.values.sum())}"
    yield f"label = {quoted(fitted.labels.column)}"
    yield f"positive = {quoted(fitted.labels.positive)}"
    yield f"columns = [{', '.join(map(quoted, fitted.screened.frame))}]"
    yield f"left_out = [{', '.join(quoted(name) for name, _ in fitted.screened.left_out)}]"
    yield ""


def backtest(fitted: Fitted) -> Iterator[str]:
    """The lines that say how good it was out of sample."""
    found = fitted.figures
    yield "[backtest]"
    yield f"method = {quoted(fitted.method)}"
    yield f"predicted = {found.rows}"
    for name in NAMES:
        yield f"{name} = {getattr(found, name):.4f}"
    yield f"best_single = {quoted(found.best_single)}"
    yield "calibration = ["
    for decile in found.calibration:
        parts = (f"{name} = {value:.4f}" for name, value in decile._asdict().items() if name != "n")
        yield f"  {{ {', '.join(parts)}, n = {decile.n} }},"
    yield "]\n"


def _term(pair: tuple[Term, float]) -> str:
    term, coefficient = pair
    factors = ", ".join(f"{{ column = {quoted(factor.column)}, {condition(factor)} }}" for factor in term)
    return f"[[terms]]\ncoefficient = {coefficient!r}\nfactors = [{factors}]\n"


def condition(factor: Factor) -> str:
    """A factor as a key and its value, without its column."""
    if isinstance(factor, From):
        return f"from = {factor.at!r}"
    if isinstance(factor, Ramp):
        return f"ramp = [{factor.low!r}, {factor.high!r}]"
    return f"is = {quoted(factor.level)}" if isinstance(factor, Is) else "missing = true"


def quoted(text: str) -> str:
    """A text as TOML writes it."""
    # JSON's strings are TOML's too, but for DEL
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
