"""How records reach the topics: mostly at once, sometimes twice, late, in another order, or broken."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import exp, log
from random import Random
from typing import Any, Literal, NamedTuple

import msgspec

from schemas.envelope import UNIDENTIFIED
from streams.simulation.story import Event

Note = Literal["fresh", "late", "duplicate", "invalid"]
_SLOW = 0.05


class Message(NamedTuple):
    """One record of a topic, to be sent at `time_ms`; `note` says what the simulator meant by it."""

    topic: str
    key: bytes
    value: bytes
    time_ms: int
    note: Note = "fresh"


@dataclass(frozen=True)
class Noise:
    """Shares of records that are sent 2 to 8 times, late by minutes to hours, or accompanied by a broken one.

    Every record takes `jitter` seconds on average, one in twenty ten times that: enough to overtake each other.
    """

    duplicates: float = 0.01
    late: float = 0.005
    invalid: float = 0.004
    jitter: float = 0.4

    @property
    def messages_per_event(self) -> float:
        """How many messages an event leads to on average: one, the broken ones, and 1.81 for each repeated one."""
        return 1 + self.invalid + 1.81 * self.duplicates


class Courier:
    """Delivers the events of a story."""

    def __init__(self, rng: Random, noise: Noise) -> None:
        self._rng, self._noise = rng, noise
        self._twice = noise.late + noise.duplicates
        self._trouble = self._twice + noise.invalid
        self._encode = msgspec.json.Encoder().encode

    def deliver(self, event: Event) -> list[Message]:
        """The messages one event leads to."""
        fate = self._rng.random()
        if fate >= self._trouble:
            return [self._message(event, self._transit(), "fresh")]
        if fate < self._noise.late:
            return [self._message(event, self._detour(), "late")]
        message = self._message(event, self._transit(), "fresh")
        if fate < self._twice:
            return [message, *self._again(message)]
        return [message, message._replace(value=_broken(self._rng, message.value, event), note="invalid")]

    def _message(self, event: Event, transit: int, note: Note) -> Message:
        record = event.record
        customer = record.customer or ""
        key = (record.record_id if customer in UNIDENTIFIED else customer).encode()
        return Message(event.topic, key, self._encode(record), event.time_ms + transit, note)

    def _transit(self) -> int:
        """Milliseconds on the way, exponentially distributed."""
        mean = self._noise.jitter * (10_000 if self._rng.random() < _SLOW else 1_000)
        return int(-log(1.0 - self._rng.random()) * mean)

    def _detour(self) -> int:
        """Milliseconds a late record takes: a minute to six hours, short ones as often as long ones."""
        return int(60_000 * exp(self._rng.random() * log(360)))

    def _again(self, message: Message) -> Iterator[Message]:
        """The same webhook one to seven times more, after seconds or, now and then, hours."""
        time_ms = message.time_ms
        for _ in range(min(7, 1 + int(self._rng.expovariate(0.8)))):
            pause = 3_600 if self._rng.random() < 0.03 else 8
            time_ms += int(self._rng.expovariate(1 / pause) * 1000)
            yield message._replace(time_ms=time_ms, note="duplicate")


def _broken(rng: Random, value: bytes, event: Event) -> bytes:
    """A broken version of a record, as one of a dozen bad producers would send it."""
    fault = rng.choice(_FAULTS)
    if isinstance(fault, bytes):
        return fault
    if fault == "cut":
        return value[: len(value) // 2]
    fields: dict[str, Any] = msgspec.json.decode(value)
    if fault == "foreign":
        return msgspec.json.encode({"user": fields["customer"], "message": "hello"})
    return msgspec.json.encode(fields | _field(fault, event))


_FAULTS: tuple[str | bytes, ...] = (
    "cut", "foreign", "zone", "future", "zero", "audience", "number", b"", b"null", b"[]",
    b'{"event_id": "\xff\xfe"}', b"event_id,record_id,time",
)  # fmt: skip


def _field(fault: str, event: Event) -> dict[str, Any]:
    time = event.record.time
    faults: dict[str, dict[str, Any]] = {
        "zone": {"time": time.replace(tzinfo=None).isoformat()},
        "future": {"time": (time + timedelta(days=400)).isoformat()},
        "zero": {"record_id": ""},
        "audience": {"audience": "everyone"},
        "number": {"event_id": 17},
    }
    return faults[fault]
