"""The logs of a partition are asked in order, as the catalogue names them; a failed opening is closed."""

from collections.abc import Collection
from typing import Any, cast

import pytest
from aiokafka import TopicPartition
from prometheus_client import CollectorRegistry

from schemas.catalogue import REKEYED, SOURCE_TOPICS
from streams.app import definition
from streams.errors import BrokerError, HoleError
from streams.runtime import opening
from streams.runtime.faust_app import BatchApp
from streams.runtime.holes import LogPosition, SourceLogs
from streams.runtime.offsets import Isolation, OffsetReader, OffsetsByPartition
from streams.runtime.opening import PartitionLogs, PartitionOpener, committed_offsets
from streams.runtime.stage1_runner import Stage1Runner
from streams.runtime.stage2_runner import Stage2Runner
from streams.runtime.telemetry import Telemetry
from tests.reference.contracts import SURVEYS
from tests.support.stream import settings_with

SETTINGS = settings_with(kafka={"partitions": 1, "prefix": "test."})
TP = TopicPartition(SURVEYS, 0)
questions: list[str] = []


class RecordingReader(OffsetReader):
    """Answers without a broker, and records the questions of all readers."""

    async def __aenter__(self) -> OffsetReader:
        questions.append("connect")
        return self

    async def __aexit__(self, *of_the_error: object) -> None:
        questions.append("disconnect")

    async def starts(self, partitions: Collection[TopicPartition]) -> OffsetsByPartition:
        questions.append("starts")
        return dict.fromkeys(partitions, 3)

    async def ends(self, partitions: Collection[TopicPartition], isolation: Isolation) -> OffsetsByPartition:
        questions.append(f"ends {isolation}")
        return dict.fromkeys(partitions, 8)


async def committed(tps: Collection[TopicPartition]) -> OffsetsByPartition:
    questions.append("committed")
    return dict.fromkeys(tps, 5)


@pytest.fixture
def opener(monkeypatch: pytest.MonkeyPatch) -> PartitionOpener:
    async def without_transactions(settings: object) -> bool:
        questions.append("transactions")
        return False

    questions.clear()
    monkeypatch.setattr(opening, "OffsetReader", RecordingReader)
    monkeypatch.setattr(opening, "transactions_supported", without_transactions)
    telemetry = Telemetry(CollectorRegistry())
    return PartitionOpener(SETTINGS, definition(SETTINGS), telemetry, committed, None, lambda: False)


@pytest.mark.usefixtures("opener")
async def test_positions_and_ends_are_named_as_in_the_catalogue() -> None:
    logs = PartitionLogs({}, {TP: SURVEYS}, committed)
    assert await logs.positions() == {SURVEYS: LogPosition(3, 5)}
    assert await logs.ends() == {SURVEYS: 8}


async def test_no_connection_stays_open_while_the_state_is_read(
    opener: PartitionOpener, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def open_(self: Stage1Runner, logs: SourceLogs) -> None:
        asked = {topic.name for topic in (*SOURCE_TOPICS, REKEYED)}
        assert (await logs.positions()).keys() == asked
        questions.append("state")
        assert (await logs.ends()).keys() == asked

    monkeypatch.setattr(Stage1Runner, "open", open_)
    await opener.open_stage1(0, print)
    assert questions == [
        "transactions", "connect", "starts", "disconnect", "committed", "state",
        "connect", "ends read_uncommitted", "disconnect",
    ]  # fmt: skip


@pytest.mark.parametrize("runner", [Stage1Runner, Stage2Runner])
async def test_a_runner_that_cannot_be_opened_is_closed(
    opener: PartitionOpener, monkeypatch: pytest.MonkeyPatch, runner: type[Any]
) -> None:
    async def fail(self: object, *args: object) -> None:
        raise BrokerError("no broker")

    async def close(self: object, patience_s: float) -> None:
        questions.append(f"close {patience_s:g}")

    monkeypatch.setattr(runner, "open", fail)
    monkeypatch.setattr(runner, "close", close)
    open_ = opener.open_stage1 if runner is Stage1Runner else opener.open_stage2
    with pytest.raises(BrokerError, match="no broker"):
        await open_(0, print)
    assert questions[-1] == "close 0"


async def test_the_broker_is_asked_for_transactions_once(
    opener: PartitionOpener, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def open_(self: object, *args: object) -> None: ...

    monkeypatch.setattr(Stage1Runner, "open", open_)
    monkeypatch.setattr(Stage2Runner, "open", open_)
    await opener.open_stage1(0, print)
    await opener.open_stage2(0, print)
    assert questions.count("transactions") == 1


class StoppedApp:
    """An app that has no consumer any more."""

    started = False


async def test_without_a_consumer_there_are_no_committed_offsets_to_compare() -> None:
    with pytest.raises(HoleError, match="the consumer is gone"):
        await committed_offsets(cast(BatchApp, StoppedApp()), [TP])
