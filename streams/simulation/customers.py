"""The customers: segment, yearly value and mood; a new customer takes the place of one who leaves."""

from dataclasses import dataclass
from random import Random

from schemas.envelope import Audience

_SEGMENTS = (("consumer", 240.0), ("consumer", 240.0), ("consumer", 240.0), ("family", 560.0), ("family", 560.0),
             ("plus", 900.0), ("small-business", 2_400.0), ("enterprise", 18_000.0))  # fmt: skip
_MOOD_WEIGHT = 0.8


@dataclass(slots=True)
class Customer:
    """One customer or employee; `mood` is the satisfaction that remains from earlier contacts."""

    id: str
    segment: str
    value: float
    mood: float

    def remember(self, feeling: float) -> None:
        """Let the feeling of a contact change the mood."""
        self.mood = _MOOD_WEIGHT * self.mood + (1 - _MOOD_WEIGHT) * max(-2.0, min(2.0, feeling))


class Population:
    """A constant number of customers, some of whom make far more contacts than others."""

    def __init__(self, seed: int, size: int) -> None:
        rng = Random(f"population-{seed}")
        self.customers = [self._newcomer(rng, number) for number in range(size)]
        rng.shuffle(self.customers)
        self.employees = [
            Customer(f"E{number:05d}", "employee", 0.0, rng.gauss(0.0, 0.4)) for number in range(max(1, size // 20))
        ]
        self._joined = size

    def pick(self, rng: Random, audience: Audience) -> Customer:
        """The customer of the next contact; the first fifth of the list makes about 29 % of all contacts."""
        people = self.customers if audience == "external" else self.employees
        return people[int(len(people) * rng.random() ** 1.3)]

    def replace(self, rng: Random, leaver: Customer) -> Customer:
        """Put a new customer in the place of one who leaves."""
        newcomer = self._newcomer(rng, self._joined)
        self._joined += 1
        self.customers[next(i for i, other in enumerate(self.customers) if other is leaver)] = newcomer
        return newcomer

    @staticmethod
    def _newcomer(rng: Random, number: int) -> Customer:
        segment, value = rng.choice(_SEGMENTS)
        worth = round(value * rng.lognormvariate(0.0, 0.35), 2)
        return Customer(f"C{number:06d}", segment, worth, rng.gauss(0.0, 0.4))
