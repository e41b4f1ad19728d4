"""A demo shows the topic of scores and the /metrics of the workers."""

import io
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from rich.console import Console
from rich.table import Table

from schemas.score import Score
from streams.core.statistics.intervals import adjusted_wald_nps
from streams.local.demonstration.scores import Scores
from streams.local.demonstration.screen import LineScreen, View, outcomes, pace
from streams.local.demonstration.table import Row, points, table
from streams.local.demonstration.worker_metrics import WorkerMetrics
from streams.settings import Settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def nps(cell: str, window: str, promoters: int, passives: int, detractors: int) -> Score:
    n = promoters + passives + detractors
    lower, upper = adjusted_wald_nps(promoters, detractors, n) if n else (None, None)
    return Score(
        score="nps", cut="total" if cell == "all" else "touchpoint", cell=cell, window=window, start=NOW, end=NOW,
        value=100 * (promoters - detractors) / n if n else None, lower=lower, upper=upper, n=n, unit="points",
        counts={"promoters": promoters, "passives": passives, "detractors": detractors}, revision=n, final=False,
        last_event=NOW - timedelta(seconds=7),
    )  # fmt: skip


def scores(*records: Score) -> Scores:
    known = Scores()
    for record in records:
        known.add(msgspec.json.encode(record))
    return known


def view(known: Scores, metrics: WorkerMetrics) -> View:
    return View(NOW, known, metrics, "5m", "live", 61.4, 100)


def text(rendered: Table, width: int = 130) -> str:
    out = io.StringIO()
    Console(file=out, width=width).print(rendered)
    return out.getvalue()


def test_a_drop_is_marked_when_its_interval_is_below_the_total_and_its_own_past() -> None:
    known = scores(
        nps("all", "5m", 100, 50, 80), nps("billing", "5m", 5, 10, 60), nps("billing", "7d", 65, 40, 85),
        nps("store", "5m", 40, 5, 2), nps("store", "7d", 90, 20, 10),
    )  # fmt: skip
    assert Row(known, "touchpoint", "billing", "5m").drops == ["total", "7d"]
    assert Row(known, "touchpoint", "store", "5m").drops == []


def test_a_touchpoint_that_is_always_low_has_not_dropped() -> None:
    known = scores(nps("all", "5m", 100, 50, 20), nps("exit", "5m", 5, 10, 60), nps("exit", "7d", 50, 100, 600))
    assert Row(known, "touchpoint", "exit", "5m").drops == ["total"]


def test_the_current_window_is_not_part_of_its_own_past() -> None:
    before, during = (30, 10, 5), (1, 4, 40)
    week = nps("billing", "7d", *(one + other for one, other in zip(before, during, strict=True)))
    now = nps("billing", "5m", *during)
    assert Row(scores(now, week), "touchpoint", "billing", "5m").drops == ["7d"]


@pytest.mark.parametrize("week", [(), (1, 4, 40), (0, 10, 50)])
def test_without_a_past_there_is_no_drop(week: tuple[int, int, int] | tuple[()]) -> None:
    known = scores(nps("billing", "5m", 1, 4, 40), *([nps("billing", "7d", *week)] if week else []))
    assert Row(known, "touchpoint", "billing", "5m").drops == []


def test_few_answers_are_no_drop() -> None:
    known = scores(nps("all", "5m", 100, 50, 80), nps("billing", "5m", 0, 0, 2), nps("billing", "7d", 5, 1, 5))
    assert Row(known, "touchpoint", "billing", "5m").drops == []


def test_an_empty_window_has_no_value_and_not_zero() -> None:
    known = scores(nps("all", "5m", 3, 1, 1), nps("store", "5m", 3, 0, 0), nps("store", "5m", 0, 0, 0))
    (line,) = (line for line in text(table(known, "5m", NOW, 130)).splitlines() if "store" in line)
    assert line.split() == ["store", *["–"] * 10]


def test_a_row_has_value_interval_n_and_age() -> None:
    output = text(table(scores(nps("all", "5m", 700, 300, 500), nps("all", "7d", 5_000, 0, 5_000)), "5m", NOW, 130))
    assert output.splitlines()[1].split()[:9] == ["total", "+13", "+9", "…", "+18", "1,500", "7", "s", "0"]


