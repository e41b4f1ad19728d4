"""`cxstream fit`: a churn model from a table of customers of whom one knows who left."""

import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Literal

import click

from streams.errors import ConfigError

DEFAULT_OUT = "churn-model.toml"
_EVERY = 5.0


@click.command("fit")
@click.option(
    "--table",
    "path",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path),
    help="CSV or TSV, plain or .gz, one row per customer.",
)
@click.option("--label", metavar="COLUMN", required=True, help="The column that says who left.")
@click.option("--positive", metavar="VALUE", help="The label that means: has left.  [default: told by yes, true, 1 …]")
@click.option("--drop", metavar="COLUMN,…", multiple=True, help="Columns not to learn from.")
@click.option("--id", "id_column", metavar="COLUMN", help="The customer's identifier: not learned from, and unique.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="[default: text]")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Model file to write.  [default: {DEFAULT_OUT}, or {DEFAULT_OUT.replace('.', '-2.')} …]",
)
@click.option("--force", is_flag=True, help="Replace the model file when it exists.")
def command(
    path: Path,
    label: str,
    positive: str | None,
    drop: tuple[str, ...],
    id_column: str | None,
    form: Literal["text", "json"],
    out: Path | None,
    force: bool,
) -> None:
    r"""Learn from a table who leaves, say how well out of sample, and write the model to a file.

    One row per customer: numbers and categories as known before the customer could leave, and a label.
    When the columns do not tell who left, it says so and writes no model. See docs/fitting.md.

    \b
    Examples:
      cxstream fit --table customers.csv --label churned
      cxstream fit --table customers.csv.gz --label "Churn?" --id phone --drop "closed on,reason" --format json
    """
    if find_spec("sklearn") is None:
        raise ConfigError("fitting needs scikit-learn: install cxstream[fit]")
    from streams.cli.fitting import model_file, report
    from streams.cli.fitting.run import Request, fit_table
    from streams.cli.fitting.table import read_table

    target = _target(out, force)
    table = read_table(path)
    request = Request(label, positive, _names(drop, table.header), id_column)
    fitted = fit_table(table, request, _progress())
    written = target if fitted.model else None
    if written:
        _explained(lambda: model_file.write_model(fitted, written, datetime.now(UTC).date()), written)
    click.echo(report.as_json(fitted, written) if form == "json" else report.as_text(fitted, written))


def _target(out: Path | None, force: bool) -> Path:
    """Where the model goes, known to be free before the work begins."""
    if out is None:
        names = (Path(DEFAULT_OUT if n == 1 else DEFAULT_OUT.replace(".", f"-{n}.")) for n in count(1))
        out = Path(DEFAULT_OUT) if force else next(name for name in names if not name.exists())
    if out.exists() and not force:
        raise ConfigError(f"{out}: is there already; --force replaces it, --out FILE names another")
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise ConfigError(f"{out.parent}: no folder one can write to; create it or name another with --out")
    return out


def _names(drop: tuple[str, ...], header: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of all --drop; a comma separates them, unless it is part of a column's name."""
    return tuple(name for text in drop for name in ([text] if text in header else text.split(",")) if name.strip())


def _explained(write: Callable[[], None], path: Path) -> None:
    try:
        write()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; the model was not written") from None


def _progress() -> Callable[[int, int], None]:
    """On a terminal one line that counts up, elsewhere a line every few seconds; on stderr."""
    terminal, due = sys.stderr.isatty(), [time.monotonic() + _EVERY]

    def tell(done: int, total: int) -> None:
        if terminal:
            click.echo(f"\rfitting: {done} of {total}" if done < total else "\r\x1b[K", nl=False, err=True)
        elif time.monotonic() >= due[0]:
            due[0] = time.monotonic() + _EVERY
            click.echo(f"fitting: {done} of {total}", err=True)

    return tell
