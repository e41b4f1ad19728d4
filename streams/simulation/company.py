"""The simulated company: a backfill of its past and an endless live stream, both functions of the seed and the time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from random import Random

from streams.simulation import accounts
from streams.simulation.contacts import unfold
from streams.simulation.customers import Population
from streams.simulation.delivery import Courier, Message, Noise
from streams.simulation.story import Names, Story
from streams.simulation.touchpoints import TOUCHPOINTS
from streams.simulation.traffic import HOUR_MS, Contact, Incident, Traffic

_WARM_HOURS = 36
_WARM_CONTACTS = 10_000
_EVENTS_PER_CONTACT = 3.22  # measured; the test of the rate tells when stories have changed


@dataclass(frozen=True)
class Company:
    """A believable company; the same values, start and end give the same bytes.

    `events_per_second` is the usual rate of the live stream, `history_per_day` that of the past. Between the events of
    one live story `pace` times less time passes than in life, so that a viewer sees tickets solved and surveys
    answered; at pace 1 they take their hours. The live stream has no rhythm of day and week, the past has, in UTC.
    """

    seed: int = 7
    customers: int = 5_000
    events_per_second: float = 200.0
    history_per_day: float = 3_000.0
    pace: float = 600.0
    incident: Incident | None = field(default_factory=Incident)
    noise: Noise = field(default_factory=Noise)

    def population(self) -> Population:
        """The customers as they are before anything happens."""
        return Population(self.seed, self.customers)

    def history(self, start: int, end: int, population: Population | None = None) -> Iterator[Message]:
        """What was sent from `start` to `end` (ms), in order, without the incident; begins with all accounts.

        A `population` given is changed by it: hand it on to `live`, and who left stays away.
        """
        people = population or self.population()
        per_second = self._contacts(self.history_per_day / 86_400)
        run = _Run(self, "history", start, 1.0, people)
        run.snapshot(start)
        yield from run.messages(Traffic(per_second, True, None, start), start, end)

    def live(self, start: int, population: Population | None = None) -> Iterator[Message]:
        """What is to be sent from `start` (ms) on, in order, without end.

        The stories under way at the start are there too: those begun up to a day and a half of the company's time ago,
        or as many as take a second to compute: from 1,000 messages a second on, the first minutes are a fifth thinner.
        """
        people = population or self.population()
        per_second = self._contacts(self.events_per_second)
        run = _Run(self, "live", start, self.pace, people)
        warm = start - int(min(_WARM_HOURS * HOUR_MS / self.pace, _WARM_CONTACTS / per_second * 1000))
        traffic = Traffic(per_second, False, self.incident, start)
        for message in run.messages(traffic, warm, None):
            if message.time_ms >= start:
                yield message

    def _contacts(self, messages: float) -> float:
        """How many contacts it takes for this many messages."""
        return messages / (_EVENTS_PER_CONTACT * self.noise.messages_per_event)


class _Run:
    """One pass through a span of time: stories begin, their messages wait in a heap for their moment."""

    def __init__(self, company: Company, phase: str, start: int, pace: float, people: Population) -> None:
        self._rng = Random(f"{phase}-{company.seed}-{start}")
        self._names = Names(f"{phase[0]}{company.seed:x}.{start:x}")
        self._courier = Courier(self._rng, company.noise)
        self._people, self._pace = people, pace
        self._waiting: list[tuple[int, int, Message]] = []
        self._pushed = 0

    def messages(self, traffic: Traffic, start: int, end: int | None) -> Iterator[Message]:
        """All messages due from `start` to `end`, in order."""
        for contact in traffic.contacts(self._rng, start, end):
            yield from self._due(contact.time_ms)
            customer = self._people.pick(self._rng, contact.touchpoint.audience)
            story = Story(contact, customer, self._rng, self._names, self._pace)
            unfold(story, self._people)
            self._send(story)
        if end is not None:
            yield from self._due(end)

    def snapshot(self, start: int) -> None:
        """Have the state of all accounts sent in the first hour, as a customer database does at night."""
        people = self._people.customers
        for number, customer in enumerate(people):
            contact = Contact(start + number * HOUR_MS // len(people), TOUCHPOINTS[0], 1.0, 0.0)
            story = Story(contact, customer, self._rng, self._names, self._pace)
            accounts.tell(story, "updated")
            self._send(story)

    def _send(self, story: Story) -> None:
        for event in story.events:
            for message in self._courier.deliver(event):
                self._pushed += 1
                heappush(self._waiting, (message.time_ms, self._pushed, message))

    def _due(self, now: int) -> Iterator[Message]:
        waiting = self._waiting
        while waiting and waiting[0][0] < now:
            yield heappop(waiting)[2]
