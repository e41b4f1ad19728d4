"""A replay as commands run it: progress and an account of all records on stderr, the results on stdout."""

import logging
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial

import click
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from streams.importing.progress import LineProgress
from streams.replaying.options import OutputFormat
from streams.replaying.own_topics import own_topics, require_source_topics
from streams.replaying.results import Result, read_results
from streams.replaying.table import table
from streams.runtime.clock import monotonic
from streams.runtime.replay import TopicCounts, replay
from streams.runtime.replay_extent import ReplayExtent, extent_of
from streams.settings import Settings

_ACTIVITY = "counting"

ReportApplied = Callable[[int], None]
"""Receives the number of records that have been applied so far."""


async def replay_source_topics(settings: Settings, keep: bool) -> list[Result] | None:
    """Replay what the source topics hold now, with `settings` of `replay_settings`; None where they hold no record.

    Raises `CxError`.
    """
    require_source_topics(settings)
    extent = await extent_of(settings)
    if not extent.records:
        return None
    with own_topics(settings, keep):
        return await run_replay(settings, extent)


async def run_replay(settings: Settings, extent: ReplayExtent) -> list[Result]:
    """Replay `extent` under settings whose derived topics exist and are empty; the account goes to stderr.

    Raises `CxError` where the worker fails or a topic cannot be read.
    """
    from streams import app  # imports Faust, which takes a while

    logging.getLogger("streams").addHandler(logging.NullHandler())  # an error that ends a replay is raised
    started = monotonic()
    with _progress(extent.records) as report:
        counted = await replay(partial(app.streams, settings), extent, report)
    for line in summary_lines(counted, monotonic() - started):
        click.echo(line, err=True)
    return await read_results(settings)


def summary_lines(counted: Mapping[str, TopicCounts], duration_s: float) -> Iterator[str]:
    """The outcomes of the records of each topic, as lines that add up."""
    for topic, counts in sorted((topic, counts) for topic, counts in counted.items() if counts.received):
        parts = [f"{number:,} {outcome}" for outcome, number in counts.outcomes.items() if number]
        rate = counts.received / duration_s if duration_s else 0.0
        yield f"{topic}: {counts.received:,} received = {' + '.join(parts) or 0} ({rate:,.0f}/s)"
        for reason, number in sorted(counts.reasons.items()):
            yield f"  rejected {number:,}: {reason}"


def print_results(results: Sequence[Result], output_format: OutputFormat) -> None:
    """Write the results to stdout; a table without any answer is a line on stderr instead."""
    if output_format == "ndjson":
        click.get_binary_stream("stdout").writelines(result.raw + b"\n" for result in results)
    elif any(result.score.n for result in results):
        click.echo("\n".join(table(results)))
    else:
        click.echo("no scores: there is no survey, no inbound call and no event of an identified customer", err=True)


@contextmanager
def _progress(records: int) -> Iterator[ReportApplied]:
    started = monotonic()
    if not sys.stderr.isatty():
        lines = LineProgress(sys.stderr, monotonic)
        yield lambda applied: lines.step(_ACTIVITY, applied, applied / records, _rate(applied, started))
        return
    columns = (
        TextColumn(_ACTIVITY),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]:,.0f} events/s"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, transient=True) as bar:
        task = bar.add_task(_ACTIVITY, total=records, rate=0.0)
        yield lambda applied: bar.update(task, completed=applied, rate=_rate(applied, started))


def _rate(applied: int, started: float) -> float:
    return applied / max(monotonic() - started, 1e-6)
