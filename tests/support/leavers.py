"""Simulated customers with a known hazard: their events, and labels of who left within 30 days."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.reference.contracts import CALLS, SURVEYS, TICKETS
from tests.reference.windows import moment_of
from tests.support.arrivals import DAY, NOON

Event = tuple[str, int, dict[str, Any]]
"""Topic, time (ms), fields."""


@dataclass(frozen=True)
class Label:
    """A customer, a time (ms), whether it left within 30 days, and the probability it was drawn with."""

    customer: str
    at: int
    churned: int
    risk: float


@dataclass(frozen=True)
class Company:
    """Events in the order of their times, and labels."""

    events: Sequence[Event]
    labels: Sequence[Label]


def company(seed: int, customers: int, months: int = 4, strength: float = 1.0) -> Company:
    """Every customer has a label at the end of each month.

    The odds of leaving are 1 : 11 and grow `e^(2·strength)`-fold with four contacts or more in the month before,
    `e^strength`-fold with a detractor's answer in it.
    """
    rng = np.random.default_rng(seed)
    events: list[Event] = []
    labels: list[Label] = []
    for number in range(customers):
        for month in range(months):
            start, name = NOON + month * 30 * DAY, f"c{number}"
            contacts, score = int(rng.poisson(rng.choice([0.8, 4.0], p=[0.8, 0.2]))), int(rng.integers(0, 11))
            answers = rng.random() < 0.6
            times = [start + int(t) for t in rng.integers(1, 29 * DAY, contacts)]
            events += [_contact(rng, name, time, f"{name}-{month}-{n}") for n, time in enumerate(times)]
            if answers:
                events.append(_answer(name, start + int(rng.integers(1, 29 * DAY)), f"{name}-{month}-s", score))
            odds = np.exp(strength * (2.0 * (contacts >= 4) + 1.0 * (answers and score <= 6))) / 11
            risk = float(odds / (1 + odds))
            labels.append(Label(name, start + 30 * DAY, int(rng.random() < risk), risk))
    return Company(sorted(events, key=lambda event: event[1]), labels)


def _contact(rng: np.random.Generator, customer: str, time: int, record: str) -> Event:
    if rng.random() < 0.5:
        return CALLS, time, _named(customer, time, record) | {"outcome": "answered", "wait": float(rng.integers(0, 90))}
    return TICKETS, time, _named(customer, time, record) | {"change": "opened"}


def _answer(customer: str, time: int, record: str, score: int) -> Event:
    return SURVEYS, time, _named(customer, time, record) | {"survey": "s", "kind": "nps", "score": score}


def _named(customer: str, time: int, record: str) -> dict[str, Any]:
    return {"event_id": f"e-{record}", "record_id": record, "customer": customer, "time": moment_of(time)}


def write_events(events: Sequence[Event], folder: Path) -> list[str]:
    """A file for each topic; the arguments that name them."""
    paths = {topic: folder / f"{topic}.ndjson" for topic in sorted({topic for topic, _, _ in events})}
    for topic, path in paths.items():
        path.write_text("".join(json.dumps(fields) + "\n" for name, _, fields in events if name == topic))
    return [word for path in paths.values() for word in ("--events", str(path))]


def write_labels(labels: Sequence[Label], path: Path) -> Path:
    """The labels as CSV."""
    rows = [{"customer": x.customer, "time": moment_of(x.at), "churned": x.churned} for x in labels]
    return write_rows(rows, path)


def write_rows(rows: Sequence[Mapping[str, object]], path: Path) -> Path:
    """Rows as CSV, with a header."""
    with path.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path
