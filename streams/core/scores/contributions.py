"""From what a record says to the slots it adds to, over all scores."""

from collections.abc import Container
from functools import cache, lru_cache
from typing import NamedTuple

from streams.core.events.record_fields import RecordFields
from streams.core.scores import SCORES, ComparedScore, Score, StockScore
from streams.core.scores.base import Accumulator, Slots

SCORE_CODES = {score.name: score.code for score in SCORES}
"""The code of every score by its name."""

COUNTED_SCORES = tuple(score for score in SCORES if not isinstance(score, ComparedScore))
"""The scores that records contribute to; the others read from these."""

STOCK_CODES = frozenset(score.code for score in SCORES if isinstance(score, StockScore))
"""Codes of the scores that are also summed up over all time."""

_SHIFT = 16
_MASK = (1 << _SHIFT) - 1


class Contribution(NamedTuple):
    """All slots a record adds to, told apart by score, and the codes of those scores.

    `stock_slots` and `stock_codes` are the part that is also summed up over all time.
    """

    slots: Slots
    codes: tuple[int, ...]
    stock_slots: Slots
    stock_codes: tuple[int, ...]


@lru_cache(maxsize=65_536)
def contribution(facts: RecordFields) -> Contribution:
    """What a record with these facts adds."""
    if not facts:
        return Contribution((), (), (), ())
    own = [(score.code, score.slots(facts)) for score in _asked(facts[0])]
    slots = tuple((code << _SHIFT | slot, amount) for code, pairs in own for slot, amount in pairs)
    codes = tuple(code for code, pairs in own if pairs)
    stock_slots = tuple(pair for pair in slots if pair[0] >> _SHIFT in STOCK_CODES)
    return Contribution(slots, codes, stock_slots, tuple(code for code in codes if code in STOCK_CODES))


@cache
def _asked(source: int) -> tuple[Score, ...]:
    return tuple(score for score in COUNTED_SCORES if score.source in (None, source))


def only_scores(counts: Accumulator, codes: Container[int]) -> Accumulator:
    """The part of flat counts that belongs to the scores with these codes."""
    return {slot: amount for slot, amount in counts.items() if slot >> _SHIFT in codes}


def by_score(counts: Accumulator) -> dict[int, Accumulator]:
    """Flat counts as accumulators per score code."""
    split: dict[int, Accumulator] = {}
    for slot, amount in counts.items():
        split.setdefault(slot >> _SHIFT, {})[slot & _MASK] = amount
    return split


def score_accumulator(code: int, counts: Accumulator) -> Accumulator:
    """One score's accumulator out of flat counts."""
    return {slot & _MASK: amount for slot, amount in counts.items() if slot >> _SHIFT == code}


def to_flat_slots(code: int, counts: Accumulator) -> Accumulator:
    """One score's accumulator as flat counts."""
    return {code << _SHIFT | slot: amount for slot, amount in counts.items()}
