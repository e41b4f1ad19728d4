"""One contact from start to end: a cursor in time, the fields that all its events share, and the events so far."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from random import Random
from typing import Any, NamedTuple, TypeVar

from schemas.envelope import Envelope
from streams.simulation.customers import Customer
from streams.simulation.touchpoints import Touchpoint
from streams.simulation.traffic import Contact

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment(time_ms: int) -> datetime:
    """A time in milliseconds since 1970 as the contracts want it."""
    return _EPOCH + timedelta(milliseconds=time_ms)


class Event(NamedTuple):
    """A record of `topic`, created at `time_ms`."""

    time_ms: int
    topic: str
    record: Envelope


class IdGenerator:
    """Unique ids of one run; runs with different names share none."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._numbers: Iterator[int] = count(1)

    def new(self, prefix: str) -> str:
        """A new id."""
        return f"{prefix}-{self._run}-{next(self._numbers)}"


class Story:
    """The state of one contact; `now_ms` advances and `events` grows.

    Waits are in seconds of the company's own time; `pace` of them pass in one second of the stream.
    """

    __slots__ = (
        "_ids",
        "_pace",
        "agent",
        "channel",
        "customer",
        "events",
        "feeling",
        "load",
        "now_ms",
        "rng",
        "touchpoint",
    )

    def __init__(self, contact: Contact, customer: Customer, rng: Random, ids: IdGenerator, pace: float) -> None:
        self.rng, self.customer, self.touchpoint = rng, customer, contact.touchpoint
        self.now_ms, self.load = contact.time_ms, contact.load
        self.events: list[Event] = []
        self.channel = draw(rng, contact.touchpoint.channels)
        self.agent = self.pick_agent(contact.touchpoint)
        self.feeling = contact.touchpoint.mood + customer.mood - contact.shock + rng.gauss(0.0, 0.95)
        self._ids, self._pace = ids, pace

    def pick_agent(self, touchpoint: Touchpoint) -> str:
        """A random agent of this touchpoint's team."""
        return f"{touchpoint.team}-{1 + int(self.rng.random() * touchpoint.agents):02d}"

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.rng.random() < probability

    def wait(self, median_s: float, spread: float = 0.9) -> None:
        """Let a log-normal time with this median pass."""
        self.spend(self.rng.lognormvariate(0.0, spread) * median_s)

    def spend(self, duration_s: float) -> None:
        """Let exactly this time pass, and a millisecond, so that no two events have the same time."""
        self.now_ms += 1 + int(duration_s * 1000 / self._pace)

    def new_id(self, prefix: str) -> str:
        """A new id."""
        return self._ids.new(prefix)

    def envelope(self, record_id: str, source: str) -> dict[str, Any]:
        """The fields that all events of this story share, at this time."""
        return {
            "event_id": self._ids.new("e"),
            "record_id": record_id,
            "time": moment(self.now_ms),
            "customer": self.customer.id,
            "touchpoint": self.touchpoint.name,
            "channel": self.channel,
            "team": self.touchpoint.team,
            "agent": self.agent,
            "segment": self.customer.segment,
            "audience": self.touchpoint.audience,
            "source": source,
        }

    def emit(self, topic: str, record: Envelope) -> None:
        """Add a record created now."""
        self.events.append(Event(self.now_ms, topic, record))


def draw(rng: Random, shares: tuple[tuple[T, float], ...]) -> T:
    """A random value; the shares are the probabilities of the values and sum to 1."""
    at = rng.random()
    for value, share in shares:
        at -= share
        if at < 0:
            return value
    return shares[-1][0]
