"""The contribution of a record to all scores, in flat slots: the code of the score and its slot in one integer."""

from collections.abc import Container
from functools import cache, lru_cache
from typing import NamedTuple

from streams.core.events.record_fields import RecordFields
from streams.core.scores import SCORES, ComparedScore, Score, StockScore
from streams.core.scores.base import SLOT_LIMIT, Accumulator, Slots

SCORE_CODES = {score.name: score.code for score in SCORES}
"""The code of every score by its name."""

COUNTED_SCORES = tuple(score for score in SCORES if not isinstance(score, ComparedScore))
"""The scores to which records contribute directly; compared scores read the accumulators of these."""

STOCK_CODES = frozenset(score.code for score in SCORES if isinstance(score, StockScore))
"""Codes of the scores whose counts are also summed over all time."""

_MASK = SLOT_LIMIT - 1
_SHIFT = _MASK.bit_length()


class Contribution(NamedTuple):
    """The flat slots to which a record adds, and the codes of the scores they belong to.

    `stock_slots` and `stock_codes` are the part that is also summed over all time.
    """

    slots: Slots
    codes: tuple[int, ...]
    stock_slots: Slots
    stock_codes: tuple[int, ...]


@lru_cache(maxsize=65_536)
def contribution(fields: RecordFields) -> Contribution:
    """The contribution of a record with these fields; empty for a record without fields."""
    if not fields:
        return Contribution((), (), (), ())
    own = [(score.code, score.slots(fields)) for score in _scores_of(fields[0])]
    slots = tuple((code << _SHIFT | slot, amount) for code, pairs in own for slot, amount in pairs)
    codes = tuple(code for code, pairs in own if pairs)
    stock_slots = tuple(pair for pair in slots if pair[0] >> _SHIFT in STOCK_CODES)
    return Contribution(slots, codes, stock_slots, tuple(code for code in codes if code in STOCK_CODES))


@cache
def _scores_of(source: int) -> tuple[Score, ...]:
    return tuple(score for score in COUNTED_SCORES if score.source in (None, source))


def only_scores(counts: Accumulator, codes: Container[int]) -> Accumulator:
    """The part of flat counts that belongs to the scores with these codes."""
    return {slot: amount for slot, amount in counts.items() if slot >> _SHIFT in codes}


def by_score(counts: Accumulator) -> dict[int, Accumulator]:
    """Flat counts as one accumulator for each score code."""
    split: dict[int, Accumulator] = {}
    for slot, amount in counts.items():
        split.setdefault(slot >> _SHIFT, {})[slot & _MASK] = amount
    return split


def score_accumulator(code: int, counts: Accumulator) -> Accumulator:
    """The accumulator of one score, from flat counts."""
    return {slot & _MASK: amount for slot, amount in counts.items() if slot >> _SHIFT == code}


def to_flat_slots(code: int, counts: Accumulator) -> Accumulator:
    """The accumulator of one score as flat counts."""
    return {code << _SHIFT | slot: amount for slot, amount in counts.items()}
