"""Metrics pass Prometheus' own linter, lag counts waiting records, and only waiting input can stall."""

import json
import subprocess
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from faust.types import TP
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest

from schemas.catalogue import PANES
from schemas.score import Score
from streams.core.stage1.partition_state import PartitionState
from streams.runtime.clock import now_ms
from streams.runtime.collectors import register_collectors
from streams.runtime.metric_catalogue import STAGES, families
from streams.runtime.sink_worker import SinkMetrics
from streams.runtime.telemetry import Telemetry
from tests.deploy.tools import find
from tests.reference.contracts import SURVEYS
from tests.reference.windows import moment_of
from tests.support.stream import Record, Stage1, settings_with

SETTINGS = settings_with(kafka={"partitions": 1})


class OwnedCells:
    """The owner of two windows, one of them empty."""

    def __init__(self) -> None:
        self.latest = {b"one": score(25.0, 4), b"none": score(None, 0, window="1h")}
        self.published_offset, self.published_partials = 6, 7


def score(value: float | None, n: int, **fields: Any) -> Score:
    end = datetime(2026, 3, 1, tzinfo=UTC)
    made: dict[str, Any] = {
        "score": "nps", "cut": "touchpoint", "cell": 'a "quoted"\nname', "window": "24h", "start": end, "end": end,
        "value": value, "lower": value, "upper": value, "n": n, "unit": "points", "counts": {}, "revision": n,
        "final": False, "last_event": end if n else None,
    }  # fmt: skip
    return Score(**(made | fields))


@pytest.fixture
def intake() -> PartitionState:
    """A partition that has taken one answer, one late one and two rejects."""
    stage, now = Stage1(0, SETTINGS), now_ms()
    answers = [
        {
            "event_id": "e",
            "record_id": f"r{days}",
            "time": moment_of(now - days * 86_400_000),
            "survey": "s",
            "kind": "nps",
            "score": 9,
        }
        for days in (0, 5)
    ]
    values = [*(json.dumps(answer).encode() for answer in answers), None, b"{"]
    stage.take(SURVEYS, [Record(10 + n, now, None, value) for n, value in enumerate(values)], now)
    return stage.state


