"""What is in the topics at the end, read by a client the stream does not use, and what should be."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kafka import KafkaConsumer, TopicPartition

from schemas.catalogue import REJECTS, REKEYED, SCORES, SOURCE_TOPICS
from streams.core.stage1.partitioner import partition_of
from streams.settings import Settings
from tests.faults.processes import until
from tests.reference import Arrival, Event, Oracle, Row, decode, differences
from tests.reference.risk import shipped_risk
from tests.reference.windows import span_ms
from tests.support.stream import config_of

_PLACELESS = {"start": "", "end": ""}


@dataclass(frozen=True)
class Read:
    """One record of a topic, committed."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: dict[str, bytes] = field(default_factory=dict)


def read(settings: Settings, *catalogue_names: str, within: float = 60.0) -> list[Read]:
    """Everything committed in these topics now, by topic, partition and offset."""
    consumer = KafkaConsumer(
        bootstrap_servers=settings.kafka.brokers.split(","),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        fetch_max_wait_ms=50,
        fetch_max_bytes=64 << 20,
        max_partition_fetch_bytes=8 << 20,
    )
    names = {settings.topic(name): name for name in catalogue_names}
    tps = [TopicPartition(name, p) for name in names for p in range(settings.kafka.partitions)]
    found: list[Read] = []

    def at_the_end() -> bool:
        for tp, records in consumer.poll(timeout_ms=200, max_records=20_000).items():
            found.extend(
                Read(names[tp.topic], tp.partition, r.offset, r.timestamp, r.key, r.value, dict(r.headers))
                for r in records
            )
        ends = [consumer.highwater(tp) for tp in tps]
        return all(end is not None and consumer.position(tp) >= end for tp, end in zip(tps, ends, strict=True))

    try:
        consumer.assign(tps)
        consumer.seek_to_beginning(*tps)
        until(f"the end of {', '.join(names)}", at_the_end, within, every=0.0)
    finally:
        consumer.close()
    return sorted(found, key=lambda r: (r.topic, r.partition, r.offset))


_DECAYING = ("churn_risk", "churn_risk_high", "revenue_at_risk")
_BAND_CHANGES = ("newly_at_risk", "recovered")


class Expected:
    """What should come out of the records of the source topics and the re-keyed ones, by the oracle.

    A re-keyed record is judged as one of its source's, in the partition it was brought to.
    """

    def __init__(self, settings: Settings, records: Iterable[Read]) -> None:
        self.settings = settings
        self.outcomes: Counter[str] = Counter()
        self.rejects: set[tuple[str, int, int, str]] = set()
        self.rekeyed: Counter[bytes | None] = Counter()
        self.brought: Counter[bytes | None] = Counter()
        self.received = 0
        self._oracle = Oracle(config_of(settings), shipped_risk)
        self._feed(list(records))

    @property
    def is_complete(self) -> bool:
        """Whether all that has to be re-keyed has been."""
        return all(self.brought[value] >= times for value, times in self.rekeyed.items())

    def rows(self, now: int) -> list[Row]:
        """The windows that end at the first boundary after `now`."""
        return self._oracle.live(now)

    def _feed(self, records: list[Read]) -> None:
        self.received = len(records)
        for record in (r for r in records if r.topic != REKEYED.name):
            arrival = Arrival(record.topic, record.partition, record.offset, record.timestamp, record.value)
            if self._is_foreign(arrival):
                self.outcomes["rekeyed"] += 1
                self.rekeyed[record.value] += 1
            else:
                self._oracle.feed([arrival])
        for record in (r for r in records if r.topic == REKEYED.name):
            origin, _, _ = record.headers["cx-origin"].decode().split("|")
            self.brought[record.value] += 1
            self._oracle.feed([Arrival(origin, record.partition, record.offset, record.timestamp, record.value)])
        for counted in self._oracle.outcomes.values():
            self.outcomes.update(counted)
        self._expect_rejects(records)

    def _expect_rejects(self, records: list[Read]) -> None:
        for r in records:
            arrival = Arrival(r.topic, r.partition, r.offset, r.timestamp, r.value)
            event = decode(arrival) if r.topic != REKEYED.name else "never"
            reason = event if isinstance(event, str) else "future" if self._is_early(event, arrival) else "never"
            if reason != "never":
                self.rejects.add((r.topic, r.partition, r.offset, reason))

    def _is_early(self, event: Event, arrival: Arrival) -> bool:
        return event.time > arrival.arrival_ms + span_ms(self.settings.lateness.future)

    def _is_foreign(self, arrival: Arrival) -> bool:
        event = decode(arrival)
        if isinstance(event, str) or self._is_early(event, arrival):
            return False
        home = (event.customer or event.identity[1]).encode()
        return partition_of(home, self.settings.kafka.partitions) != arrival.partition


def expected(settings: Settings) -> Expected:
    """The oracle's answer to what the source topics hold now."""
    return Expected(settings, read(settings, *(topic.name for topic in SOURCE_TOPICS), REKEYED.name))


def source_records(settings: Settings) -> int:
    """How many records the source topics hold now, which no test sends in transactions."""
    consumer = KafkaConsumer(bootstrap_servers=settings.kafka.brokers.split(","), group_id=None)
    names = [settings.topic(topic.name) for topic in SOURCE_TOPICS]
    tps = [TopicPartition(name, p) for name in names for p in range(settings.kafka.partitions)]
    try:
        ends, starts = consumer.end_offsets(tps), consumer.beginning_offsets(tps)
        return sum(int(ends[tp]) - int(starts[tp]) for tp in tps)
    finally:
        consumer.close()


def latest(records: Iterable[Read]) -> dict[bytes, Any]:
    """Of each key the newest value, as compaction leaves it, decoded."""
    held: dict[bytes, Any] = {}
    for record in records:
        key = record.key or b""
        held.pop(key, None)
        if record.value is not None:
            held[key] = json.loads(record.value)
    return held


def published(settings: Settings) -> list[dict[str, Any]]:
    """The latest result of every score, cell and window in the topic."""
    return list(latest(read(settings, SCORES.name)).values())


def disagreements(wanted: Iterable[Any], found: Iterable[Any]) -> list[str]:
    """Where two sets of current results differ, whenever each was published: the ends of windows move by themselves."""
    return differences([{**row, **_PLACELESS} for row in wanted], [{**row, **_PLACELESS} for row in found])


def at_rest(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Current results as far as they stay the same while time passes.

    Churn risk decays: how high it is depends on when a worker assessed the customer last, and changes of
    its band on what came in one step. That everybody is assessed, and once, does not.
    """
    told = [row for row in rows if row["score"] not in _BAND_CHANGES]
    counted = {"counts": {}, "value": 0.0, "lower": None, "upper": None}
    return [{**row, **counted} if row["score"] in _DECAYING and row["n"] else row for row in told]


def rejected(settings: Settings) -> Iterator[tuple[str, int, int, str]]:
    """Address and reason of every dead letter, each key once."""
    for reject in latest(read(settings, REJECTS.name)).values():
        yield reject["topic"], reject["partition"], reject["offset"], reject["reason"]
