"""One contact told from start to end: a cursor in time, what everybody involved shares, and the events so far."""

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
    """A record of `topic` that comes into being at `time_ms`."""

    time_ms: int
    topic: str
    record: Envelope


class Names:
    """Unique ids of one run; runs with another start never share one."""

    def __init__(self, run: str) -> None:
        self._run = run
        self._numbers: Iterator[int] = count(1)

    def next(self, prefix: str) -> str:
        """A new id."""
        return f"{prefix}-{self._run}-{next(self._numbers)}"


class Story:
    """What is known while a contact unfolds; `now` moves on, `events` grows.

    Waiting is in seconds of the company's own time, of which `pace` pass in one second of the stream.
    """

    __slots__ = (
        "_names",
        "_pace",
        "agent",
        "channel",
        "customer",
        "events",
        "feeling",
        "load",
        "now",
        "rng",
        "touchpoint",
    )

    def __init__(self, contact: Contact, customer: Customer, rng: Random, names: Names, pace: float) -> None:
        self.rng, self.customer, self.touchpoint = rng, customer, contact.touchpoint
        self.now, self.load = contact.time_ms, contact.load
        self.events: list[Event] = []
        self.channel = draw(rng, contact.touchpoint.channels)
        self.agent = self.somebody(contact.touchpoint)
        self.feeling = contact.touchpoint.mood + customer.mood - contact.shock + rng.gauss(0.0, 0.95)
        self._names, self._pace = names, pace

    def somebody(self, touchpoint: Touchpoint) -> str:
        """One of the agents of this touchpoint's team."""
        return f"{touchpoint.team}-{1 + int(self.rng.random() * touchpoint.agents):02d}"

    def chance(self, probability: float) -> bool:
        """True in this share of all cases."""
        return self.rng.random() < probability

    def wait(self, median: float, spread: float = 0.9) -> None:
        """Let a log-normal time pass, with this median in seconds."""
        self.spend(self.rng.lognormvariate(0.0, spread) * median)

    def spend(self, seconds: float) -> None:
        """Let exactly this time pass."""
        self.now += 1 + int(seconds * 1000 / self._pace)

    def name(self, prefix: str) -> str:
        """A new id."""
        return self._names.next(prefix)

    def envelope(self, record_id: str, source: str) -> dict[str, Any]:
        """The shared fields of an event of this story, at this moment."""
        return {
            "event_id": self._names.next("e"),
            "record_id": record_id,
            "time": moment(self.now),
            "customer": self.customer.id,
            "touchpoint": self.touchpoint.name,
            "channel": self.channel,
            "team": self.touchpoint.team,
            "agent": self.agent,
            "segment": self.customer.segment,
            "audience": self.touchpoint.audience,
            "source": source,
        }

    def tell(self, topic: str, record: Envelope) -> None:
        """Add a record that comes into being now."""
        self.events.append(Event(self.now, topic, record))


def draw(rng: Random, shares: tuple[tuple[T, float], ...]) -> T:
    """One of the values, by their shares, which sum to 1."""
    at = rng.random()
    for value, share in shares:
        at -= share
        if at < 0:
            return value
    return shares[-1][0]
