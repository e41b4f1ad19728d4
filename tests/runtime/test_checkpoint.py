"""A checkpoint is written whole or not at all, and a former owner is fenced; without transactions the order holds."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import ProducerFenced

from schemas.catalogue import CHANGELOG, PANES, REJECTS
from streams.errors import BrokerError, FencedError, StateError
from streams.local.embedded_broker import EmbeddedBroker
from streams.runtime import failpoints
from streams.runtime.checkpoint import Change, Checkpointer, Output
from streams.runtime.connection import aiokafka_options
from streams.runtime.offsets import OffsetReader
from streams.runtime.recovery import read_to_end
from streams.runtime.topics import create_topics
from streams.settings import Settings
from tests.support.apache_kafka import KafkaCluster
from tests.support.brokers import MakeSettings

CHANGES: list[Change] = [(b"a", b"1"), (b"b", None), (b"m", b"offsets")]


class Killed(Exception):
    """Stands for the end of the process at a fail-point."""


@pytest.fixture
def killed_at(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def arm(point: str) -> None:
        def hook(reached: str) -> None:
            if reached == point:
                raise Killed(point)

        monkeypatch.setattr(failpoints, "hook", hook)

    return arm


@pytest.fixture
def settings(any_broker: str, make_settings: MakeSettings) -> Settings:
    made = make_settings(any_broker, kafka={"partitions": 1, "max_batch_bytes": 65_536})
    create_topics(made)
    return made


def transactional(settings: Settings) -> str:
    return f"{settings.app.id}-intake-0"


@pytest.fixture
async def checkpointer(settings: Settings, request: pytest.FixtureRequest) -> AsyncIterator[Checkpointer]:
    """With transactions where the broker has them."""
    identity = transactional(settings) if "kafka" in request.node.callspec.id else None
    made = Checkpointer(aiokafka_options(settings), identity, settings.kafka.max_batch_bytes)
    await made.open()
    yield made
    await made.close()


def reject(settings: Settings, value: bytes = b"r") -> Output:
    return Output(settings.topic(REJECTS.name), 0, b"k", value, (("h", b"x"),))


def pane(settings: Settings, value: bytes = b"p") -> Output:
    return Output(settings.topic(PANES.name), 0, b"k", value)


async def committed(settings: Settings, name: str) -> list[Change]:
    topic, records = settings.topic(name), []
    async with OffsetReader(aiokafka_options(settings)) as offsets:
        await offsets.wait_for_transactions([TopicPartition(topic, 0)], 30)
    async for chunk in read_to_end(aiokafka_options(settings), topic, 0):
        records += [(record.key, record.value) for record in chunk]
    return records


async def everything(settings: Settings) -> dict[str, list[Change]]:
    return {name: await committed(settings, name) for name in (REJECTS.name, CHANGELOG.name, PANES.name)}


async def write(checkpointer: Checkpointer, settings: Settings, changes: list[Change] | None = None) -> int:
    topic = settings.topic(CHANGELOG.name)
    return await checkpointer.write([reject(settings)], topic, 0, changes or CHANGES, [pane(settings)])


async def test_outputs_and_changes_are_written_in_order_with_their_tombstones(
    checkpointer: Checkpointer, settings: Settings
) -> None:
    size = await write(checkpointer, settings)
    assert await everything(settings) == {
        REJECTS.name: [(b"k", b"r")],
        CHANGELOG.name: CHANGES,
        PANES.name: [(b"k", b"p")],
    }
    assert size > 100


async def test_headers_travel_with_an_output(checkpointer: Checkpointer, settings: Settings) -> None:
    await write(checkpointer, settings)
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.kafka.brokers, auto_offset_reset="earliest")
    async with consumer:
        consumer.assign([TopicPartition(settings.topic(REJECTS.name), 0)])
        assert (await consumer.getone()).headers == (("h", b"x"),)


async def test_outputs_of_many_batches_are_all_there(checkpointer: Checkpointer, settings: Settings) -> None:
    outputs = [reject(settings, b"%d" % n + 30_000 * b"x") for n in range(20)]
    await checkpointer.write(outputs, settings.topic(CHANGELOG.name), 0, CHANGES)
    assert [value for _, value in await committed(settings, REJECTS.name)] == [output.value for output in outputs]


async def test_without_outputs_and_changes_nothing_is_written(checkpointer: Checkpointer, settings: Settings) -> None:
    assert await checkpointer.write([], settings.topic(CHANGELOG.name), 0, []) == 0


async def test_a_record_larger_than_a_batch_gets_a_batch_of_its_own(
    checkpointer: Checkpointer, settings: Settings
) -> None:
    outputs = [reject(settings, value) for value in (b"1", 100_000 * b"2", b"3")]
    await checkpointer.write(outputs, settings.topic(CHANGELOG.name), 0, CHANGES)
    assert [value for _, value in await committed(settings, REJECTS.name)] == [output.value for output in outputs]


@pytest.mark.parametrize(
    ("point", "left"),
    [
        ("before checkpoint", {}),
        ("after outputs", {REJECTS.name: [(b"k", b"r")]}),
        ("after changelog", {REJECTS.name: [(b"k", b"r")], CHANGELOG.name: CHANGES}),
    ],
)
async def test_without_transactions_outputs_of_the_state_never_come_before_it(
    fresh_broker: EmbeddedBroker, make_settings: MakeSettings, killed_at: Callable[[str], None], point: str,
    left: dict[str, list[Change]],
) -> None:  # fmt: skip
    settings = make_settings(fresh_broker.address, kafka={"partitions": 1})
    create_topics(settings)
    checkpointer = Checkpointer(aiokafka_options(settings), None, settings.kafka.max_batch_bytes)
    await checkpointer.open()
    killed_at(point)
    with pytest.raises(Killed):
        await write(checkpointer, settings)
    await checkpointer.close()
    assert {name: records for name, records in (await everything(settings)).items() if records} == left


async def test_without_transactions_state_larger_than_a_batch_is_not_written_at_all(
    fresh_broker: EmbeddedBroker, make_settings: MakeSettings
) -> None:
    settings = make_settings(fresh_broker.address, kafka={"partitions": 1, "max_batch_bytes": 65_536})
    create_topics(settings)
    checkpointer = Checkpointer(aiokafka_options(settings), None, settings.kafka.max_batch_bytes)
    await checkpointer.open()
    changes: list[Change] = [(b"%d" % n, 10_000 * b"x") for n in range(10)]
    with pytest.raises(StateError, match="a step of 10 changes does not fit into one record batch; raise kafka"):
        await write(checkpointer, settings, changes)
    await checkpointer.close()
    assert await committed(settings, CHANGELOG.name) == []
    assert await committed(settings, PANES.name) == []


@pytest.mark.parametrize("point", ["after begin", "after outputs", "after changelog"])
async def test_an_interrupted_transaction_leaves_no_record_and_does_not_block_the_next_owner(
    fresh_kafka: KafkaCluster, make_settings: MakeSettings, killed_at: Callable[[str], None], point: str
) -> None:
    settings = make_settings(fresh_kafka.address, kafka={"partitions": 1})
    create_topics(settings)
    options, bytes_ = aiokafka_options(settings), settings.kafka.max_batch_bytes
    first, second = (Checkpointer(options, transactional(settings), bytes_) for _ in range(2))
    await first.open()
    killed_at(point)
    with pytest.raises(Killed):
        await write(first, settings)
    killed_at("nowhere")
    await second.open()
    assert not any((await everything(settings)).values())
    await write(second, settings)
    assert (await everything(settings))[CHANGELOG.name] == CHANGES
    await first.close()
    await second.close()


async def test_the_former_owner_is_fenced_in_the_middle_of_its_checkpoint(
    fresh_kafka: KafkaCluster, make_settings: MakeSettings
) -> None:
    settings = make_settings(fresh_kafka.address, kafka={"partitions": 1})
    create_topics(settings)
    options, bytes_ = aiokafka_options(settings), settings.kafka.max_batch_bytes
    first, second = (Checkpointer(options, transactional(settings), bytes_) for _ in range(2))
    complaints: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context["message"]))
    await first.open()
    await write(first, settings)
    await second.open()
    with pytest.raises(FencedError, match="partition 0: a newer owner has taken over"):
        await write(first, settings, [(b"zombie", b"1")])
    await write(second, settings)
    assert (await everything(settings))[CHANGELOG.name] == [*CHANGES, *CHANGES]
    await first.close()
    await second.close()
    del first, second
    gc.collect()
    assert not complaints


@pytest.mark.parametrize("when", ["before checkpoint", "after begin", "after outputs"])
async def test_a_fence_that_the_client_notices_between_two_sends_is_reported_as_one(
    fresh_kafka: KafkaCluster, make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    settings = make_settings(fresh_kafka.address, kafka={"partitions": 1})
    create_topics(settings)
    checkpointer = Checkpointer(aiokafka_options(settings), transactional(settings), settings.kafka.max_batch_bytes)
    await checkpointer.open()
    await write(checkpointer, settings)

    def fence(point: str) -> None:
        if point == when:
            checkpointer._producer._txn_manager.fatal_error(ProducerFenced())

    monkeypatch.setattr(failpoints, "hook", fence)
    with pytest.raises(FencedError, match="partition 0: a newer owner has taken over"):
        await write(checkpointer, settings)
    await checkpointer.close()


@pytest.mark.io
async def test_a_broker_that_does_not_answer_is_reported(make_settings: MakeSettings) -> None:
    checkpointer = Checkpointer(aiokafka_options(make_settings()), None, 900_000)
    with pytest.raises(BrokerError, match="see `cxstream doctor`"):
        await checkpointer.open()
    await checkpointer.close()


async def test_a_checkpoint_before_opening_is_refused(make_settings: MakeSettings) -> None:
    checkpointer = Checkpointer(aiokafka_options(make_settings()), None, 900_000)
    with pytest.raises(BrokerError, match="before the producer was opened"):
        await checkpointer.write([Output("t", 0, b"k", b"v")], "c", 0, [])