@pytest.mark.parametrize(("width", "gone"), [(130, set()), (100, {"age"}), (80, {"age", "CES", "response"})])
def test_a_narrow_terminal_gets_fewer_columns_and_no_broken_line(width: int, gone: set[str]) -> None:
    rendered = table(scores(nps("all", "5m", 3, 1, 1), nps("network-outage", "5m", 0, 0, 90)), "5m", NOW, width)
    names = {str(column.header) for column in rendered.columns}
    assert {"age", "CES", "response"} - names == gone
    assert {"touchpoint", "NPS 5m", "95 % interval", "n", "NPS 7d", "risk"} <= names
    lines = text(rendered, width).splitlines()
    assert len(lines) == 4
    assert max(map(len, lines)) <= width


def test_points_are_whole_and_signed() -> None:
    assert [points(value) for value in (12.4, -0.4, -99.6, None)] == ["+12", "0", "−100", "–"]


def exposition(received: int, spent: float, passed: int) -> str:
    stages = "".join(
        f'cxstream_stage_latency_seconds_sum{{stage="{stage}"}} {spent}\n'
        f'cxstream_stage_latency_seconds_count{{stage="{stage}"}} {passed}\n'
        for stage in ("arrival", "checkpoint", "windows")
    )
    return (
        "# TYPE cxstream_received counter\n"
        f'cxstream_received_total{{topic="cx.calls.v1",partition="0"}} {received}\n'
        'cxstream_received_total{topic="cx.surveys.v1",partition="0"} 7.0\n'
        'cxstream_received_total{topic="cx.rekeyed.v1",partition="0"} 1000.0\n'
        f'cxstream_outcomes_total{{topic="cx.calls.v1",partition="0",outcome="accepted"}} {received}\n'
        'cxstream_outcomes_total{topic="cx.surveys.v1",partition="0",outcome="accepted"} 5.0\n'
        'cxstream_outcomes_total{topic="cx.surveys.v1",partition="0",outcome="rejected"} 2.0\n'
        'cxstream_rejected_total{topic="cx.surveys.v1",partition="0",reason="no_zone"} 2.0\n'
        'cxstream_lag_records{topic="cx.calls.v1",partition="0"} 3.0\n'
        'cxstream_lag_records{topic="cx.calls.v1",partition="1"} 4.0\n' + stages
    )


def test_the_state_of_the_workers_is_read_from_their_metrics() -> None:
    metrics = WorkerMetrics(Settings())
    metrics.update(exposition(100, 2.0, 10), 1000.0)
    assert (metrics.events_per_second, metrics.latency_s) == (0.0, None)
    metrics.update(exposition(300, 3.0, 20), 1002.0)
    metrics.update('cxstream_sink_inserted_total{topic="cx.scores.v1"} 9.0\n'
                 'cxstream_sink_pending_records{sink="clickhouse"} 2.0\n', 1002.0)  # fmt: skip
    assert metrics.received == 307
    assert metrics.count_by_outcome == {"accepted": 305, "rejected": 2}
    assert metrics.lag_records == 7
    assert metrics.events_per_second == 100
    assert metrics.latency_s == pytest.approx(0.3)
    assert (metrics.stored_by_topic, metrics.pending_records) == ({"cx.scores.v1": 9}, 2)
    assert pace(view(Scores(), metrics)) == (
        "live 01:01  100 events/s  waiting 7  arrival to score 0.30 s  database 9 rows"
    )
    assert outcomes(view(Scores(), metrics), True) == "received 307 = accepted 305 + rejected 2 (no_zone 2 …)"


def test_rates_are_those_of_the_last_seconds() -> None:
    metrics = WorkerMetrics(Settings())
    for second in range(0, 60, 2):
        metrics.update(exposition(10_000 * (second >= 30) + second, 1.0, 10), second)
    assert metrics.events_per_second == 1


def test_a_line_is_written_when_the_activity_changes_and_not_more_often() -> None:
    out = io.StringIO()
    lines, known = LineScreen(Console(file=out, width=130)), scores(nps("all", "5m", 30, 10, 5))
    metrics = WorkerMetrics(Settings())
    starting = View(NOW, Scores(), metrics, "5m", "starting", 0.0, 0)
    for state in (starting, starting, view(known, metrics), view(known, metrics)):
        lines.show(state)
    assert out.getvalue().splitlines() == [
        "starting 00:00  0 events sent",
        "live 01:01  100 events sent  NPS 5m +56 (+32 … +72, n 45)",
    ]
