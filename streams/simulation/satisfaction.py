"""How satisfaction becomes an answer to a survey, and the decision to leave."""

from bisect import bisect
from math import exp
from random import Random

from schemas.survey import Kind

_CUTS: dict[Kind, tuple[float, ...]] = {
    "nps": (-1.56, -1.41, -1.25, -1.10, -0.95, -0.71, -0.47, -0.10, 0.31, 0.84),
    "ces2": (-1.65, -1.28, -0.95, -0.58, -0.10, 0.64),
    "csat": (-1.56, -1.13, -0.61, 0.31),
    "ces1": (-1.56, -1.13, -0.61, 0.31),
}
_CHURN = 0.002


def answer(kind: Kind, feeling: float) -> int:
    """The answer to a question of this kind; `feeling` is in standard deviations from a neutral customer.

    >>> answer("nps", 2.0), answer("nps", -2.0), answer("ces2", 0.0), answer("ces1", 2.0)
    (10, 0, 6, 1)
    """
    step = bisect(_CUTS[kind], feeling)
    if kind == "nps":
        return step
    return 5 - step if kind == "ces1" else step + 1


def responds(rng: Random, share: float, feeling: float) -> bool:
    """Whether an invited customer answers; customers with strong feelings answer more often."""
    return rng.random() < share * (0.85 + 0.2 * abs(feeling))


def leaves(rng: Random, feeling: float) -> bool:
    """Whether the customer leaves after this contact: about 0.3 % do, after a bad contact several times as many."""
    return rng.random() < min(0.5, _CHURN * exp(-0.9 * feeling))
