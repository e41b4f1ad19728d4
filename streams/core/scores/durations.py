"""Mean, interval and percentiles of durations in whole milliseconds, from mergeable integers.

The sum of squares takes two slots, because a single 64-bit column could overflow within a pane. Percentiles come from
a histogram with logarithmic buckets (DDSketch with linear interpolation; Masson, Rim and Lee 2019). Up to 127 ms each
millisecond has its own bucket; above that a bucket holds all durations with the same seven leading binary digits. The
middle of a bucket therefore differs from any duration in it by at most 1/128 of that duration.
"""

import math
from collections.abc import Mapping

from streams.core.scores.base import Result, Slots, clamped, rounded
from streams.core.statistics.intervals import mean_interval

SQUARES_LOW, SQUARES_HIGH = 8, 9
"""Slots of the sum of squares: the low 38 bits of each square, and the bits above. Slots 0–7 are the score's own."""

FIRST_BUCKET = 16
"""Slot of the first bucket."""

BUCKET_COUNT = 2_304
"""Enough for the ten years that a ticket may take."""

HISTOGRAM_STRIDE = 4_096
"""A score may have histograms of other durations as well, each beginning at a multiple of this slot."""

_LOW_BITS = 38
_DIGITS = 7
_MANTISSA = _DIGITS - 1


def duration_slots(duration_ms: int) -> Slots:
    """The contribution of one duration: its square, and one to its bucket. The caller adds to its own sums."""
    square = duration_ms * duration_ms
    low, high = square & ((1 << _LOW_BITS) - 1), square >> _LOW_BITS
    both = ((SQUARES_LOW, low), (SQUARES_HIGH, high)) if high else ((SQUARES_LOW, low),)
    return (*both, (FIRST_BUCKET + bucket_of(duration_ms), 1))


def bucket_of(duration_ms: int) -> int:
    """The number of the bucket of a duration.

    >>> bucket_of(0), bucket_of(127), bucket_of(128), bucket_of(129), bucket_of(130), bucket_of(256)
    (0, 127, 128, 128, 129, 192)
    """
    shift = max(duration_ms.bit_length() - _DIGITS, 0)
    return (shift << _MANTISSA) + (duration_ms >> shift)


def bucket_middle_ms(bucket: int) -> int:
    """The duration that represents a bucket.

    >>> bucket_middle_ms(127), bucket_middle_ms(128), bucket_middle_ms(192), bucket_middle_ms(bucket_of(200_000))
    (127, 129, 258, 199680)
    """
    shift = max((bucket >> _MANTISSA) - 1, 0)
    lowest_ms = (bucket - (shift << _MANTISSA)) << shift
    return lowest_ms + (1 << shift) // 2


def percentile_ms(histogram: Mapping[int, int], percent: int) -> int:
    """The nearest-rank percentile of the durations in a histogram, off by at most 1/128 of itself.

    >>> waits = {bucket_of(1_000): 9, bucket_of(60_000): 1}
    >>> percentile_ms(waits, 90), percentile_ms(waits, 91)
    (1004, 60160)
    """
    rank = -(-sum(histogram.values()) * percent // 100)
    for bucket, count in sorted(histogram.items()):
        rank -= count
        if rank <= 0:
            return bucket_middle_ms(bucket)
    raise ValueError("an empty histogram has no percentiles")


def histogram_of(acc: Mapping[int, int], first_slot: int = FIRST_BUCKET) -> dict[int, int]:
    """The number of durations in each bucket, of the histogram that begins at `first_slot`."""
    return {slot - first_slot: count for slot, count in acc.items() if first_slot <= slot < first_slot + BUCKET_COUNT}


def percentiles_ms(histogram: Mapping[int, int]) -> dict[str, int]:
    """The median and the 90th percentile, by the names they have among counts."""
    return {"p50_ms": percentile_ms(histogram, 50), "p90_ms": percentile_ms(histogram, 90)}


def sum_of_squares(acc: Mapping[int, int]) -> int:
    """The sum of the squares (ms²) of all durations.

    >>> sum_of_squares(dict(duration_slots(600_000)))
    360000000000
    """
    return acc.get(SQUARES_LOW, 0) + (acc.get(SQUARES_HIGH, 0) << _LOW_BITS)


def mean_duration(acc: Mapping[int, int], total_ms: int, sums: Mapping[str, int]) -> Result | None:
    """Mean in seconds of durations with the sum `total_ms`, with Student's interval, cut off at 0.

    The counts are `sums`, the median and the 90th percentile, in whole milliseconds.
    """
    histogram = histogram_of(acc)
    n = sum(histogram.values())
    if not n:
        return None
    interval = mean_interval(total_ms, sum_of_squares(acc), n)
    seconds = None if interval is None else (interval[0] / 1000, interval[1] / 1000)
    return rounded(total_ms / (1000 * n), clamped(seconds, 0.0, math.inf), n, {**sums, **percentiles_ms(histogram)})
