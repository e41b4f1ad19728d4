"""A partition is opened from its changelog; the work of its former owner during the opening is no hole."""

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from streams.app import definition
from streams.errors import HoleError
from streams.runtime.connection import aiokafka_options, transactions_supported
from streams.runtime.holes import LogPosition
from streams.runtime.publishing import Publisher
from streams.runtime.stage1_runner import Stage1Runner
from streams.runtime.telemetry import Telemetry
from streams.runtime.topics import create_topics
from streams.settings import Settings
from tests.reference.contracts import SURVEYS
from tests.runtime.test_stage1_runner import Chunk, answered
from tests.support.brokers import MakeSettings

TAKEN = 8


class LogsOfAFormerOwner:
    """Answers, and lets the former owner do its work just before the first answer."""

    def __init__(self, former: "Owner | None", committed: int) -> None:
        self._former = former
        self._committed = committed

    async def positions(self) -> dict[str, LogPosition]:
        if self._former:
            await self._former.work()
        return {SURVEYS: LogPosition(0, self._committed)}

    async def ends(self) -> dict[str, int]:
        return {SURVEYS: TAKEN}


class Owner:
    """A worker that opens partition 0; `former` does its work before the state is read."""

    def __init__(self, settings: Settings, transactional: bool) -> None:
        self.failures: list[BaseException] = []
        self.runner = Stage1Runner(
            0,
            definition(settings),
            settings,
            aiokafka_options(settings),
            Publisher(settings),
            Telemetry(CollectorRegistry()),
            transactional,
            self.failures.append,
        )

    async def open(self, former: "Owner | None" = None, committed: int = -1) -> None:
        await self.runner.open(LogsOfAFormerOwner(former, committed))

    async def work(self) -> None:
        """Take some records, and close once they are durable."""
        await self.open()
        chunk: Chunk = answered(range(TAKEN))
        await self.runner.take(SURVEYS, chunk)  # type: ignore[arg-type]
        async with asyncio.timeout(20):
            while chunk not in chunk.acks:  # noqa: ASYNC110 - an acknowledgement sets no event
                await asyncio.sleep(0.01)
        await self.runner.close(1.0)


@pytest.fixture
async def owners(any_broker: str, make_settings: MakeSettings) -> tuple[Owner, Owner]:
    settings = make_settings(any_broker, kafka={"partitions": 1})
    create_topics(settings)
    transactional = await transactions_supported(settings)
    return Owner(settings, transactional), Owner(settings, transactional)


async def test_records_acknowledged_by_the_former_owner_up_to_the_opening_are_in_the_state(
    owners: tuple[Owner, Owner],
) -> None:
    former, owner = owners
    await owner.open(former, committed=TAKEN)
    assert owner.runner.state.applied(SURVEYS) == TAKEN - 1
    assert not former.failures + owner.failures
    await owner.runner.close(0.0)


async def test_a_record_that_was_acknowledged_and_is_not_in_the_state_is_a_hole(owners: tuple[Owner, Owner]) -> None:
    former, owner = owners
    with pytest.raises(HoleError, match=f"records {TAKEN} to {TAKEN} are gone or were acknowledged"):
        await owner.open(former, committed=TAKEN + 1)
    await owner.runner.close(0.0)
