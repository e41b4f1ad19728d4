"""The simulated company: a backfill of its past and an endless live stream, both determined by seed and time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

from streams.simulation import accounts, examples
from streams.simulation.contacts import unfold
from streams.simulation.customers import Population
from streams.simulation.delivery import Courier, Message, Noise
from streams.simulation.story import IdGenerator, Story
from streams.simulation.touchpoints import TOUCHPOINTS
from streams.simulation.traffic import HOUR_MS, Contact, Incident, Traffic

_WARM_UP_HOURS = 36
_WARM_UP_CONTACTS = 10_000
_EVENTS_PER_CONTACT = 3.22  # measured; the test of the rate fails when stories change


@dataclass(frozen=True)
class Company:
    """A simulated company; the same values, start and end give the same bytes.

    `events_per_second` is the usual rate of the live stream, `history_per_day` that of the past. The live stories run
    `pace` times faster than real ones, so that a viewer sees tickets solved and surveys answered; at pace 1 that takes
    hours. The past follows the rhythm of day and week, in UTC; the live stream does not.
    """

    seed: int = 7
    customers: int = 5_000
    events_per_second: float = 200.0
    history_per_day: float = 3_000.0
    pace: float = 600.0
    incident: Incident | None = field(default_factory=Incident)
    noise: Noise = field(default_factory=Noise)

    def population(self) -> Population:
        """The customers before the first event."""
        return Population(self.seed, self.customers)

    def history(self, start_ms: int, end_ms: int, population: Population | None = None) -> Iterator[Message]:
        """The messages sent from `start_ms` to `end_ms`, in order, without the incident; all accounts come first.

        A given `population` is changed: pass it on to `live`, so that customers who have left do not come back.
        """
        people = population or self.population()
        per_second = self._contacts(self.history_per_day / 86_400)
        run = _Run(self, "history", start_ms, 1.0, people)
        run.snapshot(start_ms)
        yield from run.messages(Traffic(per_second, True, None, start_ms), start_ms, end_ms)

    def live(self, start_ms: int, population: Population | None = None) -> Iterator[Message]:
        """The messages to send from `start_ms` on, in order, without end.

        They include the stories under way at the start, from up to a day and a half of the company's time before it.
        Fewer are computed at high rates, since they would take more than a second: from 1,000 messages a second on,
        the first minutes have a fifth less.
        """
        people = population or self.population()
        per_second = self._contacts(self.events_per_second)
        run = _Run(self, "live", start_ms, self.pace, people)
        warm_start_ms = start_ms - int(min(_WARM_UP_HOURS * HOUR_MS / self.pace, _WARM_UP_CONTACTS / per_second * 1000))
        traffic = Traffic(per_second, False, self.incident, start_ms)
        for message in run.messages(traffic, warm_start_ms, None):
            if message.time_ms >= start_ms:
                yield message

    def _contacts(self, messages: float) -> float:
        """The number of contacts that leads to this number of messages."""
        events_per_contact = _EVENTS_PER_CONTACT + examples.EVENTS_PER_CONTACT
        return messages / (events_per_contact * self.noise.messages_per_event)


class _Run:
    """One pass through a span of time: stories begin, and their messages wait in a heap until they are due."""

    def __init__(self, company: Company, phase: str, start_ms: int, pace: float, people: Population) -> None:
        self._rng = Random(f"{phase}-{company.seed}-{start_ms}")
        self._ids = IdGenerator(f"{phase[0]}{company.seed:x}.{start_ms:x}")
        self._courier = Courier(self._rng, company.noise)
        self._people, self._pace = people, pace
        self._waiting: list[tuple[int, int, Message]] = []
        self._pushed = 0

    def messages(self, traffic: Traffic, start_ms: int, end_ms: int | None) -> Iterator[Message]:
        """All messages due from `start` to `end`, in order."""
        for contact in traffic.contacts(self._rng, start_ms, end_ms):
            yield from self._due(contact.time_ms)
            customer = self._people.pick(self._rng, contact.touchpoint.audience)
            story = Story(contact, customer, self._rng, self._ids, self._pace)
            unfold(story, self._people)
            self._send(story)
        if end_ms is not None:
            yield from self._due(end_ms)

    def snapshot(self, start_ms: int) -> None:
        """Emit the state of all accounts within the first hour, as a nightly export of a customer database does."""
        people = self._people.customers
        for number, customer in enumerate(people):
            contact = Contact(start_ms + number * HOUR_MS // len(people), TOUCHPOINTS[0], 1.0, 0.0)
            story = Story(contact, customer, self._rng, self._ids, self._pace)
            accounts.emit_change(story, "updated")
            self._send(story)

    def _send(self, story: Story) -> None:
        for event in story.events:
            for message in self._courier.deliver(event):
                self._pushed += 1
                heappush(self._waiting, (message.time_ms, self._pushed, message))

    def _due(self, now_ms: int) -> Iterator[Message]:
        waiting = self._waiting
        while waiting and waiting[0][0] < now_ms:
            yield heappop(waiting)[2]
