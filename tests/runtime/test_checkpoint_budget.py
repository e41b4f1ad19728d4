"""Without transactions a checkpoint is one record batch: the changes of the state fit into it for any input."""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from streams.app import definition
from streams.runtime.checkpoint import Change, Output
from streams.runtime.publishing import Publisher
from streams.runtime.stage1_runner import Stage1Runner
from streams.runtime.telemetry import Telemetry
from tests.reference.contracts import CALLS, KINDS, SURVEYS, TICKETS
from tests.reference.windows import moment_of
from tests.support.arrivals import DAY, HOUR, MINUTE
from tests.support.brokers import make_settings
from tests.support.stream import Record

SETTINGS = make_settings(kafka={"partitions": 1})
LIMIT = SETTINGS.kafka.max_batch_bytes
NOW = 1_704_110_400_000
LONG = 128 * "\N{PILE OF POO}"
"""As many bytes as a label can have."""

OWN: dict[str, dict[str, Any]] = {
    SURVEYS: {"survey": "s", "kind": "csat", "score": 3},
    CALLS: {"outcome": "abandoned"},
    TICKETS: {"change": "opened"},
}
LABELS = ("touchpoint", "channel", "team", "segment")


class MeasuringCheckpointer:
    """Writes no record, and records how large a batch each checkpoint would be."""

    atomic_limit = LIMIT

    def __init__(self) -> None:
        self.sizes: list[int] = []

    async def write(
        self,
        before_state: Sequence[Output],
        changelog: str,
        partition: int,
        changes: Sequence[Change],
        after_state: Sequence[Output] = (),
    ) -> int:
        batch = DefaultRecordBatchBuilder(
            magic=2,
            compression_type=0,
            is_transactional=0,
            producer_id=-1,
            producer_epoch=-1,
            base_sequence=-1,
            batch_size=1 << 30,
        )
        for number, (key, value) in enumerate(changes):
            batch.append(number, NOW, key, value, [])
        self.sizes.append(batch.size())
        return self.sizes[-1]


@dataclass(eq=False)
class Chunk:
    """A message of the transport, as far as the runner looks at it."""

    value: list[Record]
    acked: bool = field(default=False)

    def ack(self) -> None:
        self.acked = True


class Feed:
    """A runner of the one partition, and the offsets of what it is given."""

    def __init__(self) -> None:
        failures: list[BaseException] = []
        definition_ = definition(SETTINGS)
        publisher, telemetry = Publisher(SETTINGS), Telemetry(CollectorRegistry())
        self.runner = Stage1Runner(0, definition_, SETTINGS, {}, publisher, telemetry, False, failures.append)
        self.measured = MeasuringCheckpointer()
        self.runner._checkpointer = self.measured  # type: ignore[assignment]
        self._failures = failures
        self._offsets: dict[str, int] = {}

    async def take(self, topic: str, events: Sequence[dict[str, Any]], arrival: int = NOW) -> None:
        """Give it the events as one chunk, and wait until it is durable."""
        first = self._offsets.get(topic, 0)
        self._offsets[topic] = first + len(events)
        chunk = Chunk([Record(first + n, arrival, None, json.dumps(event).encode()) for n, event in enumerate(events)])
        await self.runner.take(topic, chunk)  # type: ignore[arg-type]
        await self.runner.wait_until_durable()
        assert chunk.acked
        assert not self._failures

    def largest(self) -> int:
        return max(self.measured.sizes)


def event(number: int, time: int, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": f"e{number}",
        "record_id": f"r{number}",
        "time": moment_of(time),
        "customer": f"c{number}",
        **fields,
    }


def answer(number: int, time: int, **fields: Any) -> dict[str, Any]:
    return event(number, time, **({"survey": "s", "kind": "nps", "score": 1} | fields))


def labels(number: int, length: int = 128) -> dict[str, str]:
    """A value of its own for every dimension, as long as it may be."""
    return dict.fromkeys(LABELS, (f"{number}-" + LONG)[:length])


async def test_events_of_their_own_cells_panes_and_customers() -> None:
    feed = Feed()
    await feed.take(SURVEYS, [answer(n, NOW - n * 2 * HOUR, **labels(n)) for n in range(350)])
    assert feed.largest() < LIMIT


