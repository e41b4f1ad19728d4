"""Delivered twice is stored once."""

import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from sinks.clickhouse.sink import ClickHouseSink
from sinks.errors import SinkUnavailable
from sinks.sink import SinkRecord
from tests.sinks.conftest import Ask
from tests.sinks.given import record, score, survey, surveys
from tests.support.clickhouse_front import ClickHouseFront, Fault

pytestmark = pytest.mark.io
ROOT = Path(__file__).parents[3]


def store(url: str, records: Sequence[SinkRecord], flush_rows: int = 1_000, topic: str = "cx.surveys.v1") -> None:
    with closing(ClickHouseSink(url, flush_rows=flush_rows)) as sink:
        sink.add(topic, 0, records)
        assert sink.flush() == []


def test_the_same_chunk_again_is_no_second_insert(url: str, ask: Ask) -> None:
    for _ in range(3):
        store(url, surveys(0, 250), flush_rows=100)
    assert ask("SELECT count() FROM surveys") == [(250,)]


def test_a_chunk_cut_differently_is_shown_once_and_merges_to_once(url: str, ask: Ask) -> None:
    store(url, surveys(0, 100))
    store(url, surveys(0, 130), flush_rows=70)
    store(url, surveys(50, 130))
    assert ask("SELECT count(), uniqExact(record_id) FROM surveys_latest") == [(130, 130)]
    ask("OPTIMIZE TABLE surveys FINAL")
    assert ask("SELECT count(), uniqExact(offset) FROM surveys") == [(130, 130)]


def test_records_of_a_topic_created_anew_are_not_taken_for_those_of_the_old_one(url: str, ask: Ask) -> None:
    store(url, surveys(0, 100))
    store(url, [record(i, survey(i, record_id=f"new-{i}")) for i in range(100)])
    ask("OPTIMIZE TABLE surveys FINAL")
    assert ask("SELECT count(), countIf(startsWith(record_id, 'new-')) FROM surveys") == [(200, 100)]


def test_derived_records_keep_their_newest_revision_in_whatever_order_they_come(url: str, ask: Ask) -> None:
    store(url, [record(0, score(revision=7, value=7.0)), record(1, score(revision=3, value=3.0))], topic="cx.scores.v1")
    store(url, [record(0, score(revision=5, value=5.0))], topic="cx.scores.v1")
    assert ask("SELECT revision, value FROM scores_latest") == [(7, 7.0)]
    ask("OPTIMIZE TABLE scores FINAL")
    assert ask("SELECT revision, value FROM scores") == [(7, 7.0)]


@pytest.mark.parametrize(
    "faults",
    [
        ["dropped_after"],
        ["dropped_before"],
        ["dropped_after", "dropped_after"],
        ["dropped_before", "dropped_after"],
        ["answers_503"],
        ["answers_429", "dropped_after", "answers_503"],
    ],
    ids="+".join,
)
def test_inserts_that_fail_after_or_before_execution_double_and_lose_nothing(
    faults: list[Fault], front: ClickHouseFront, http_url: str, ask: Ask
) -> None:
    front.fail_next_inserts(*faults)
    now = [0.0]
    with closing(ClickHouseSink(http_url, flush_rows=100, now_s=lambda: now[0])) as sink:
        sink.add("cx.surveys.v1", 0, surveys(0, 250))
        for _ in range(len(faults) + 1):
            try:
                sink.flush()
                break
            except SinkUnavailable as unavailable:
                now[0] += unavailable.retry_after
        assert sink.pending == 0
    assert len(front.attempts) == 3 + len(faults)
    assert len(set(front.attempts)) == 3, "an insert was named differently on its second attempt"
    assert ask("SELECT count(), uniqExact(offset) FROM surveys") == [(250, 250)]


def test_an_insert_that_was_executed_but_answered_too_late_is_not_doubled(
    front: ClickHouseFront, http_url: str, ask: Ask
) -> None:
    now = [0.0]
    with closing(ClickHouseSink(http_url, timeout_s=1, now_s=lambda: now[0])) as sink:
        sink.warm()
        sink.add("cx.surveys.v1", 0, surveys(0, 100))
        front.fail_next_inserts("slow")
        with pytest.raises(SinkUnavailable, match="timed out"):
            sink.flush()
        front.release.set()
        now[0] = 60.0
        assert sink.flush() == []
    assert len(front.attempts) == 2
    assert ask("SELECT count() FROM surveys") == [(100,)]


def test_rows_survive_a_kill_right_after_the_flush_and_are_not_doubled_by_their_redelivery(tmp_path: Path) -> None:
    url = f"chdb://{tmp_path}"
    killed = subprocess.run(
        [sys.executable, "-c", _FLUSH + "os.kill(os.getpid(), signal.SIGKILL)", url],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (killed.returncode, killed.stdout) == (-signal.SIGKILL, "500\n"), killed.stderr
    again = subprocess.run(
        [sys.executable, "-c", _FLUSH, url], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (again.returncode, again.stdout) == (0, "500\n"), again.stderr


_FLUSH = """
import os, signal, sys
from sinks.clickhouse.address import parse_url
from sinks.clickhouse.sink import ClickHouseSink
from sinks.clickhouse.connection import connect
from sinks.clickhouse.migrate import migrate
from tests.sinks.given import surveys
migrate(sys.argv[1])
sink = ClickHouseSink(sys.argv[1])
sink.add("cx.surveys.v1", 0, surveys(0, 500))
sink.flush()
print(connect(parse_url(sys.argv[1])).rows("SELECT count() FROM surveys")[0][0], flush=True)
"""
