"""Shared by the call scores: the calls that count, and the durations that are plausible."""

from abc import abstractmethod
from functools import lru_cache
from typing import NamedTuple

from streams.core.events.calls import (
    AFTER_CALL_MS,
    CALL,
    CALL_DIRECTIONS,
    CALL_OUTCOMES,
    DIRECTION,
    HOLD_MS,
    OUTCOME,
    TALK_MS,
    TRANSFERS,
    WAIT_MS,
)
from streams.core.events.record_fields import UNKNOWN, RecordFields
from streams.core.scores.base import Score, Slots

ANSWERED, ABANDONED, MENU = (CALL_OUTCOMES.index(name) for name in ("answered", "abandoned", "menu"))
SHORT_ABANDON_MS = 5_000
"""A caller who hangs up within this time has hardly waited."""

LONGEST_MS = 24 * 3_600_000
"""A longer wait, talk, hold or after-call work is an error of the source and treated as unknown."""

_INBOUND = CALL_DIRECTIONS.index("inbound")


class CallFields(NamedTuple):
    """The fields of a call by name; a duration that is unknown or implausibly long is `UNKNOWN`."""

    outcome: int
    wait_ms: int
    talk_ms: int
    hold_ms: int
    after_call_ms: int
    transfers: int


class CallScore(Score):
    """A score over inbound calls."""

    source = CALL

    def slots(self, fields: RecordFields) -> Slots:
        """The contribution of an inbound call; empty for any other record."""
        if fields[0] != CALL or fields[DIRECTION] != _INBOUND:
            return ()
        return self.call_slots(_named(fields))

    @abstractmethod
    def call_slots(self, call: CallFields) -> Slots:
        """The contribution of this inbound call."""


def is_short_abandon(call: CallFields) -> bool:
    """Whether the caller is known to have hung up within 5 s of joining the queue."""
    return call.outcome == ABANDONED and UNKNOWN < call.wait_ms <= SHORT_ABANDON_MS


@lru_cache(maxsize=1)  # the call scores ask for the same call one after the other
def _named(fields: RecordFields) -> CallFields:
    return CallFields(
        fields[OUTCOME],
        _plausible(fields[WAIT_MS]),
        _plausible(fields[TALK_MS]),
        _plausible(fields[HOLD_MS]),
        _plausible(fields[AFTER_CALL_MS]),
        fields[TRANSFERS],
    )


def _plausible(duration_ms: int) -> int:
    return duration_ms if duration_ms <= LONGEST_MS else UNKNOWN
