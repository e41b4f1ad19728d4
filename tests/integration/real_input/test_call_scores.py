"""The bank's calls through both stages, against what its log says when read with nothing but the standard library."""

import json
import math
import statistics
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import scipy.stats

from schemas.catalogue import CALLS
from tests.integration.real_input import readers
from tests.reference.events import Arrival, Event, decode
from tests.support.stream import Stage1, everything, new_windows, panes_of, record_of, settings_with

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("calls")]

SETTINGS = settings_with(
    app={"mode": "replay"},
    kafka={"partitions": 1},
    windows={"lengths": ["30d"], "cuts": ["total", "queue", "segment"]},
    lateness={"allowance": "30d"},
    ledger={"horizon": "31d"},
    risk={"enabled": False},
)
CELLS = [("total", "all"), ("queue", "PS"), ("queue", "NE"), ("queue", "IN"), ("segment", "priority")]

each_cell = pytest.mark.parametrize(("cut", "cell"), CELLS, ids=[cell for _, cell in CELLS])


@cache
def bank() -> list[dict[str, Any]]:
    return readers.calls()


def arrivals() -> list[Arrival]:
    payloads = [json.dumps(call | {"event_id": call["record_id"]}).encode() for call in bank()]
    known = [Arrival(CALLS.name, 0, offset, 2**42, payload) for offset, payload in enumerate(payloads)]
    [newest] = [event.time for event in [decode(known[-1])] if isinstance(event, Event)]
    return [Arrival(CALLS.name, 0, a.offset, newest, a.payload) for a in known]


@cache
def streamed() -> dict[tuple[str, str, str], dict[str, Any]]:
    log, stage, windows, outputs = arrivals(), Stage1(0, SETTINGS), new_windows(SETTINGS), []
    newest = log[-1].arrival_ms
    for first in range(0, len(log), 4_000):
        chunk = [record_of(arrival) for arrival in log[first : first + 4_000]]
        assert stage.take(CALLS.name, chunk, newest) == len(chunk)
        outputs += stage.checkpoint()
    for pane in panes_of(outputs, SETTINGS):
        windows.apply(pane)
    windows.advance(newest)
    return {(row["score"], row["cut"], row["cell"]): row for row in everything(windows)}


def calls_of(cut: str, cell: str, outcome: str) -> Iterator[dict[str, Any]]:
    return (c for c in bank() if c["outcome"] == outcome and (cut == "total" or c.get(cut) == cell))


def number(cut: str, cell: str, outcome: str) -> int:
    return sum(1 for _ in calls_of(cut, cell, outcome))


def seconds(cut: str, cell: str, outcome: str, field: str) -> list[float]:
    return [call[field] for call in calls_of(cut, cell, outcome) if call[field] >= 0]


@each_cell
def test_offered_and_abandoned_are_the_rows_of_the_log(cut: str, cell: str) -> None:
    answered, abandoned, menu = (number(cut, cell, outcome) for outcome in ("answered", "abandoned", "menu"))
    short = len([wait for wait in seconds(cut, cell, "abandoned", "wait") if wait <= 5])
    offered, abandonment = streamed()["offered", cut, cell], streamed()["abandonment", cut, cell]
    assert offered["counts"] == {"answered": answered, "abandoned": abandoned, "menu": menu, "short_abandoned": short}
    assert (offered["value"], offered["n"]) == (answered + abandoned, answered + abandoned + menu)
    assert abandonment["value"] == pytest.approx(abandoned / (answered + abandoned), abs=1e-6)
    assert (abandonment["lower"], abandonment["upper"]) == pytest.approx(
        wilson(abandoned, answered + abandoned), abs=1e-6
    )


@each_cell
@pytest.mark.parametrize(
    ("score", "field", "sum_of"), [("speed_of_answer", "wait", "wait_ms"), ("handle_time", "talk", "talk_ms")]
)
def test_times_are_the_means_and_percentiles_of_the_log(
    cut: str, cell: str, score: str, field: str, sum_of: str
) -> None:
    times, row = seconds(cut, cell, "answered", field), streamed()[score, cut, cell]
    mean, error = statistics.fmean(times), statistics.stdev(times) / math.sqrt(len(times))
    interval = scipy.stats.t.interval(0.95, len(times) - 1, loc=mean, scale=error)
    assert (row["n"], row["value"]) == (len(times), pytest.approx(mean, abs=1e-6))
    assert (row["lower"], row["upper"]) == pytest.approx(interval, abs=1e-5)
    assert row["counts"][sum_of] == 1000 * sum(times)
    ranked = sorted(times)
    for percent in (50, 90):
        exact = 1000 * ranked[math.ceil(len(ranked) * percent / 100) - 1]
        assert row["counts"][f"p{percent}_ms"] == pytest.approx(exact, rel=0.01)


@each_cell
def test_the_service_level_and_the_short_calls_are_shares_of_the_log(cut: str, cell: str) -> None:
    waits, talks = (seconds(cut, cell, "answered", field) for field in ("wait", "talk"))
    after = len([wait for wait in seconds(cut, cell, "abandoned", "wait") if wait > 20])
    level, short = streamed()["service_level", cut, cell], streamed()["short_calls", cut, cell]
    within = len([wait for wait in waits if wait <= 20])
    assert (level["n"], level["value"]) == (len(waits) + after, pytest.approx(within / (len(waits) + after), abs=1e-6))
    assert short["counts"] == {"short": len([talk for talk in talks if talk < 10])}
    assert short["n"] == len(talks)


def test_the_bank_records_no_transfers_and_no_hold() -> None:
    transfers = streamed()["transfers", "total", "all"]
    answered = streamed()["offered", "total", "all"]["counts"]["answered"]
    assert (transfers["value"], transfers["n"]) == (None, 0)
    assert transfers["counts"] == {"transferred": 0, "transfers": 0, "unknown": answered}
    counts = streamed()["handle_time", "total", "all"]["counts"]
    assert (counts["hold_ms"], counts["after_call_ms"]) == (0, 0)
    assert not any(name.startswith(("hold_p", "after_call_p")) for name in counts)


def wilson(hits: int, n: int) -> tuple[float, float]:
    interval = scipy.stats.binomtest(hits, n).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)
