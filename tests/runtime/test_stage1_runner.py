"""Chunks are acknowledged in order, each when a checkpoint with its changes is durable, and never before."""

import asyncio
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry

from schemas.catalogue import REKEYED
from streams.app import definition
from streams.core.stage1.outcomes import TopicProgress
from streams.errors import BrokerError
from streams.runtime.checkpoint import Change, Output
from streams.runtime.publishing import ORIGIN, Publisher
from streams.runtime.stage1_runner import Stage1Runner
from streams.runtime.telemetry import Telemetry
from tests.reference.contracts import CALLS, SURVEYS
from tests.reference.windows import moment_of
from tests.support.arrivals import NOON
from tests.support.stream import Record, settings_with

SETTINGS = settings_with(kafka={"partitions": 1})


class SlowCheckpointer:
    """A write ends when the test releases `may_land`; the size of each is recorded."""

    atomic_limit = None

    def __init__(self) -> None:
        self.written: list[tuple[int, int]] = []
        self.started = 0
        self.failure: Exception | None = None
        self.may_land = asyncio.Semaphore(0)
        self.closed = False

    async def write(
        self,
        before_state: Sequence[Output],
        changelog: str,
        partition: int,
        changes: Sequence[Change],
        after_state: Sequence[Output] = (),
    ) -> int:
        self.started += 1
        await self.may_land.acquire()
        if self.failure:
            raise self.failure
        self.written.append((len(before_state), len(changes)))
        return 100

    async def close(self) -> None:
        self.closed = True


@dataclass(eq=False)
class Chunk:
    """A message of the transport, as far as the runner looks at it; `acks` is shared, to see the order."""

    value: list[Record]
    acks: list["Chunk"]

    def ack(self) -> None:
        self.acks.append(self)


def answered(
    offsets: Iterable[int], acks: list[Chunk] | None = None, headers: tuple[tuple[str, bytes], ...] = ()
) -> Chunk:
    """A survey's answer at each of these offsets."""
    records = []
    for o in offsets:
        answer = {
            "event_id": "e",
            "record_id": f"r{o}",
            "time": moment_of(NOON),
            "survey": "s",
            "kind": "nps",
            "score": 9,
        }
        records.append(Record(o, NOON, None, json.dumps(answer).encode(), headers))
    return Chunk(records, [] if acks is None else acks)


class Bench:
    """A runner without a broker."""

    def __init__(self) -> None:
        self.failures: list[BaseException] = []
        self.acks: list[Chunk] = []
        self.slow = SlowCheckpointer()
        defined = definition(SETTINGS)
        telemetry = Telemetry(CollectorRegistry())
        self.runner = Stage1Runner(0, defined, SETTINGS, {}, Publisher(SETTINGS), telemetry, True, self.failures.append)
        self.runner._checkpointer = self.slow  # type: ignore[assignment]

    def chunk(self, *offsets: int, headers: tuple[tuple[str, bytes], ...] = ()) -> Chunk:
        return answered(offsets, self.acks, headers)

    async def take(self, chunk: Chunk, topic: str = SURVEYS) -> Chunk:
        await self.runner.take(topic, chunk)  # type: ignore[arg-type]
        return chunk

    async def land(self, times: int = 1) -> None:
        for _ in range(times):
            self.slow.may_land.release()
        await turns()


async def turns() -> None:
    """Let other tasks run; none of these needs more turns."""
    for _ in range(20):
        await asyncio.sleep(0)


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_a_chunk_is_acknowledged_only_when_its_checkpoint_is_durable(bench: Bench) -> None:
    chunk = await bench.take(bench.chunk(0, 1))
    await turns()
    assert (bench.slow.started, bench.acks, bench.runner.durable_offsets) == (1, [], {})
    await bench.land()
    assert bench.acks == [chunk]
    assert bench.runner.durable_offsets == {SURVEYS: 1}


async def test_chunks_applied_while_a_checkpoint_is_in_flight_share_the_next_one(bench: Bench) -> None:
    chunks = [await bench.take(bench.chunk(number)) for number in range(4)]
    await bench.land()
    assert bench.acks == chunks[:1]
    await bench.land()
    assert bench.acks == chunks
    assert (bench.slow.started, bench.runner.durable_offsets) == (2, {SURVEYS: 3})


