"""From what a record says to the slots it adds to, over all scores."""

from functools import lru_cache

from streams.core.facts import Facts
from streams.core.partials import Counts, Slots
from streams.core.scores import SCORES

_SHIFT = 16
_MASK = (1 << _SHIFT) - 1


@lru_cache(maxsize=65_536)
def contribution(facts: Facts) -> tuple[Slots, tuple[int, ...]]:
    """All slots a record with these facts adds to, told apart by score, and the codes of those scores."""
    if not facts:
        return (), ()
    own = [(score.code, score.slots(facts)) for score in SCORES]
    slots = tuple((code << _SHIFT | slot, amount) for code, pairs in own for slot, amount in pairs)
    return slots, tuple(code for code, pairs in own if pairs)


def by_score(counts: Counts) -> dict[int, Counts]:
    """Flat counts as accumulators per score code."""
    split: dict[int, Counts] = {}
    for slot, amount in counts.items():
        split.setdefault(slot >> _SHIFT, {})[slot & _MASK] = amount
    return split


def flat(code: int, counts: Counts) -> Counts:
    """One score's accumulator as flat counts."""
    return {code << _SHIFT | slot: amount for slot, amount in counts.items()}
