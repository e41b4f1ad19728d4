"""Mean, interval and percentiles of durations in whole milliseconds, from mergeable integers.

The sum of squares takes two slots, because a 64-bit one could overflow within a pane. Percentiles come
from logarithmic buckets (DDSketch with linear interpolation; Masson, Rim and Lee 2019): whole numbers of
milliseconds up to 127, above that the seven leading binary digits, so the middle of a bucket is never
further than 1/128 of it from any duration in it. A duration adds to one bucket; there are at most
`BUCKETS` of them.
"""

import math
from collections.abc import Mapping

from streams.core.scores.base import Result, Slots, clamped, rounded
from streams.core.statistics.intervals import mean_interval

LOW, HIGH = 8, 9
FIRST_BUCKET = 16
"""Slots below are sums: 0–7 the score's own, then the low 38 bits of the squares and what is above them. A score
may have buckets of other durations as well, each from a multiple of `APART` on."""

BUCKETS = 2_304
"""Enough for the ten years that a ticket may take."""

APART = 4_096
_LOW_BITS = 38
_DIGITS = 7
_MANTISSA = _DIGITS - 1


def slots_of(ms: int) -> Slots:
    """What one duration adds: its square, and one to its bucket. The caller adds to its own sums."""
    square = ms * ms
    low, high = square & ((1 << _LOW_BITS) - 1), square >> _LOW_BITS
    both = ((LOW, low), (HIGH, high)) if high else ((LOW, low),)
    return (*both, (FIRST_BUCKET + bucket(ms), 1))


def bucket(ms: int) -> int:
    """The number of the bucket a duration lies in.

    >>> bucket(0), bucket(127), bucket(128), bucket(129), bucket(130), bucket(256)
    (0, 127, 128, 128, 129, 192)
    """
    shift = max(ms.bit_length() - _DIGITS, 0)
    return (shift << _MANTISSA) + (ms >> shift)


def middle(number: int) -> int:
    """The duration (ms) that stands for a bucket.

    >>> middle(127), middle(128), middle(192), middle(bucket(200_000))
    (127, 129, 258, 199680)
    """
    shift = max((number >> _MANTISSA) - 1, 0)
    lowest = (number - (shift << _MANTISSA)) << shift
    return lowest + (1 << shift) // 2


def percentile(buckets: Mapping[int, int], percent: int) -> int:
    """The nearest-rank percentile (ms) of the durations in these buckets, off by at most 1/128 of itself.

    >>> percentile({bucket(1_000): 9, bucket(60_000): 1}, 90), percentile({bucket(1_000): 9, bucket(60_000): 1}, 91)
    (1004, 60160)
    """
    rank = -(-sum(buckets.values()) * percent // 100)
    for number, count in sorted(buckets.items()):
        rank -= count
        if rank <= 0:
            return middle(number)
    raise ValueError("no durations, no percentile")


def buckets_of(acc: Mapping[int, int], first: int = FIRST_BUCKET) -> dict[int, int]:
    """How many durations lie in each bucket, by its number; of the buckets that begin at slot `first`."""
    return {slot - first: count for slot, count in acc.items() if first <= slot < first + BUCKETS}


def percentiles(buckets: Mapping[int, int]) -> dict[str, int]:
    """The median and the 90th percentile, in ms."""
    return {"p50_ms": percentile(buckets, 50), "p90_ms": percentile(buckets, 90)}


def squares_of(acc: Mapping[int, int]) -> int:
    """The sum of the squares (ms²) of all durations.

    >>> squares_of(dict(slots_of(600_000)))
    360000000000
    """
    return acc.get(LOW, 0) + (acc.get(HIGH, 0) << _LOW_BITS)


def mean_of(acc: Mapping[int, int], total: int, sums: Mapping[str, int]) -> Result | None:
    """Mean in seconds of durations whose sum is `total` ms, with Student's interval, not below 0.

    Counts are `sums` with the median and the 90th percentile in whole milliseconds.
    """
    buckets = buckets_of(acc)
    n = sum(buckets.values())
    if not n:
        return None
    interval = mean_interval(total, squares_of(acc), n)
    seconds = None if interval is None else (interval[0] / 1000, interval[1] / 1000)
    return rounded(total / (1000 * n), clamped(seconds, 0.0, math.inf), n, {**sums, **percentiles(buckets)})
