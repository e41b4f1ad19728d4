"""The latest result of each key in the topic of scores, read without a group as any downstream service can."""

import asyncio
from typing import NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from schemas.catalogue import SCORES
from schemas.score import Score
from streams.errors import BrokerError
from streams.runtime.connection import aiokafka_options
from streams.settings import Settings

_decode = msgspec.json.Decoder(Score).decode
_POLL_MS = 250


class Key(NamedTuple):
    """Identifies a result."""

    score: str
    cut: str
    cell: str
    window: str


class Scores:
    """The latest result of each score, cell and window."""

    def __init__(self) -> None:
        self.latest: dict[Key, Score] = {}

    def add(self, value: bytes) -> None:
        """Take over one more record of the topic."""
        score = _decode(value)
        self.latest[Key(score.score, score.cut, score.cell, score.window)] = score

    def find(self, score: str, cut: str, cell: str, window: str) -> Score | None:
        """The latest result, or None where its window is empty."""
        result = self.latest.get(Key(score, cut, cell, window))
        return result if result and result.n else None

    def cells(self, cut: str) -> list[str]:
        """The cells of a cut that have a result, empty or not, in order of their names."""
        return sorted({key.cell for key in self.latest if key.cut == cut})


async def follow(settings: Settings, scores: Scores) -> None:
    """Add every record of the topic to `scores`, from its beginning on, until cancelled. Raises `BrokerError`."""
    consumer = AIOKafkaConsumer(
        **aiokafka_options(settings),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
    )
    try:
        await consumer.start()
        name = settings.topic(SCORES.name)
        consumer.assign([TopicPartition(name, partition) for partition in range(settings.kafka.partitions)])
        while True:
            for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                for record in records:
                    scores.add(record.value)
            await asyncio.sleep(0)
    except KafkaError as error:
        raise BrokerError(f"{SCORES.name}: cannot be read: {error!r}; see `cxstream doctor`") from None
    finally:
        await consumer.stop()
