"""One number: at rest, derived topic, Prometheus, ClickHouse and oracle say the same of every window of every cell."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from schemas.catalogue import SCORES
from streams.core.scores.contributions import SCORE_CODES
from streams.local.embedded_broker import EmbeddedBroker
from streams.settings import Settings
from tests.faults.agreement import check_counters, check_stored, check_topics, now_ms, settled, wait_stored
from tests.faults.processes import ROOT, Worker, environment, until
from tests.faults.readback import Expected, at_rest, disagreements, latest, published, read
from tests.faults.stored import stored
from tests.faults.traffic import DAY, HOUR, MINUTE, Traffic, portions, send
from tests.reference.contracts import CALLS, PROGRAMS, SURVEYS
from tests.support.brokers import make_settings
from tests.support.stream import key_of

NOT_IN_THE_TRAFFIC = {
    "first_reply_time_business",
    "first_resolution_time_business",
    "full_resolution_time_business",
    "recovered",
    "revenue_at_risk",
    "churn_rate",
}
"""No opening hours are set, nobody comes out of the band within minutes, and there are no accounts."""

pytestmark = [pytest.mark.broker, pytest.mark.io, pytest.mark.slow, pytest.mark.timeout(400)]

EVENTS = 3_000
GAUGES = ("value", "lower", "upper", "n")
Numbers = dict[tuple[str, str, str, str], dict[str, float]]
AGES = ((1_000, MINUTE), (10 * MINUTE, 25 * MINUTE), (2 * HOUR, 20 * HOUR), (2 * DAY, 6 * DAY), (9 * DAY, 25 * DAY))
"""Ages of events (ms): each far enough from the far end of every window that none leaves it for four minutes."""


class Everything(Traffic):
    """Events for every score, cut and window there is by default."""

    def _age(self) -> int:
        return self._random.randrange(*self._random.choice(AGES))

    def _envelope(self, age: int) -> dict[str, Any]:
        return super()._envelope(age) | {"segment": self._random.choice(("small", "large", ""))}

    def _own(self, topic: str) -> dict[str, Any]:
        own = super()._own(topic)
        if topic == CALLS:
            own["queue"] = self._random.choice(("sales", "help"))
        if topic == SURVEYS:
            own["program"] = self._random.choice(PROGRAMS)
        return own


def cxstream(settings: Settings, *arguments: str) -> None:
    command = [sys.executable, "-m", "streams.cli.main", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(settings), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{arguments}: {done.stderr or done.stdout}"


def worker(settings: Settings, folder: Path, part: Any) -> Worker:
    return Worker(part, settings, folder, command=[sys.executable, "-m", "streams.cli.main", "worker", "--only", part])


def numbers(row: dict[str, Any]) -> dict[str, float]:
    """What there is to show of a result: of an empty window n only."""
    return {name: row[name] for name in GAUGES if row[name] is not None}


def of_topic(settings: Settings) -> Numbers:
    return {key_of(row): numbers(row) for row in published(settings)}


def of_prometheus(streams: Worker) -> Numbers:
    found: Numbers = {}
    for name in GAUGES:
        for _, labels, value in streams.samples(f"cxstream_score_{name}"):
            cell = found.setdefault((labels["score"], labels["cut"], labels["cell"], labels["window"]), {})
            assert name not in cell, f"{labels} is shown twice"
            cell[name] = value
    return found


def test_topic_prometheus_clickhouse_and_oracle_agree_on_every_window_of_every_cell(
    fresh_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    settings = make_settings(
        fresh_broker.address,
        clickhouse={"url": f"chdb://{tmp_path / 'chdb'}"},
        kafka={"partitions": 3, "session_timeout": 2},
    )
    cxstream(settings, "topics", "--create")
    cxstream(settings, "migrate")
    streams, sinks = worker(settings, tmp_path, "streams"), worker(settings, tmp_path, "sinks")
    try:
        streams.wait_ready()
        traffic = Everything(seed=7, now=now_ms(), partitions=3)
        for portion in portions([*traffic.first(), *traffic.take(EVENTS)], 500):
            send(settings.kafka.brokers, portion)
        wanted = settled(lambda: [streams], settings)
        check_counters([streams], wanted)
        check_topics(settings, wanted, exactly_once=False)
        agree_now(settings, streams, wanted)
        assert streams.stop() == 0
        wait_stored(sinks, settings)
        assert sinks.stop() == 0
    finally:
        streams.kill()
        sinks.kill()
    check_stored(settings, wanted)
    check_results_stored(settings)


def agree_now(settings: Settings, streams: Worker, wanted: Expected) -> None:
    """All windows at one moment: the oracle's are the topic's are Prometheus's, to the last digit it shows."""
    differ: list[str] = ["never compared"]

    def agree() -> bool:
        topic, shown, expected = of_topic(settings), of_prometheus(streams), wanted.rows(now_ms())
        differ[:] = [
            f"{key}: {topic.get(key)} in the topic, {shown.get(key)} in Prometheus"
            for key in topic.keys() | shown.keys()
            if topic.get(key) != shown.get(key)
        ]
        differ[:] += disagreements(at_rest(expected), at_rest(published(settings)))
        return not differ

    try:
        until("topic, Prometheus and oracle agree", agree, 30, every=0.3)
    except AssertionError:
        raise AssertionError(f"{len(differ)} differ:\n" + "\n".join(differ[:20])) from None
    cells = [key for key, shown in of_topic(settings).items() if shown["n"]]
    found = {score for score, _, _, _ in cells}
    assert found <= SCORE_CODES.keys()
    assert sorted(SCORE_CODES.keys() - found - NOT_IN_THE_TRAFFIC) == []
    assert {cut for _, cut, _, _ in cells} == set(settings.windows.cuts)
    assert {window for _, _, _, window in cells} == set(settings.windows.lengths)
    print(f"{len(cells)} windows with a value agree, after {wanted.received} records: {dict(wanted.outcomes)}")


def check_results_stored(settings: Settings) -> None:
    """ClickHouse's latest result of each key is the topic's, with null where it is null."""
    found = {key_of(row): row for row in stored(settings.clickhouse.url)["scores"]}
    topic = {key_of(row): row for row in latest(read(settings, SCORES.name)).values()}
    assert found.keys() == topic.keys()
    for key, row in topic.items():
        assert {name: found[key][name] for name in (*GAUGES, "counts")} == {n: row[n] for n in (*GAUGES, "counts")}, key
