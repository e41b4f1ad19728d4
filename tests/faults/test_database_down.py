"""ClickHouse is away or in trouble: scores and topics go on, the sink stays in its group and doubles nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient
from msgspec.structs import replace

from sinks.clickhouse.migrate import migrate
from streams.local.embedded_broker import EmbeddedBroker
from streams.runtime.topics import create_topics
from streams.settings import Settings
from tests.faults.agreement import check_stored, now_ms, settled, wait_stored
from tests.faults.conftest import Start
from tests.faults.processes import Worker, until
from tests.faults.traffic import Traffic, portions, send
from tests.support.apache_kafka import KafkaCluster
from tests.support.clickhouse_front import ClickHouseFront, Fault

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

FLUSH_ROWS = 200


@pytest.fixture
def front(tmp_path: Path) -> Iterator[ClickHouseFront]:
    server = ClickHouseFront(str(tmp_path / "chdb"))
    server.start()
    yield server
    server.close()


@pytest.fixture
def on(fault_settings: Callable[..., Settings], front: ClickHouseFront) -> Callable[[str], Settings]:
    """Settings for a broker, with small flushes into the front; topics and tables are there."""

    def build(broker: str) -> Settings:
        migrate(front.url("cx"))
        made = fault_settings(
            broker, clickhouse={"url": front.url("cx"), "flush_rows": FLUSH_ROWS, "flush_seconds": 0.3}
        )
        create_topics(made)
        return made

    return build


def members(settings: Settings) -> list[str]:
    """The members of the sinks' group. A member that was removed comes back under another name."""
    with KafkaAdminClient(bootstrap_servers=settings.kafka.brokers) as client:
        described = client.describe_groups([settings.group("sinks")])[settings.group("sinks")]
    return [member["member_id"] for member in described["members"]]


@pytest.mark.kafka
def test_an_outage_longer_than_the_session_and_the_buffer(
    fresh_kafka: KafkaCluster, on: Callable[[str], Settings], front: ClickHouseFront, start: Start, seed: int
) -> None:
    settings = on(fresh_kafka.address)
    streams, sink = start("streams", settings), start("sinks", settings)
    traffic = Traffic(seed, now_ms(), settings.kafka.partitions)
    send(settings.kafka.brokers, traffic.first())
    until("something is stored", lambda: sink.total("cxstream_sink_inserted_total"), 60)
    before = members(settings)
    with front.down():
        send(settings.kafka.brokers, traffic.take(25 * FLUSH_ROWS))
        settled(lambda: [streams], settings)
        until("the buffer is full", lambda: sink.total("cxstream_sink_pending_records") >= 4 * FLUSH_ROWS, 30)
        until("more than two sessions have passed", lambda: retries(sink) >= 5, 60)
        assert sink.total("cxstream_sink_up") == 0
        assert sink.total("cxstream_sink_lag_records") > 0
        assert sink.total("cxstream_sink_oldest_pending_seconds") > 2 * settings.kafka.session_timeout
        assert sink.get("/healthz")[0] == 200
    wanted = settled(lambda: [streams], settings)
    wait_stored(sink, settings, 120)
    assert members(settings) == before
    assert sink.total("cxstream_sink_oldest_pending_seconds") == 0
    until("no lag", lambda: not sink.total("cxstream_sink_lag_records"), 10)
    check_stored(settings, wanted)


def retries(sink: Worker) -> int:
    return sink.said.count("trying again in")


@pytest.mark.broker
@pytest.mark.parametrize("faults", [["dropped_after"], ["dropped_before", "answers_503", "answers_429"]])
def test_inserts_that_meet_trouble_are_stored_once(
    fresh_broker: EmbeddedBroker, on: Callable[[str], Settings], front: ClickHouseFront, start: Start, seed: int,
    faults: list[Fault],
) -> None:  # fmt: skip
    settings = on(fresh_broker.address)
    streams, sink = start("streams", settings), start("sinks", settings)
    traffic = Traffic(seed, now_ms(), settings.kafka.partitions)
    for piece in portions([*traffic.first(), *traffic.take(3_000)], 300):
        front.fail_next_inserts(*faults)
        send(settings.kafka.brokers, piece)
    wanted = settled(lambda: [streams], settings)
    wait_stored(sink, settings)
    check_stored(settings, wanted)


@pytest.mark.broker
def test_a_database_that_hangs_holds_up_only_the_sink(
    fresh_broker: EmbeddedBroker, on: Callable[[str], Settings], front: ClickHouseFront, start: Start, seed: int
) -> None:
    settings = on(fresh_broker.address)
    settings = replace(settings, metrics=replace(settings.metrics, stalled_after=2))
    streams, sink = start("streams", settings), start("sinks", settings)
    sink.wait_ready()
    front.fail_next_inserts("slow")
    traffic = Traffic(seed, now_ms(), settings.kafka.partitions)
    send(settings.kafka.brokers, [*traffic.first(), *traffic.take(2_000)])
    wanted = settled(lambda: [streams], settings)
    assert sink.total("cxstream_sink_pending_records")
    until("the sink is to be restarted", lambda: sink.get("/healthz")[0] == 503, 20)
    assert "clickhouse has neither stored nor refused anything" in sink.get("/healthz")[1]
    front.release.set()
    wait_stored(sink, settings)
    until("the sink is well", lambda: sink.get("/healthz")[0] == 200, 20)
    assert sink.total("cxstream_stage_latency_seconds_count", stage="stored") > 0
    check_stored(settings, wanted)
