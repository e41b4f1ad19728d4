"""The stream at work under a tape of decisions: which partition goes on, how far, and what goes wrong."""

import itertools
from collections.abc import Iterator, Sequence

from hypothesis import strategies as st

from streams.runtime.checkpoint import Output
from streams.settings import Settings
from tests.reference import Arrival
from tests.support.arrivals import NOON
from tests.support.stream import Stage1, record_of

PARTITIONS = 2
Tape = Iterator[int]
"""Decisions, drawn once and repeated for ever."""

tapes: st.SearchStrategy[Tape] = st.lists(st.integers(0, 59), min_size=1, max_size=25).map(itertools.cycle)

_CRASHES = 6
_BUDGETS = (0, 6_000, 60_000, 2**60)


class Driver:
    """Stage 1 of all partitions; `finish` applies all arrivals, assesses everybody, gathers `outputs` in their order.

    Partitions are read in any order, in chunks of any size, with records delivered again; a step may
    stop at its budget, a worker may die between checkpoints or with a checkpoint whose outputs are lost.
    """

    def __init__(self, config: Settings, arrivals: Sequence[Arrival], tape: Tape) -> None:
        self.now = max((a.arrival_ms for a in arrivals), default=NOON)
        self.stages = [Stage1(number, config) for number in range(PARTITIONS)]
        self.outputs: list[Output] = []
        self._tape = tape
        self._crashes = _CRASHES
        self._logs: dict[tuple[str, int], list[Arrival]] = {}
        for arrival in arrivals:
            self._logs.setdefault((arrival.topic, arrival.partition), []).append(arrival)

    def finish(self) -> "Driver":
        """Go on until everything is applied and durable; returns itself."""
        while waiting := self._waiting():
            self._step(*waiting[next(self._tape) % len(waiting)])
        for stage in self.stages:
            self.outputs += stage.checkpoint()
        ends = [mark for stage in self.stages for mark in stage.state.watermarks.values()]
        for stage in self.stages:
            replay = stage.definition.replay
            self.outputs += stage.settle(max(ends, default=NOON)) if replay else stage.renew(self.now)
        return self

    def renew(self, now: int) -> list[Output]:
        """Assess everybody as of `now` (ms); returns what goes out with it."""
        return [output for stage in self.stages for output in stage.renew(now)]

    def _waiting(self) -> list[tuple[Stage1, str]]:
        return [
            (self.stages[partition], topic)
            for (topic, partition), log in self._logs.items()
            if log[-1].offset > self.stages[partition].state.applied(topic)
        ]

    def _step(self, stage: Stage1, topic: str) -> None:
        choice = next(self._tape)
        seen = stage.state.applied(topic) - choice % 3  # the broker may deliver some of them again
        rest = [record_of(a) for a in self._logs[topic, stage.partition] if a.offset > seen]
        chunk = rest[: 3 + next(self._tape) % 30]
        taken = stage.take(topic, chunk, self.now, _BUDGETS[choice % len(_BUDGETS)])
        if choice % 7 in (4, 5) and self._crashes:
            self._crashes -= 1
            if choice % 7 == 4:
                stage.checkpoint()  # durable, but what it shows is lost
            self.outputs += stage.restart()
        elif choice % 7 == 3 or taken < len(chunk):
            self.outputs += stage.checkpoint()
