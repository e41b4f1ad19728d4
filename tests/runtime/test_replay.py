"""A replay: where it ends, what it leaves out, and that neither chunks nor order of delivery change a byte."""

import random
from collections.abc import Sequence

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition

from streams.errors import StateError
from streams.local.embedded_broker import EmbeddedBroker
from streams.replaying.results import Result
from streams.runtime import transport
from streams.runtime.connection import aiokafka_options
from streams.runtime.replay_extent import extent_of, last_records
from streams.runtime.topics import create_topics
from tests.reference import differences
from tests.support.apache_kafka import KafkaCluster
from tests.support.replays import NOON, Answer, answer, replay_of, replayed, rows, send

HOUR = 3_600_000
SURVEYS = "cx.surveys.v1"


def spread(number: int, seed: int = 1) -> list[Answer]:
    """Answers over some days, of which every tenth is sent twice and every seventh corrected an hour later."""
    chance, events = random.Random(seed), list[Answer]()
    for n in range(number):
        time = NOON + n * HOUR // 4
        events.append(answer(n, time, chance.randrange(11)))
        if n % 10 == 0:
            events.append(events[-1])
        if n % 7 == 0:
            events.append(answer(n, time, chance.randrange(11), updated_at="2024-03-01T00:00:00Z"))
    return events


def outcome_of_events(results: Sequence[Result]) -> dict[tuple[object, ...], bytes]:
    """The records by key and end."""
    return {(r.score.score, r.score.cut, r.score.cell, r.score.window, r.score.end): r.raw for r in results}


async def test_the_last_record_is_the_one_before_markers_and_aborted_records(fresh_kafka: KafkaCluster) -> None:
    settings = replay_of(fresh_kafka.address)
    create_topics(settings)
    await send(fresh_kafka.address, [answer(n, NOON, 9) for n in range(3)], partition=0, transactional_id="t")
    producer = AIOKafkaProducer(bootstrap_servers=fresh_kafka.address, transactional_id="t")
    await producer.start()
    try:
        await producer.begin_transaction()
        for partition in (0, 1) * 40:
            await producer.send_and_wait(SURVEYS, b"{}", partition=partition)
        await producer.abort_transaction()
    finally:
        await producer.stop()
    both = [TopicPartition(SURVEYS, partition) for partition in (0, 1)]
    assert await last_records(aiokafka_options(settings), both) == {both[0]: 2}


@pytest.mark.parametrize("transactional_id", [None, "source"])
async def test_a_replay_ends_with_the_records_that_were_there_when_it_began(
    fresh_kafka: KafkaCluster, transactional_id: str | None
) -> None:
    settings = replay_of(fresh_kafka.address)
    create_topics(settings)
    await send(fresh_kafka.address, [answer(n, NOON, 9) for n in range(40)], transactional_id=transactional_id)
    extent = await extent_of(settings)
    await send(fresh_kafka.address, [answer(n, NOON + HOUR, 0) for n in range(40, 60)])
    counted, results = await replayed(settings, extent)
    assert (extent.records, counted[SURVEYS].received) == (40, 40)
    [total] = [r.score for r in results if (r.score.score, r.score.cut, r.score.window) == ("nps", "total", "7d")]
    assert (total.value, total.n, total.final) == (100.0, 40, True)


@pytest.mark.broker
async def test_two_replays_in_different_chunks_give_the_same_bytes(
    fresh_broker: EmbeddedBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = fresh_broker.address
    coarse = replay_of(address, windows={"every": "6h"})
    create_topics(coarse)
    await send(address, spread(600))
    counted, whole = await replayed(coarse)
    fine = replay_of(address, windows={"every": "6h"}, kafka={"max_batch_bytes": 65_536})
    create_topics(fine)
    monkeypatch.setattr(transport, "MAX_CHUNK", 7)
    _, pieces = await replayed(fine)
    outcomes = counted[SURVEYS].outcomes
    assert (outcomes["accepted"], outcomes["corrected"], outcomes["duplicate"]) == (600, 86, 60)
    assert len({result.score.end for result in whole}) > 24
    assert outcome_of_events(whole) == outcome_of_events(pieces)


@pytest.mark.broker
async def test_records_under_other_keys_are_waited_for_and_counted(fresh_broker: EmbeddedBroker) -> None:
    address = fresh_broker.address
    events = [answer(n, NOON + n * HOUR // 4, n % 11) for n in range(200)]
    astray, at_home = (replay_of(address, windows={"every": "6h"}) for _ in range(2))
    create_topics(astray)
    await send(address, events, partition=0)
    counted, results = await replayed(astray)
    await send(address, events)
    create_topics(at_home)
    again, results_at_home = await replayed(at_home)
    assert counted[SURVEYS].outcomes["rekeyed"] == counted["cx.rekeyed.v1"].outcomes["accepted"] > 0
    assert again[SURVEYS].received == 400
    assert differences(rows(results), rows(results_at_home)) == []


@pytest.mark.broker
async def test_an_error_that_ends_a_worker_is_raised_by_a_replay(fresh_broker: EmbeddedBroker) -> None:
    address = fresh_broker.address
    first = replay_of(address)
    create_topics(first)
    await send(address, [answer(1, NOON, 9)])
    await replayed(first)
    other = replay_of(address, windows={"lengths": ["5m"]}, kafka={"prefix": first.kafka.prefix})
    with pytest.raises(StateError, match=r"other windows, cuts"):
        await replayed(other)
