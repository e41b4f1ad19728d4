"""The way of records to the topics: most arrive at once, some twice, late, in another order, or invalid."""

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
    """One record of a topic, to be sent at `time_ms`; `note` is the intent of the simulator."""

    topic: str
    key: bytes
    value: bytes
    time_ms: int
    note: Note = "fresh"


@dataclass(frozen=True)
class Noise:
    """Shares of records that are sent 2 to 8 times, late by minutes to hours, or accompanied by an invalid one.

    Every record takes `jitter_s` on average, one in twenty ten times that, so that records overtake each other.
    """

    duplicates: float = 0.01
    late: float = 0.005
    invalid: float = 0.004
    jitter_s: float = 0.4

    @property
    def messages_per_event(self) -> float:
        """The mean number of messages per event: one, the invalid ones, and 1.81 more for each repeated one."""
        return 1 + self.invalid + 1.81 * self.duplicates


class Courier:
    """Delivers the events of a story."""

    def __init__(self, rng: Random, noise: Noise) -> None:
        self._rng, self._noise = rng, noise
        self._repeated_below = noise.late + noise.duplicates
        self._invalid_below = self._repeated_below + noise.invalid
        self._encode = msgspec.json.Encoder().encode

    def deliver(self, event: Event) -> list[Message]:
        """The messages of one event."""
        outcome = self._rng.random()
        if outcome >= self._invalid_below:
            return [self._message(event, self._transit_ms(), "fresh")]
        if outcome < self._noise.late:
            return [self._message(event, self._late_transit_ms(), "late")]
        message = self._message(event, self._transit_ms(), "fresh")
        if outcome < self._repeated_below:
            return [message, *self._duplicates(message)]
        return [message, message._replace(value=_invalid_bytes(self._rng, message.value, event), note="invalid")]

    def _message(self, event: Event, transit_ms: int, note: Note) -> Message:
        record = event.record
        customer = record.customer or ""
        key = (record.record_id if customer in UNIDENTIFIED else customer).encode()
        return Message(event.topic, key, self._encode(record), event.time_ms + transit_ms, note)

    def _transit_ms(self) -> int:
        """Time from creation to sending, exponentially distributed."""
        mean_ms = self._noise.jitter_s * (10_000 if self._rng.random() < _SLOW else 1_000)
        return int(-log(1.0 - self._rng.random()) * mean_ms)

    def _late_transit_ms(self) -> int:
        """Delay of a late record: a minute to six hours, log-uniform."""
        return int(60_000 * exp(self._rng.random() * log(360)))

    def _duplicates(self, message: Message) -> Iterator[Message]:
        """One to seven repetitions, after seconds or, now and then, hours."""
        time_ms = message.time_ms
        for _ in range(min(7, 1 + int(self._rng.expovariate(0.8)))):
            mean_pause_s = 3_600 if self._rng.random() < 0.03 else 8
            time_ms += int(self._rng.expovariate(1 / mean_pause_s) * 1000)
            yield message._replace(time_ms=time_ms, note="duplicate")


def _invalid_bytes(rng: Random, value: bytes, event: Event) -> bytes:
    """An invalid version of a record, with one of a dozen faults of real producers."""
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
