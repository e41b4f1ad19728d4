"""The file of a table model (format 1): readable TOML with its terms, where they come from, and how good it is."""

from datetime import date
from pathlib import Path

from streams.fitting.fitted import Fitted
from streams.fitting.model_toml import (
    backtest_lines,
    model_of,
    provenance_lines,
    strongest_first,
    term_lines,
    write_whole,
)

FORMAT = 1

_HEAD = """\
# Table model fitted by `cxstream fit --table`. It describes one table; a worker reads a churn model instead.
# risk = 1 / (1 + exp(−log-odds)), log-odds = intercept + the sum of coefficient × product of the factors of each term.
# A factor is 1 or 0: `from` (the number is this or more), `is` (the category is this), `missing` (there is no value).
# A `ramp` rises from 0 at its first number to 1 at its second. Where a number is missing, `from` and `ramp` are 0.
"""


def write_table_model(fitted: Fitted, path: Path, today: date) -> None:
    """Write the file whole or not at all. Raises `OSError`."""
    write_whole(path, table_model_text(fitted, today))


def table_model_text(fitted: Fitted, today: date) -> str:
    """The content of the file. Raises `ValueError` when there is no model."""
    model = model_of(fitted)
    head = [_HEAD, f"format = {FORMAT}", f"intercept = {model.intercept!r}", ""]
    terms = ["\n".join([*term_lines(term, "column"), ""]) for term in strongest_first(model)]
    return "\n".join([*head, *provenance_lines(fitted, today), *backtest_lines(fitted), *terms]) + "\n"
