"""`cxstream fit`: a churn model from labels with times, or a table model from a table of customers."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from streams.cli.options import settings_option
from streams.errors import ConfigError
from streams.settings import Settings

if TYPE_CHECKING:
    from streams.fitting.fitted import Fitted

CHURN_MODEL, TABLE_MODEL = "churn-model.toml", "table-model.toml"
_PROGRESS_INTERVAL_S = 5.0
_PATH = click.Path(path_type=Path)
_MODEL_PATH = click.Path(dir_okay=False, path_type=Path)
Format = Literal["text", "json"]


@dataclass(frozen=True)
class _Output:
    """Where the model goes, and the format of the report."""

    target: Path
    format: Format


@click.command("fit")
@click.argument("labels", required=False, type=_PATH)
@click.option(
    "--events", multiple=True, metavar="[TOPIC=]FILE", help="Records of a source topic as NDJSON; repeatable."
)
@click.option("--from", "store", type=click.Choice(["clickhouse"]), help="Take the events from clickhouse.url.")
@click.option(
    "--horizon",
    "horizon_days",
    type=click.IntRange(1, 3650),
    default=30,
    help="Days after a label's time.  [default: 30]",
)
@click.option("--table", metavar="FILE", type=_PATH, help="Or: CSV or TSV, plain or .gz, one row per customer.")
@click.option("--label", metavar="COLUMN", help="With --table: the column that says who left.")
@click.option(
    "--positive",
    metavar="VALUE",
    help="The label value of a customer who left.  [default: detected, such as yes, true, 1]",
)
@click.option("--drop", metavar="COLUMN,…", multiple=True, help="Columns or features not to learn from.")
@click.option("--id", "id_column", metavar="COLUMN", help="The customer's identifier: not learned from, and unique.")
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", help="[default: text]")
@click.option(
    "--out", type=_MODEL_PATH, help=f"File of the model.  [default: {CHURN_MODEL}, with --table {TABLE_MODEL}]"
)
@click.option("--force", is_flag=True, help="Replace the file of the model when it exists.")
@settings_option
def command(
    labels: Path | None,
    events: tuple[str, ...],
    store: str | None,
    horizon_days: int,
    table: Path | None,
    label: str | None,
    positive: str | None,
    drop: tuple[str, ...],
    id_column: str | None,
    output_format: Format,
    out: Path | None,
    force: bool,
    settings: Settings,
) -> None:
    r"""Learn who leaves, say how well out of sample, and write the model to a file.

    LABELS is CSV or NDJSON with the columns customer, time (with its zone) and churned (1: left within
    --horizon days). The features of each customer at that time are computed from events, as in a worker.
    The file is a churn model, which a worker reads (risk.model).

    --table FILE is any table, one row per customer. The file is a table model, which describes that table;
    a worker refuses it.

    When there is no signal, the command says so and writes no model. See docs/fitting.md.

    \b
    Examples:
      cxstream fit labels.csv --from clickhouse
      cxstream fit labels.csv --events cx.calls.v1=calls.ndjson --events cx.surveys.v1=surveys.ndjson
      cxstream fit --table customers.csv --label churned
      cxstream fit --table customers.csv.gz --label "Churn?" --id phone --drop "closed on,reason" --format json
    """
    if find_spec("sklearn") is None:
        raise ConfigError("fitting needs scikit-learn: install cxstream[fit]")
    _refuse_mixture(labels, table, label, bool(events), store)
    output = _Output(_target(out, CHURN_MODEL if table is None else TABLE_MODEL, force), output_format)
    if labels is not None:
        _fit_labels(labels, events, horizon_days, _split(drop, ()), settings, output)
    elif table is not None and label is not None:
        _fit_table(table, label, positive, drop, id_column, output)


def _refuse_mixture(
    labels: Path | None, table: Path | None, label: str | None, has_events: bool, store: str | None
) -> None:
    if (labels is None) == (table is None):
        raise ConfigError("give LABELS with times, or --table FILE with --label COLUMN; see cxstream fit --help")
    if table is not None and label is None:
        raise ConfigError("--table: which column says who left? Name it with --label COLUMN")
    if table is not None and (has_events or store):
        raise ConfigError("--events and --from go with LABELS; a table holds all that is learned from")
    if labels is not None and has_events == (store is not None):
        raise ConfigError("where are the events? Give --from clickhouse, or --events FILE for each source topic")


def _fit_labels(
    path: Path, events: tuple[str, ...], horizon_days: int, drop: tuple[str, ...], settings: Settings, output: _Output
) -> None:
    from streams.fitting.churn_model_writer import write_churn_model
    from streams.fitting.history import from_clickhouse, from_files
    from streams.fitting.label_fit import LabelRequest, fit_labels
    from streams.fitting.timed_labels import read_timed_labels

    labels, evidence_ms = read_timed_labels(path), settings.seconds("ledger.horizon") * 1000
    customers = {label.customer for label in labels}
    history = (
        from_files(events, evidence_ms) if events else from_clickhouse(settings.clickhouse.url, customers, evidence_ms)
    )
    fitted = fit_labels(path, labels, history, LabelRequest(horizon_days, drop), _progress())
    _write_and_report(
        fitted, output, "churn model", lambda path, today: write_churn_model(fitted, path, today, horizon_days)
    )


def _fit_table(
    path: Path, label: str, positive: str | None, drop: tuple[str, ...], id_column: str | None, output: _Output
) -> None:
    from streams.fitting.table import read_table
    from streams.fitting.table_fit import TableRequest, fit_table
    from streams.fitting.table_model_writer import write_table_model

    table = read_table(path)
    fitted = fit_table(table, TableRequest(label, positive, _split(drop, table.header), id_column), _progress())
    _write_and_report(fitted, output, "table model", lambda path, today: write_table_model(fitted, path, today))


def _write_and_report(fitted: "Fitted", output: _Output, kind: str, write: Callable[[Path, date], None]) -> None:
    from streams.fitting import report

    written = output.target if fitted.model else None
    if written:
        try:
            write(written, datetime.now(UTC).date())
        except OSError as error:
            raise ConfigError(f"{written}: {error.strerror or error}; the {kind} was not written") from None
    click.echo(report.as_json(fitted, written) if output.format == "json" else report.as_text(fitted, kind, written))


def _target(out: Path | None, default: str, force: bool) -> Path:
    """The file to write, checked before the work begins: it can be created, or `force` allows to replace it."""
    if out is None:
        names = (Path(default if n == 1 else default.replace(".", f"-{n}.")) for n in count(1))
        out = Path(default) if force else next(name for name in names if not name.exists())
    if out.exists() and not force:
        raise ConfigError(f"{out}: exists already; --force replaces it, --out FILE names another")
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise ConfigError(f"{out.parent}: not a folder that can be written to; create it, or name another with --out")
    return out


def _split(drop: tuple[str, ...], header: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of all --drop; a comma separates them, unless it is part of a column's name."""
    return tuple(name for text in drop for name in ([text] if text in header else text.split(",")) if name.strip())


def _progress() -> Callable[[int, int], None]:
    """Show progress on stderr: on a terminal one line that counts up, elsewhere a line every few seconds."""
    is_terminal, due_s = sys.stderr.isatty(), [time.monotonic() + _PROGRESS_INTERVAL_S]

    def show(done: int, total: int) -> None:
        if is_terminal:
            click.echo(f"\rfitting: {done} of {total}" if done < total else "\r\x1b[K", nl=False, err=True)
        elif time.monotonic() >= due_s[0]:
            due_s[0] = time.monotonic() + _PROGRESS_INTERVAL_S
            click.echo(f"fitting: {done} of {total}", err=True)

    return show
