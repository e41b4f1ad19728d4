"""Waiting until nothing moves any more, and comparing everything with everything then."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from kafka.admin import KafkaAdminClient

from schemas.catalogue import RISK, SCORES, SOURCE_TOPICS
from sinks.sink import PUBLIC_TOPICS
from streams.core.stage1.outcomes import RECORD_OUTCOMES
from streams.settings import Settings
from tests.faults.processes import Worker, until
from tests.faults.readback import (
    Expected,
    at_rest,
    disagreements,
    expected,
    latest,
    published,
    read,
    rejected,
    source_records,
)
from tests.faults.stored import stored
from tests.reference import Arrival, decode

Workers = Callable[[], Sequence[Worker]]
"""The stream workers that run now."""


def now_ms() -> int:
    """The wall clock, in milliseconds."""
    return time.time_ns() // 1_000_000


def settled(workers: Workers, settings: Settings, within: float = 90.0) -> Expected:
    """Wait until all input is counted and the topic says what the oracle says; fails with the differences."""
    sent = source_records(settings)

    def counted() -> Expected | None:
        if received(workers()) < sent:  # the oracle takes seconds, and re-keyed records come on top of these
            return None
        wanted = expected(settings)
        return wanted if wanted.is_complete and received(workers()) == wanted.received else None

    try:
        wanted: Expected = until("all input is counted", counted, within)
    except AssertionError as late:
        raise AssertionError(f"{late}: {received(workers())} of {sent} and those that were re-keyed") from None
    differ: list[str] = ["never compared"]

    def agreed() -> bool:
        differ[:] = disagreements(at_rest(wanted.rows(now_ms())), at_rest(published(settings)))
        return not differ

    try:
        until("topic and oracle agree", agreed, 20, every=0.5)
    except AssertionError:
        raise AssertionError(f"{len(differ)} windows differ:\n" + "\n".join(differ[:20])) from None
    return wanted


def received(workers: Sequence[Worker]) -> int:
    """How many records the workers have counted; fails when one has ended."""
    for worker in workers:
        assert worker.code is None, f"{worker.log.name} ended with {worker.code}: {worker.last_words}"
    return sum(worker.total("cxstream_received_total") for worker in workers)


def check_counters(workers: Sequence[Worker], wanted: Expected) -> None:
    """Every record has one outcome, and as many have each as the oracle says."""
    outcomes = {
        name: sum(w.total("cxstream_outcomes_total", outcome=name) for w in workers) for name in RECORD_OUTCOMES
    }
    assert outcomes == {name: wanted.outcomes[name] for name in RECORD_OUTCOMES}
    assert sum(outcomes.values()) == wanted.received
    unexplained = [s for w in workers for s in w.samples("cxstream_reconciliation_difference") if s[2]]
    assert not unexplained


def check_topics(settings: Settings, wanted: Expected, exactly_once: bool) -> None:
    """Dead letters and re-keyed records: none missing, none too many; where there are transactions none twice."""
    assert set(rejected(settings)) == wanted.rejects
    assert set(wanted.brought) == set(wanted.rekeyed)
    if exactly_once:
        assert wanted.brought == wanted.rekeyed


def check_prometheus(workers: Sequence[Worker], settings: Settings) -> None:
    """The gauges say what the topic says, of every cell and window once."""
    gauges = [s for w in workers for s in w.samples("cxstream_score_n")]
    cells = {tuple(labels[name] for name in ("score", "cut", "cell", "window")): n for _, labels, n in gauges}
    assert len(gauges) == len(cells)
    assert {name: n for name, n in cells.items() if n} == {
        (row["score"], row["cut"], row["cell"], row["window"]): row["n"] for row in published(settings) if row["n"]
    }


def wait_stored(sink: Worker, settings: Settings, within: float = 60.0, role: str = "sinks") -> None:
    """Wait until the group of the sink with this role has committed the last record of every topic."""
    ends: dict[tuple[str, int], int] = {}
    for record in read(settings, *PUBLIC_TOPICS):
        ends[settings.topic(record.topic), record.partition] = record.offset

    def behind() -> dict[tuple[str, int], int]:
        assert sink.code is None, f"{sink.log.name} ended with {sink.code}: {sink.last_words}"
        with KafkaAdminClient(bootstrap_servers=settings.kafka.brokers.split(",")) as client:
            found = client.list_group_offsets(settings.group(role))[settings.group(role)]
        committed = {(tp.topic, tp.partition): stands.offset for tp, stands in found.items()}
        return {place: end for place, end in ends.items() if committed.get(place, -1) <= end}

    try:
        until("everything is stored", lambda: not behind(), within, every=0.3)
    except AssertionError as late:
        raise AssertionError(f"{late}; missing {behind()}") from None


def check_stored(settings: Settings, wanted: Expected) -> None:
    """ClickHouse holds every event, score, risk and reject of the topics, each once."""
    held: dict[str, Any] = stored(settings.clickhouse.url)
    addresses = [tuple(row) for row in held["events"]]
    assert len(addresses) == len(set(addresses))
    assert set(addresses) == storable_events(settings)
    topic = {key: row for key, row in latest(read(settings, SCORES.name)).items() if row["n"]}
    assert not disagreements(topic.values(), [row for row in held["scores"] if row["n"]])
    risks = latest(read(settings, RISK.name)).values()
    assert held["risks"] == {risk["customer"]: [risk["risk"], risk["revision"]] for risk in risks}
    assert {tuple(row) for row in held["rejects"]} == wanted.rejects


def storable_events(settings: Settings) -> set[tuple[str, int, int]]:
    return {
        (r.topic, r.partition, r.offset)
        for r in read(settings, *(topic.name for topic in SOURCE_TOPICS))
        if not isinstance(decode(Arrival(r.topic, r.partition, r.offset, r.timestamp, r.value)), str)
    }
