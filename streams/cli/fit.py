"""`cxstream fit`: a churn model from customers of whom one knows who left."""

import hashlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Literal

import click

from streams.cli.options import settings_option
from streams.errors import ConfigError
from streams.settings import Settings

DEFAULT_OUT = "churn-model.toml"
_EVERY = 5.0
_PATH = click.Path(path_type=Path)
Form = Literal["text", "json"]


@dataclass(frozen=True)
class _Output:
    """Where the model goes, and how the report is written."""

    target: Path
    form: Form


@click.command("fit")
@click.argument("labels", required=False, type=_PATH)
@click.option(
    "--events", multiple=True, metavar="[TOPIC=]FILE", help="Records of a source topic as NDJSON; repeatable."
)
@click.option("--from", "store", type=click.Choice(["clickhouse"]), help="Take the events from clickhouse.url.")
@click.option("--horizon", type=click.IntRange(1, 3650), default=30, help="Days after a label's time.  [default: 30]")
@click.option("--table", "path", metavar="FILE", type=_PATH, help="Or: CSV or TSV, plain or .gz, one row per customer.")
@click.option("--label", metavar="COLUMN", help="With --table: the column that says who left.")
@click.option("--positive", metavar="VALUE", help="The label that means: has left.  [default: told by yes, true, 1 …]")
@click.option("--drop", metavar="COLUMN,…", multiple=True, help="Columns or features not to learn from.")
@click.option("--id", "id_column", metavar="COLUMN", help="The customer's identifier: not learned from, and unique.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="[default: text]")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Model file to write.  [default: {DEFAULT_OUT}, or {DEFAULT_OUT.replace('.', '-2.')} …]",
)
@click.option("--force", is_flag=True, help="Replace the model file when it exists.")
@settings_option
def command(
    labels: Path | None,
    events: tuple[str, ...],
    store: str | None,
    horizon: int,
    path: Path | None,
    label: str | None,
    positive: str | None,
    drop: tuple[str, ...],
    id_column: str | None,
    form: Form,
    out: Path | None,
    force: bool,
    settings: Settings,
) -> None:
    r"""Learn who leaves, say how well out of sample, and write the model to a file.

    LABELS is CSV or NDJSON with the columns customer, time (with its zone) and churned (1: left within
    --horizon days). What was known of each customer at that time is built from events, as a worker does it, and
    the file is a model for it (risk.model). With --table it is any table instead, one row per customer.
    When nothing tells who left, it says so and writes no model. See docs/fitting.md.

    \b
    Examples:
      cxstream fit labels.csv --from clickhouse
      cxstream fit labels.csv --events cx.calls.v1=calls.ndjson --events cx.surveys.v1=surveys.ndjson
      cxstream fit --table customers.csv --label churned
      cxstream fit --table customers.csv.gz --label "Churn?" --id phone --drop "closed on,reason" --format json
    """
    if find_spec("sklearn") is None:
        raise ConfigError("fitting needs scikit-learn: install cxstream[fit]")
    _refuse_mixture(labels, path, label, bool(events), store)
    output = _Output(_target(out, force), form)
    if labels is not None:
        _fit_labels(labels, events, horizon, _split(drop, ()), settings, output)
    elif path is not None and label is not None:
        _fit_table(path, label, positive, drop, id_column, output)


def _refuse_mixture(
    labels: Path | None, table: Path | None, label: str | None, events: bool, store: str | None
) -> None:
    if (labels is None) == (table is None):
        raise ConfigError("give LABELS with times, or --table FILE with --label COLUMN; see cxstream fit --help")
    if table is not None and label is None:
        raise ConfigError("--table: which column says who left? Name it with --label COLUMN")
    if table is not None and (events or store):
        raise ConfigError("--events and --from go with LABELS; a table holds what is to be learned from")
    if labels is not None and events == (store is not None):
        raise ConfigError("where are the events? Give --from clickhouse, or --events FILE for each source topic")


def _fit_labels(
    labels: Path, events: tuple[str, ...], days: int, drop: tuple[str, ...], settings: Settings, output: _Output
) -> None:
    from streams.fitting import report
    from streams.fitting.history import from_clickhouse, from_files
    from streams.fitting.stream_fit import fit_labels
    from streams.fitting.stream_model import write_stream_model
    from streams.fitting.timed_labels import read_moments

    moments, kept = read_moments(labels), settings.seconds("ledger.horizon") * 1000
    customers = {moment.customer for moment in moments}
    history = from_files(events, kept) if events else from_clickhouse(settings.clickhouse.url, customers, kept)
    digest = hashlib.sha256(labels.read_bytes()).hexdigest()
    fitted = fit_labels(labels, digest, moments, history, days, drop, _progress())
    written = output.target if fitted.model else None
    if written:
        _explained(lambda: write_stream_model(fitted, written, datetime.now(UTC).date(), days), written)
    click.echo(report.as_json(fitted, written) if output.form == "json" else report.as_text(fitted, written))


def _fit_table(
    path: Path, label: str, positive: str | None, drop: tuple[str, ...], id_column: str | None, output: _Output
) -> None:
    from streams.fitting import model_file, report
    from streams.fitting.run import Request, fit_table
    from streams.fitting.table import read_table

    table = read_table(path)
    request = Request(label, positive, _split(drop, table.header), id_column)
    fitted = fit_table(table, request, _progress())
    written = output.target if fitted.model else None
    if written:
        _explained(lambda: model_file.write_model(fitted, written, datetime.now(UTC).date()), written)
    click.echo(report.as_json(fitted, written) if output.form == "json" else report.as_text(fitted, written))


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


def _split(drop: tuple[str, ...], header: tuple[str, ...]) -> tuple[str, ...]:
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