async def test_events_that_count_in_no_score() -> None:
    feed = Feed()
    await feed.take(TICKETS, [event(n, NOW - n * HOUR, change="updated", **labels(n)) for n in range(700)])
    assert feed.largest() < LIMIT


async def test_customers_with_long_names_whose_assessments_move() -> None:
    feed = Feed()
    names = [f"{n:04}" + 252 * "\N{PILE OF POO}" for n in range(400)]
    for turn in range(3):
        times = [NOW - (20 - turn) * DAY + n * HOUR for n in range(400)]
        await feed.take(TICKETS, [
            event(1_000 * turn + n, times[n], change="opened", **labels(1_000 * turn + n, 20)) | {"customer": names[n]}
            for n in range(400)
        ])  # fmt: skip
    assert feed.largest() < LIMIT


async def test_assessments_that_leave_panes_of_their_own_for_one() -> None:
    feed = Feed()
    for begin in range(0, 3_000, 500):
        await feed.take(
            CALLS,
            [
                event(n, NOW - n * 10 * MINUTE, outcome="answered", **labels(n % 90, 9))
                for n in range(begin, begin + 500)
            ],
        )
    before = len(feed.measured.sizes)
    again = [event(10_000 + n, NOW, outcome="answered") | {"customer": f"c{n}"} for n in range(3_000)]
    await feed.take(CALLS, again)
    assert len(feed.measured.sizes) > before + 1
    assert feed.largest() < LIMIT


async def test_panes_with_every_score_in_them() -> None:
    feed = Feed()
    every = [
        (kind, score, program)
        for kind, (low, high) in KINDS.items()
        for score in range(low, high + 1)
        for program in ("transactional", "relationship")
    ]
    chunk = [
        answer(len(every) * pane + n, NOW - pane * HOUR, kind=kind, score=score, program=program, team=f"{pane}")
        for pane in range(70)
        for n, (kind, score, program) in enumerate(every)
    ]
    await feed.take(SURVEYS, chunk)
    assert feed.largest() < LIMIT


async def test_a_watermark_that_jumps_and_closes_every_pane() -> None:
    feed = Feed()
    for begin in range(0, 6_000, 1_000):
        await feed.take(
            SURVEYS,
            [
                answer(n, NOW + n * 1_000, touchpoint=f"t{n % 7}", channel=f"c{n % 3}")
                for n in range(begin, begin + 1_000)
            ],
            NOW + begin * 1_000 + 1_000_000,
        )
    await feed.take(SURVEYS, [answer(9_999, NOW + 90 * DAY)], NOW + 90 * DAY)
    assert feed.largest() < LIMIT


@pytest.mark.slow
async def test_ledgers_that_have_grown_too_old_all_at_once() -> None:
    feed = Feed()
    dice = random.Random(1)
    for turn in range(20):
        times = [NOW + dice.randrange(35 * DAY) for _ in range(2_000)]
        calls = [event(2_000 * turn + n, times[n], outcome="answered", wait=1.0, talk=2.0) for n in range(2_000)]
        for n, call in enumerate(calls):
            call["customer"] = f"c{n % 70}"
        await feed.take(CALLS, calls, NOW + 36 * DAY)
    for turn in range(30):
        await feed.take(CALLS, [event(90_000 + turn, NOW + (75 + turn) * DAY, outcome="answered")], NOW + 120 * DAY)
    assert feed.largest() < LIMIT


def adversarial() -> Iterator[st.SearchStrategy[Any]]:
    yield st.sampled_from((SURVEYS, CALLS, TICKETS))
    yield st.integers(0, 90)
    yield st.sampled_from((0, 1, 60, 128))
    yield st.sampled_from((1, MINUTE, HOUR, DAY))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(*adversarial()), min_size=1, max_size=12))
@pytest.mark.slow
async def test_any_mixture_of_them(turns: list[tuple[str, int, int, int]]) -> None:
    feed = Feed()
    number = 0
    for topic, customers, length, step in turns:
        events = []
        for _ in range(300):
            number += 1
            time = NOW - number * step % (40 * DAY)
            events.append(event(number, time, **OWN[topic], **(labels(number, length) if length else {})))
            if customers:
                events[-1]["customer"] = f"c{number % customers}"
        await feed.take(topic, events)
    assert feed.largest() < LIMIT
