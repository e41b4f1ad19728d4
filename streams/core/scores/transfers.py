"""Transfers."""

from collections.abc import Mapping

from streams.core.events.record_fields import UNKNOWN
from streams.core.scores.base import Result, Slots, Unit, rounded
from streams.core.scores.calls import ANSWERED, CallFields, CallScore
from streams.core.statistics.intervals import wilson

MAX_TRANSFERS = 1_000
"""A higher number of transfers of one call is an error of the source and counts as this many."""

_NONE, _TRANSFERRED, _SUM, _UNKNOWN = range(4)


class Transfers(CallScore):
    """Share of answered calls that were transferred at least once, of those with a known number of transfers.

    >>> Transfers().result({0: 2, 1: 8, 2: 11, 3: 5})
    Result(value=0.8, lower=0.490162, upper=0.943318, n=10, counts={'transferred': 8, 'transfers': 11, 'unknown': 5})
    """

    name = "transfers"
    unit: Unit = "ratio"
    code = 15

    def call_slots(self, call: CallFields) -> Slots:
        """Whether and how often the call was transferred, or that this is unknown."""
        if call.outcome != ANSWERED:
            return ()
        if call.transfers <= 0:
            return ((_UNKNOWN if call.transfers == UNKNOWN else _NONE, 1),)
        return (_TRANSFERRED, 1), (_SUM, min(call.transfers, MAX_TRANSFERS))

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval; without a value if it is unknown for all calls."""
        transferred = acc.get(_TRANSFERRED, 0)
        n = transferred + acc.get(_NONE, 0)
        counts = {"transferred": transferred, "transfers": acc.get(_SUM, 0), "unknown": acc.get(_UNKNOWN, 0)}
        if not n:
            return Result(None, None, None, 0, counts) if acc else None
        return rounded(transferred / n, wilson(transferred, n), n, counts)
