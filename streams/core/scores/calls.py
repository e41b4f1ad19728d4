"""What the call scores share: which calls count, and which durations are believed."""

from abc import abstractmethod
from functools import lru_cache
from typing import NamedTuple

from streams.core.events.calls import CALL, CALL_DIRECTIONS, CALL_OUTCOMES
from streams.core.events.record_fields import UNKNOWN, RecordFields
from streams.core.scores.base import Score, Slots

ANSWERED, ABANDONED, MENU = (CALL_OUTCOMES.index(name) for name in ("answered", "abandoned", "menu"))
SHORT_ABANDON_MS = 5_000
"""Who hangs up within it has hardly waited."""

LONGEST_MS = 24 * 3_600_000
"""A longer wait, talk, hold or after-call work is an error of its source: as good as unknown."""

_INBOUND = CALL_DIRECTIONS.index("inbound")


class CallFacts(NamedTuple):
    """The facts of a call by name: durations in ms, `UNKNOWN` where not known or not believed."""

    outcome: int
    wait: int
    talk: int
    hold: int
    after_call: int
    transfers: int


class CallScore(Score):
    """A score over inbound calls."""

    source = CALL

    def slots(self, facts: RecordFields) -> Slots:
        """What an inbound call contributes; nothing of any other record."""
        if facts[0] != CALL or facts[2] != _INBOUND:
            return ()
        return self.of_call(_read(facts))

    @abstractmethod
    def of_call(self, call: CallFacts) -> Slots:
        """What this inbound call contributes."""


def is_short_abandon(call: CallFacts) -> bool:
    """Whether a caller is known to have hung up within 5 s of joining the queue."""
    return call.outcome == ABANDONED and UNKNOWN < call.wait <= SHORT_ABANDON_MS


@lru_cache(maxsize=1)  # each of the call scores asks for the same call in turn
def _read(facts: RecordFields) -> CallFacts:
    _, outcome, _, wait, talk, hold, after_call, transfers = facts[:8]
    return CallFacts(outcome, _believed(wait), _believed(talk), _believed(hold), _believed(after_call), transfers)


def _believed(ms: int) -> int:
    return ms if ms <= LONGEST_MS else UNKNOWN
