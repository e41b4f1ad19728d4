"""A replay as commands run it: progress on stderr, the account of all records, the results from the topic."""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

import click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from streams.importing.progress import Lines
from streams.replaying.options import ReplayOptions
from streams.replaying.results import Result, only, read_results, table
from streams.runtime.clock import monotonic
from streams.runtime.replay import ReplayExtent, TopicCounts, replay
from streams.settings import Settings

DOING = "counting"


Report = Callable[[int], None]
"""Is told how many records have been applied."""


async def run_replay(settings: Settings, extent: ReplayExtent) -> list[Result]:
    """Replay `extent` under settings whose derived topics exist and are empty; the account goes to stderr.

    Raises `CxError`: what the worker fails with, and what the topics refuse.
    """
    from streams import app  # imports Faust, which takes a while

    logging.getLogger("streams").addHandler(logging.NullHandler())  # what ends a replay is raised
    began = monotonic()
    with _progress(extent.records) as report:
        counted = await replay(partial(app.streams, settings), extent, report)
    for line in summary_lines(counted, monotonic() - began):
        click.echo(line, err=True)
    return await read_results(settings)


def summary_lines(counted: Mapping[str, TopicCounts], seconds: float) -> Iterator[str]:
    """What became of the records of each topic, as lines that add up."""
    for topic, one in sorted((topic, one) for topic, one in counted.items() if one.received):
        parts = [f"{number:,} {outcome}" for outcome, number in one.outcomes.items() if number]
        rate = one.received / seconds if seconds else 0.0
        yield f"{topic}: {one.received:,} received = {' + '.join(parts) or 0} ({rate:,.0f}/s)"
        for reason, number in sorted(one.reasons.items()):
            yield f"  rejected {number:,}: {reason}"


def show(results: list[Result], wanted: ReplayOptions) -> None:
    """Put the wanted scores on stdout, in the wanted form."""
    shown = only(results, wanted.scores)
    if wanted.form == "ndjson":
        out = click.get_binary_stream("stdout")
        out.writelines(result.raw + b"\n" for result in shown)
    elif any(result.score.n for result in shown):
        click.echo("\n".join(table(shown)))
    else:
        click.echo("no scores: no event here is a survey, an inbound call or of a known customer", err=True)


@contextmanager
def _progress(records: int) -> Iterator[Report]:
    began = monotonic()
    if not sys.stderr.isatty():
        lines = Lines(sys.stderr, monotonic)
        yield lambda applied: lines.step(DOING, applied, applied / records, _rate(applied, began))
        return
    columns = (
        TextColumn(DOING),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]:,.0f} events/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task(DOING, total=records, rate=0.0)
        yield lambda applied: bar.update(task, completed=applied, rate=_rate(applied, began))


def _rate(applied: int, began: float) -> float:
    return applied / max(monotonic() - began, 1e-6)