async def test_a_checkpoint_that_fails_acknowledges_nothing_and_is_reported(bench: Bench) -> None:
    bench.slow.failure = BrokerError("no broker")
    await bench.take(bench.chunk(0))
    await bench.land()
    assert (bench.acks, bench.failures, bench.runner.durable_offsets) == ([], [bench.slow.failure], {})


async def feed(bench: Bench, numbers: Iterable[int]) -> None:
    for number in numbers:
        await bench.take(bench.chunk(number))


async def test_too_many_unacknowledged_chunks_delay_the_next(bench: Bench) -> None:
    await bench.take(bench.chunk(0))
    await turns()
    waiting = asyncio.create_task(feed(bench, range(1, 12)))
    await turns()
    assert not waiting.done()
    assert bench.slow.started == 1
    await bench.land(12)
    assert waiting.done()
    assert len(bench.acks) == 12


async def test_a_suspended_runner_writes_no_checkpoint_until_it_is_resumed(bench: Bench) -> None:
    await bench.runner.suspend(0.0)
    await bench.take(bench.chunk(0))
    await turns()
    assert bench.slow.started == 0
    bench.runner.resume()
    await bench.land()
    assert len(bench.acks) == 1


async def test_suspending_waits_for_the_checkpoint_in_flight_but_not_for_ever(bench: Bench) -> None:
    await bench.take(bench.chunk(0))
    await turns()
    patient = asyncio.create_task(bench.runner.suspend(60.0))
    await turns()
    assert not patient.done()
    await bench.land()
    assert patient.done()
    bench.runner.resume()
    await bench.take(bench.chunk(1))
    await turns()
    await bench.runner.suspend(0.01)


async def test_after_closing_nothing_is_acknowledged_or_reported(bench: Bench) -> None:
    await bench.take(bench.chunk(0))
    await turns()
    await bench.runner.close(0.0)
    await bench.land()
    await bench.take(bench.chunk(1))
    assert bench.slow.closed
    assert (bench.acks, bench.failures) == ([], [])


async def test_records_that_are_in_the_state_are_not_counted_again(bench: Bench) -> None:
    first, again = bench.chunk(0, 1, 2), bench.chunk(1, 2, 3)
    await bench.take(first)
    await bench.take(again)
    await bench.land(2)
    assert bench.acks == [first, again]
    assert bench.runner.state.progress[SURVEYS].received == 4


async def test_markers_behind_the_last_record_count_as_applied_once_the_record_is(bench: Bench) -> None:
    await bench.take(bench.chunk(0, 1))
    await bench.land()
    bench.runner.advance_past_gap(SURVEYS, 5, 9)
    assert bench.runner.state.applied(SURVEYS) == 1
    bench.runner.advance_past_gap(SURVEYS, 1, 4)
    bench.runner.advance_past_gap(SURVEYS, 1, 3)
    await bench.land()
    assert bench.runner.durable_offsets == {SURVEYS: 3}


async def test_a_rekeyed_record_counts_for_its_source_and_one_without_origin_is_rejected(bench: Bench) -> None:
    known = bench.chunk(0, headers=((ORIGIN, f"{SURVEYS}|3|17".encode()),))
    strangers = [bench.chunk(1), bench.chunk(2, headers=((ORIGIN, b"\xff|"),))]
    for chunk in (known, *strangers):
        await bench.take(chunk, REKEYED.name)
    await bench.land(2)
    progress = bench.runner.state.progress[REKEYED.name]
    assert (progress.applied, progress.outcomes["accepted"], progress.outcomes["rejected"]) == (2, 1, 2)
    assert progress.reasons == {"wrong_topic": 2}
    assert bench.acks == [known, *strangers]


@pytest.mark.parametrize(
    ("position", "start", "gone"),
    [(10, 10, None), (4, 10, None), (10, 12, "records 10 to 11 are gone"), (4, 12, "records 10 to 11 are gone"),
     (15, 17, "records 15 to 16 are gone"), (10, 0, "the topic was recreated")],
)  # fmt: skip
async def test_records_deleted_before_they_are_read_are_a_hole_unless_they_are_in_the_state(
    bench: Bench, position: int, start: int, gone: str | None
) -> None:
    bench.runner.state.progress[CALLS] = TopicProgress(applied=9)
    bench.runner.on_records_deleted(CALLS, position, start)
    assert [gone in str(error) for error in bench.failures if gone] == ([] if gone is None else [True])
    assert len(bench.failures) == (gone is not None)
