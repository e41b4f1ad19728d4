"""Assigned partitions are opened and others released; the rest keep their state, and no runner writes meanwhile."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
from faust.types import TP

from streams.errors import BrokerError, FencedError
from streams.runtime.fatal import OnFatal
from streams.runtime.partitions import Partitions

TOPIC = "cx.surveys.v1"


class RecordingRunner:
    """Records the calls it gets."""

    def __init__(self, partition: int) -> None:
        self.partition = partition
        self.calls: list[str] = []

    async def suspend(self, patience_s: float) -> None:
        self.calls.append("suspend")

    def resume(self) -> None:
        self.calls.append("resume")

    async def close(self, patience_s: float) -> None:
        self.calls.append("close")


class Owner:
    """Opens runners at once, or when the test sets `may_open`; records fatal errors."""

    def __init__(self) -> None:
        self.opened: list[RecordingRunner] = []
        self.errors: list[BaseException] = []
        self.failure: Exception | None = None
        self.may_open = asyncio.Event()
        self.may_open.set()
        self.partitions: Partitions[RecordingRunner] = Partitions([TOPIC], self._open, self.errors.append)

    async def assign(self, *numbers: int) -> None:
        await self.partitions.assigned({TP(TOPIC, number) for number in numbers} | {TP("another", 9)})

    async def _open(self, partition: int, on_fatal: OnFatal) -> RecordingRunner:
        await self.may_open.wait()
        if self.failure:
            raise self.failure
        self.opened.append(RecordingRunner(partition))
        return self.opened[-1]


@pytest.fixture
async def owner() -> Owner:
    return Owner()


async def rest(condition: Callable[[], object]) -> None:
    """Let other tasks run until the condition holds; a hundred turns are more than any of these needs."""
    for _ in range(100):
        if condition():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came to that")


async def test_only_partitions_of_its_own_topics_are_opened(owner: Owner) -> None:
    await owner.assign(0, 2)
    assert [await owner.partitions.get(number) for number in (0, 1, 2, 9)] == [
        owner.opened[0], None, owner.opened[1], None,
    ]  # fmt: skip
    assert sorted(owner.partitions.running) == [0, 2]


async def test_before_the_first_assignment_get_waits(owner: Owner) -> None:
    waiting = asyncio.create_task(owner.partitions.get(0))
    await asyncio.sleep(0)
    assert not waiting.done()
    await owner.assign(0)
    assert await waiting is owner.opened[0]


async def test_get_waits_until_the_state_is_loaded(owner: Owner) -> None:
    owner.may_open.clear()
    await owner.assign(0)
    waiting = asyncio.create_task(owner.partitions.get(0))
    await asyncio.sleep(0)
    assert (waiting.done(), owner.partitions.loading) == (False, [0])
    owner.may_open.set()
    assert await waiting is owner.opened[0]
    assert owner.partitions.loading == []


async def test_a_partition_that_stays_keeps_its_runner_and_resumes_after_the_rebalance(owner: Owner) -> None:
    await owner.assign(0, 1)
    await owner.partitions.get(0)
    await owner.partitions.revoked()
    await owner.assign(0, 1)
    assert [runner.calls for runner in owner.opened] == [["suspend", "resume"]] * 2


async def test_a_partition_that_leaves_is_closed_and_opened_again_when_it_comes_back(owner: Owner) -> None:
    await owner.assign(0)
    first = await owner.partitions.get(0)
    await owner.partitions.revoked()
    await owner.assign()
    assert first is not None
    assert first.calls == ["suspend", "close"]
    assert await owner.partitions.get(0) is None
    await owner.assign(0)
    assert await owner.partitions.get(0) is owner.opened[1]


async def test_a_runner_opened_during_a_rebalance_is_suspended_until_the_rebalance_ends(owner: Owner) -> None:
    owner.may_open.clear()
    await owner.assign(0)
    await owner.partitions.revoked()
    owner.may_open.set()
    await rest(lambda: owner.partitions.running)
    assert owner.opened[0].calls == ["suspend"]
    await owner.assign(0)
    assert owner.opened[0].calls == ["suspend", "resume"]


async def test_a_partition_revoked_while_it_opens_is_not_waited_for(owner: Owner) -> None:
    owner.may_open.clear()
    await owner.assign(0)
    waiting = asyncio.create_task(owner.partitions.get(0))
    await asyncio.sleep(0)
    await owner.partitions.revoked()
    await owner.assign()
    assert await waiting is None
    assert not owner.errors


async def test_an_error_of_a_partition_revoked_while_it_opened_does_not_end_the_worker(owner: Owner) -> None:
    async def deaf(partition: int, on_fatal: OnFatal) -> RecordingRunner:
        with suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        raise BrokerError("gone")

    owner.partitions = Partitions([TOPIC], deaf, owner.errors.append)
    await owner.assign(0)
    (opening,) = owner.partitions._tasks.values()
    await asyncio.sleep(0)
    await owner.partitions.revoked()
    await owner.assign()
    await rest(opening.done)
    await asyncio.sleep(0)
    assert not owner.errors


async def test_a_runner_that_opens_after_its_partition_was_revoked_is_closed(owner: Owner) -> None:
    async def deaf(partition: int, on_fatal: OnFatal) -> RecordingRunner:
        with suppress(asyncio.CancelledError):  # as a client may do that was just closing
            await asyncio.Event().wait()
        owner.opened.append(RecordingRunner(partition))
        return owner.opened[-1]

    owner.partitions = Partitions([TOPIC], deaf, owner.errors.append)
    await owner.assign(1)
    await rest(lambda: owner.partitions.loading == [1])
    await asyncio.sleep(0)
    await owner.assign()
    await rest(lambda: owner.opened and owner.opened[0].calls)
    assert owner.opened[0].calls == ["close"]
    assert not owner.partitions.running
    assert not owner.errors


async def test_a_partition_that_cannot_be_opened_is_reported(owner: Owner) -> None:
    owner.failure = BrokerError("no broker")
    await owner.assign(0)
    await rest(lambda: owner.errors)
    assert owner.errors == [owner.failure]


async def test_being_fenced_ends_the_worker_only_outside_a_rebalance(owner: Owner) -> None:
    await owner.assign(0)
    await owner.partitions.revoked()
    owner.partitions.runner_failed(FencedError("a newer owner"))
    assert not owner.errors
    owner.partitions.runner_failed(BrokerError("no broker"))
    await owner.assign(0)
    owner.partitions.runner_failed(FencedError("a newer owner"))
    assert [type(error) for error in owner.errors] == [BrokerError, FencedError]


async def test_closing_closes_all_runners(owner: Owner) -> None:
    await owner.assign(0, 1)
    await owner.partitions.get(1)
    await owner.partitions.close()
    assert [runner.calls[-1] for runner in owner.opened] == ["close", "close"]
    assert not owner.partitions.running
