"""Seeded input with everything that goes wrong in it: duplicates, edits, lateness, rejects, wrong keys."""

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from kafka import KafkaProducer

from streams.core.stage1.partitioner import partition_of
from tests.reference.contracts import CALLS, KINDS, SURVEYS, TICKETS
from tests.reference.windows import moment_of

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
WINDOWS = ["24h", "7d"]
CUTS = ["total", "touchpoint", "team", "touchpoint+channel"]
JUNK = (None, b"", b"{", b'"text"', b"\xff\xfe", b'{"event_id": "e"}', b"[" * 3_000)


class Sent(NamedTuple):
    """One record as a producer sends it."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None


class Traffic:
    """A company's events around `now` (ms), the same for the same seed.

    Event times keep their distance from the borders of `WINDOWS`, so that at rest nothing moves for
    half an hour. What has a wrong key has it in all its versions.
    """

    def __init__(self, seed: int, now: int, partitions: int, customers: int = 300) -> None:
        self._random = random.Random(seed)
        self._now = now
        self._partitions = partitions
        self._customers = customers
        self._number = 0
        self._recent: list[tuple[Sent, dict[str, Any]]] = []

    def first(self) -> list[Sent]:
        """One recent answer for each source partition, so that every watermark is near now."""
        found: dict[tuple[str, int], Sent] = {}
        while len(found) < 3 * self._partitions:
            sent, _ = self._new(lateness=0.0, wrong=0.0)
            found.setdefault((sent.topic, sent.partition), sent)
        return list(found.values())

    def take(self, count: int) -> list[Sent]:
        """The next records."""
        return [self._next() for _ in range(count)]

    def _next(self) -> Sent:
        dice = self._random.random()
        if self._recent and dice < 0.06:
            return self._random.choice(self._recent)[0]
        if self._recent and dice < 0.12:
            return self._edited(*self._random.choice(self._recent))
        if dice < 0.14:
            return self._junk()
        sent, fields = self._new(lateness=0.01, wrong=0.03)
        self._recent = [*self._recent[-200:], (sent, fields)]
        return sent

    def _new(self, lateness: float, wrong: float) -> tuple[Sent, dict[str, Any]]:
        topic = self._random.choices((SURVEYS, CALLS, TICKETS), (5, 3, 2))[0]
        late = self._random.random() < lateness
        fields = self._envelope(40 * DAY if late else self._age()) | self._own(topic)
        home = fields["customer"] if fields["customer"] not in ("", "0") else fields["record_id"]
        key = f"wrong-{self._number}" if not late and self._random.random() < wrong else home
        return self._sent(topic, key, fields), fields

    def _age(self) -> int:
        if self._random.random() < 0.8:
            return self._random.randrange(30 * MINUTE, 20 * HOUR)
        return self._random.randrange(2 * DAY, 6 * DAY)

    def _envelope(self, age: int) -> dict[str, Any]:
        self._number += 1
        pick = self._random
        customer = pick.choices((f"c-{pick.randrange(self._customers)}", "", "0"), (90, 5, 5))[0]
        return {
            "event_id": f"e-{self._number}", "record_id": f"r-{self._number}", "time": moment_of(self._now - age),
            "revision": 5, "customer": customer, "touchpoint": pick.choice(("checkout", "support", "delivery", "")),
            "channel": pick.choice(("web", "phone", "mail")), "team": pick.choice(("red", "blue", "a+b")),
        }  # fmt: skip

    def _own(self, topic: str) -> dict[str, Any]:
        pick = self._random
        if topic == CALLS:
            call: dict[str, Any] = {
                "outcome": pick.choice(("answered", "answered", "abandoned")),
                "wait": 3.5,
                "talk": 120.25,
            }
            return call | pick.choice(({}, {"transfers": 0}, {"transfers": 2, "hold": 7.5, "after_call": 0.0}))
        if topic == TICKETS:
            change = pick.choice(("opened", "first_reply", "solved", "reopened", "escalated"))
            return {"change": change, "opened_at": "2023-12-31T00:00:00Z", "approval": pick.choice((None, True, False))}
        kind = pick.choice(sorted(KINDS))
        state = pick.choices(("answered", "invited", "declined"), (6, 2, 1))[0]
        own: dict[str, Any] = {"survey": "s", "kind": kind, "state": state}
        return own | ({"score": pick.randint(*KINDS[kind])} if state == "answered" else {})

    def _edited(self, sent: Sent, fields: dict[str, Any]) -> Sent:
        """Another version of the record, newer or, coming late itself, older."""
        edited = fields | self._own(sent.topic) | {"revision": self._random.randrange(1, 10)}
        if sent.topic == SURVEYS:
            edited |= {"state": "answered", "score": self._random.randint(*KINDS[edited["kind"]])}
        return sent._replace(value=json.dumps(edited).encode())

    def _junk(self) -> Sent:
        topic = self._random.choice((SURVEYS, CALLS, TICKETS))
        if self._random.random() < 0.3:
            ahead = self._random.choice((HOUR, 365 * DAY))
            return self._sent(topic, "early", self._envelope(-ahead) | self._own(topic))
        return Sent(topic, self._random.randrange(self._partitions), b"junk", self._random.choice(JUNK))

    def _sent(self, topic: str, key: str, fields: dict[str, Any]) -> Sent:
        return Sent(topic, partition_of(key.encode(), self._partitions), key.encode(), json.dumps(fields).encode())


def send(brokers: str, records: Sequence[Sent]) -> None:
    """Send them, each where it says, and wait until all have arrived."""
    producer = KafkaProducer(bootstrap_servers=brokers.split(","), acks="all", linger_ms=20)
    try:
        futures = [producer.send(r.topic, r.value, r.key, partition=r.partition) for r in records]
        producer.flush(30)
        for future in futures:
            future.get(30)
    finally:
        producer.close()


def portions(records: Sequence[Sent], size: int) -> Iterator[Sequence[Sent]]:
    """The records in pieces of at most `size`."""
    return (records[at : at + size] for at in range(0, len(records), size))
