"""The input of job J1, and its windows counted naively.

Survey answers of 250 bytes by 10,000 customers, NPS and CES 2.0, over 12 touchpoints × 4 channels; event time advances
by a second every 2,000 records. 2 % are 1 to 600 s late, 1 % are duplicates, 1 % correct an earlier answer.
`python -m bench.j1_input` prints the speed of generation and a summary of the input.
"""

import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from random import Random
from typing import NamedTuple

import orjson

WINDOW_S = 60
SIZE = 250
CUSTOMERS = 10_000
PER_SECOND = 2_000
START = datetime(2024, 6, 3, 8, tzinfo=UTC)
TOUCHPOINTS = ("order", "delivery", "onboarding", "first-payment", "billing", "support", "store", "returns", "app",
               "network", "cancellation", "helpdesk")  # fmt: skip
CHANNELS = ("phone", "email", "chat", "web")
_LATE, _AGAIN, _CORRECTED = 0.02, 0.01, 0.01
_RECENT = 5_000
_ANSWERS = {
    "nps": (0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10, 10, 10),
    "ces2": (1, 2, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7),
}

Key = tuple[str, str, int]
"""Score, cell `touchpoint+channel`, end of the 60 s window in ms since 1970."""


class Expected(NamedTuple):
    """The number of answers in one window of one cell, and the counts as in `cx.scores.v1`."""

    n: int
    counts: dict[str, int]


class _Answer:
    """One survey answer and its current revision."""

    __slots__ = ("cell", "customer", "kind", "number", "revision", "time")

    def __init__(self, number: int, rng: Random) -> None:
        self.number, self.revision = number, 1
        self.customer = f"c{int(rng.random() * CUSTOMERS):05d}"
        self.cell = _CELLS[int(rng.random() * len(_CELLS))]
        self.kind = "nps" if rng.random() < 0.6 else "ces2"
        delay = 1 + int(rng.random() * 600) if rng.random() < _LATE else 0
        self.time = f"{_second(number // PER_SECOND - delay)}.{number % PER_SECOND // 2:03d}Z"

    def encode(self, rng: Random) -> bytes:
        """Its current revision with a random answer, as 250 bytes of JSON."""
        answers = _ANSWERS[self.kind]
        text = (
            f'{{"event_id":"e{self.number:09d}.{self.revision}","record_id":"r{self.number:09d}","time":"{self.time}",'
            f'"revision":{self.revision},"customer":"{self.customer}",{self.cell}"survey":"j1","kind":"{self.kind}",'
            f'"score":{answers[int(rng.random() * len(answers))]},"comment":"'
        )
        return f'{text:.<{SIZE - 2}}"}}'.encode()


_CELLS = [f'"touchpoint":"{touchpoint}","channel":"{channel}",' for touchpoint in TOUCHPOINTS for channel in CHANNELS]


@lru_cache(maxsize=2_048)
def _second(number: int) -> str:
    return (START + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S")


def generate(n: int, seed: int) -> Iterator[tuple[bytes, bytes]]:
    """`n` records as (key, value) in sending order; the same seed gives the same bytes."""
    rng = Random(seed)
    recent: deque[tuple[_Answer, bytes]] = deque(maxlen=_RECENT)
    for number in range(n):
        fate = rng.random()
        if fate < _AGAIN + _CORRECTED and recent:
            answer, value = recent[int(rng.random() * len(recent))]
            if fate >= _AGAIN:
                answer.revision += 1
                value = answer.encode(rng)
        else:
            answer = _Answer(number, rng)
            value = answer.encode(rng)
            recent.append((answer, value))
        yield answer.customer.encode(), value


def expected(n: int, seed: int) -> dict[Key, Expected]:
    """The counts of every window: the newest revision of each record, in the window of its event time."""
    newest: dict[str, tuple[int, str, int, str, int]] = {}
    same: dict[tuple[int, str, int, str, int], tuple[int, str, int, str, int]] = {}
    for _, value in generate(n, seed):
        e = orjson.loads(value)
        state = (e["revision"], e["kind"], e["score"], f"{e['touchpoint']}+{e['channel']}", _window_end(e["time"]))
        if e["record_id"] not in newest or newest[e["record_id"]][0] < state[0]:
            newest[e["record_id"]] = same.setdefault(state, state)
    windows: dict[tuple[str, str, int], Counter[int]] = {}
    for _, kind, score, cell, end in newest.values():
        windows.setdefault((kind, cell, end), Counter())[score] += 1
    return {key: counts for window, answers in windows.items() for key, counts in _scores(window, answers)}


def outcomes(n: int, seed: int) -> Counter[str]:
    """The number of records that must be accepted, duplicate and corrected."""
    known: dict[str, int] = {}
    found: Counter[str] = Counter()
    for _, value in generate(n, seed):
        e = orjson.loads(value)
        before = known.get(e["record_id"], 0)
        found["accepted" if not before else "corrected" if e["revision"] > before else "duplicate"] += 1
        known[e["record_id"]] = max(before, e["revision"])
    return found


def _window_end(text: str) -> int:
    seconds = int(datetime.fromisoformat(text).timestamp())
    return (seconds - seconds % WINDOW_S + WINDOW_S) * 1000


def _scores(window: tuple[str, str, int], answers: Counter[int]) -> Iterator[tuple[Key, Expected]]:
    kind, cell, end = window
    n = answers.total()
    if kind == "nps":
        promoters, detractors = answers[9] + answers[10], sum(answers[score] for score in range(7))
        counts = {"promoters": promoters, "passives": n - promoters - detractors, "detractors": detractors}
        yield ("nps", cell, end), Expected(n, counts)
    else:
        yield ("ces2", cell, end), Expected(n, {str(score): answers[score] for score in range(1, 8)})
        yield ("ces2_easy", cell, end), Expected(n, {"easy": answers[5] + answers[6] + answers[7]})


def main() -> None:
    """Print the speed of generation and a summary of the input."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 500_000
    began = time.perf_counter()
    size = sum(len(value) for _, value in generate(n, 1))
    took = time.perf_counter() - began
    print(f"{n} records of {size / n:.0f} bytes in {took:.2f} s: {n / took:,.0f}/s")
    print(f"{dict(outcomes(n, 1))}, {len(expected(n, 1))} windows")


if __name__ == "__main__":
    main()