class Clock:
    """Stands still unless the test sets how many seconds have passed."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._start_ms = now_ms()

    def now_s(self) -> float:
        return 1_000.0 + self.seconds

    def now_ms(self) -> int:
        return self._start_ms + round(self.seconds * 1000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Model(NamedTuple):
    """A churn model, as far as it is exported."""

    name: str = "test-1"


class ModelInUse:
    """A model whose file was refused once."""

    def __init__(self) -> None:
        self.model: Any = Model()
        self.refused = 1


@pytest.fixture
def telemetry(intake: PartitionState, clock: Clock) -> Telemetry:
    made = Telemetry(CollectorRegistry(), clock.now_s, clock.now_ms)
    register_collectors(made)
    made.model = ModelInUse()
    made.own_stage1(0, intake)
    made.own_stage2(0, OwnedCells())
    made.high_watermarks = lambda: {TP(SURVEYS, 0): 20, TP(SURVEYS, 7): 99}
    made.chunk_taken(SURVEYS, 0, clock.now_ms() - 3_000)
    made.checkpoint_written(0, 1_000, 0.02, clock.now_s())
    for stage in STAGES:
        made.observe_stage(stage, 0.1)
    return made


def value_of(telemetry: Telemetry, name: str, **labels: str) -> float | None:
    return telemetry.registry.get_sample_value(name, labels)


@pytest.mark.io
def test_promtool_has_no_complaint_about_the_metrics(telemetry: Telemetry) -> None:
    sinks = CollectorRegistry()
    SinkMetrics(sinks).up.labels("clickhouse").set(1)
    for registry in (telemetry.registry, sinks):
        done = subprocess.run(
            [find("promtool"), "check", "metrics"],
            input=generate_latest(registry),
            capture_output=True,
            timeout=30,
            check=False,
        )
        assert (done.returncode, (done.stdout + done.stderr).decode()) == (0, "")


def test_samples_have_the_labels_that_are_declared(telemetry: Telemetry) -> None:
    declared = {family.name.removesuffix("_total"): set(family.labels) for family in families()}
    labels = {metric.name: {frozenset(s.labels) - {"le"} for s in metric.samples} for metric in exported(telemetry)}
    assert labels == {name: {frozenset(declared[name])} for name in labels}


def exported(telemetry: Telemetry) -> list[Metric]:
    """The metrics that have a sample."""
    return [metric for metric in telemetry.registry.collect() if metric.samples]


def test_every_outcome_is_counted_and_they_add_up(telemetry: Telemetry) -> None:
    place = {"topic": SURVEYS, "partition": "0"}
    outcomes = {
        name: value_of(telemetry, "cxstream_outcomes_total", **place, outcome=name)
        for name in ("accepted", "duplicate", "corrected", "late", "rejected", "rekeyed")
    }
    assert outcomes == {"accepted": 1, "duplicate": 0, "corrected": 0, "late": 1, "rejected": 2, "rekeyed": 0}
    assert value_of(telemetry, "cxstream_received_total", **place) == 4
    assert value_of(telemetry, "cxstream_reconciliation_difference", **place) == 0
    assert value_of(telemetry, "cxstream_rejected_total", **place, reason="null_value") == 1


def test_a_window_without_a_value_has_an_n_and_no_value(telemetry: Telemetry) -> None:
    labels = {"score": "nps", "cut": "touchpoint", "cell": 'a "quoted"\nname'}
    assert value_of(telemetry, "cxstream_score_value", **labels, window="24h") == 25.0
    assert value_of(telemetry, "cxstream_score_value", **labels, window="1h") is None
    assert value_of(telemetry, "cxstream_score_n", **labels, window="1h") == 0
    assert value_of(telemetry, "cxstream_score_age_seconds", **labels, window="1h") is None


def test_partitions_of_another_worker_are_not_reported(telemetry: Telemetry) -> None:
    assert telemetry.lag() == {TP(SURVEYS, 0): 6}
    telemetry.disown_stage1(0)
    telemetry.disown_stage2(0)
    assert telemetry.lag() == {}
    assert value_of(telemetry, "cxstream_received_total", topic=SURVEYS, partition="0") is None
    assert b"cxstream_score_n{" not in generate_latest(telemetry.registry)


def test_lag_in_seconds_is_the_age_of_the_newest_applied_record_while_others_wait(telemetry: Telemetry) -> None:
    place = {"topic": SURVEYS, "partition": "0"}
    assert value_of(telemetry, "cxstream_lag_seconds", **place) == 3.0
    telemetry.high_watermarks = lambda: {TP(SURVEYS, 0): 14}
    assert value_of(telemetry, "cxstream_lag_seconds", **place) == 0.0


def test_lag_in_seconds_is_that_of_each_partition(clock: Clock, telemetry: Telemetry) -> None:
    telemetry.own_stage1(1, PartitionState(1, telemetry.stage1[0].definition))
    telemetry.high_watermarks = lambda: {TP(SURVEYS, 0): 15, TP(SURVEYS, 1): 9}
    clock.seconds = 90
    telemetry.chunk_taken(SURVEYS, 0, clock.now_ms())
    assert value_of(telemetry, "cxstream_lag_seconds", topic=SURVEYS, partition="0") == 0.0
    assert value_of(telemetry, "cxstream_lag_seconds", topic=SURVEYS, partition="1") == pytest.approx(90.0)


def test_a_partition_with_input_and_no_progress_is_stalled(clock: Clock, telemetry: Telemetry) -> None:
    telemetry.own_stage1(1, PartitionState(1, telemetry.stage1[0].definition))
    telemetry.high_watermarks = lambda: {TP(SURVEYS, 0): 15, TP(SURVEYS, 1): 9}
    assert telemetry.stalled(60.0) == []
    clock.seconds = 61
    assert telemetry.stalled(60.0) == [(1, 0), (1, 1)]
    telemetry.checkpoint_written(1, 1, 0.1, None)
    assert telemetry.stalled(60.0) == [(1, 0)], "what moves elsewhere does not hide it"


def test_windows_with_waiting_partials_and_no_publication_are_stalled(clock: Clock, telemetry: Telemetry) -> None:
    telemetry.high_watermarks = lambda: {TP(PANES.name, 0): 9, TP(PANES.name, 1): 50, TP(SURVEYS, 0): 14}
    assert telemetry.lag() == {TP(PANES.name, 0): 2, TP(SURVEYS, 0): 0}
    clock.seconds = 61
    telemetry.watch()
    assert telemetry.stalled(60.0) == [(2, 0)]
    assert value_of(telemetry, "cxstream_lag_seconds", topic=PANES.name, partition="0") == pytest.approx(61.0)
    assert value_of(telemetry, "cxstream_partials_total", topic=PANES.name, partition="0") == 7
    telemetry.partials_published(0, None, None)
    assert telemetry.stalled(60.0) == []
    clock.seconds = 200
    telemetry.high_watermarks = lambda: {TP(PANES.name, 0): 7}
    telemetry.watch()
    assert telemetry.stalled(60.0) == []


def test_after_a_long_rest_the_first_event_is_no_stall(clock: Clock, telemetry: Telemetry) -> None:
    clock.seconds = 3_600
    telemetry.high_watermarks = lambda: {TP(SURVEYS, 0): 14}
    telemetry.watch()
    telemetry.high_watermarks = lambda: {TP(SURVEYS, 0): 15}
    telemetry.watch()
    assert telemetry.stalled(60.0) == []
