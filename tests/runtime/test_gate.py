"""While a runner is suspended no write begins; the one in flight is waited for, but not for ever."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from streams.runtime.gate import Gate


class Writer:
    """Writes as often as it is started; a write ends when the test calls `end`."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._may_end = asyncio.Semaphore(0)
        self._tasks: list[asyncio.Task[None]] = []
        self.begun = self.ended = 0

    async def start(self) -> None:
        self._tasks.append(asyncio.create_task(self._write()))
        await turns()

    async def end(self) -> None:
        self._may_end.release()
        await turns()

    async def _write(self) -> None:
        async with self._gate.open_for_write():
            self.begun += 1
            await self._may_end.acquire()
            self.ended += 1

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()


async def turns() -> None:
    """Let other tasks run; none of these needs more turns."""
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.fixture
async def gate() -> Gate:
    return Gate()


@pytest.fixture
async def writer(gate: Gate) -> AsyncIterator[Writer]:
    made = Writer(gate)
    yield made
    made.cancel()


async def test_a_new_gate_is_open(writer: Writer) -> None:
    await writer.start()
    assert writer.begun == 1


async def test_writes_go_one_at_a_time(writer: Writer) -> None:
    await writer.start()
    await writer.start()
    assert writer.begun == 1
    await writer.end()
    assert (writer.begun, writer.ended) == (2, 1)


async def test_while_suspended_no_write_begins_until_it_is_resumed(gate: Gate, writer: Writer) -> None:
    assert await gate.suspend(0.0)
    await writer.start()
    assert writer.begun == 0
    gate.resume()
    await turns()
    assert writer.begun == 1


async def test_suspending_waits_for_the_write_in_flight(gate: Gate, writer: Writer) -> None:
    await writer.start()
    suspending = asyncio.create_task(gate.suspend(60.0))
    await turns()
    assert not suspending.done()
    await writer.end()
    assert await suspending


async def test_a_write_that_waits_behind_the_one_in_flight_does_not_begin(gate: Gate, writer: Writer) -> None:
    await writer.start()
    await writer.start()
    suspending = asyncio.create_task(gate.suspend(60.0))
    await writer.end()
    assert await suspending
    assert (writer.begun, writer.ended) == (1, 1)


async def test_suspending_gives_up_on_a_write_that_takes_too_long(gate: Gate, writer: Writer) -> None:
    await writer.start()
    assert not await gate.suspend(0.01)
    assert writer.ended == 0


async def test_a_write_that_was_let_through_does_not_begin_if_the_gate_is_closed_again_at_once(
    gate: Gate, writer: Writer
) -> None:
    await gate.suspend(0.0)
    await writer.start()
    gate.resume()
    await gate.suspend(0.0)
    await turns()
    assert writer.begun == 0


async def test_a_write_that_fails_frees_the_gate(gate: Gate, writer: Writer) -> None:
    with pytest.raises(ZeroDivisionError):
        async with gate.open_for_write():
            raise ZeroDivisionError
    await writer.start()
    assert writer.begun == 1
