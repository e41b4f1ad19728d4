"""Average handle time."""

from collections.abc import Iterator, Mapping

from streams.core.events.record_fields import UNKNOWN
from streams.core.scores.base import Result, Slots, Unit
from streams.core.scores.calls import ANSWERED, CallFields, CallScore
from streams.core.scores.durations import (
    HISTOGRAM_STRIDE,
    bucket_of,
    duration_slots,
    histogram_of,
    mean_duration,
    percentiles_ms,
)

PARTS = range(3)
"""Slots of the sums (ms) of the three parts; each part has a histogram of its own."""

_NAMES = ("talk", "hold", "after_call")
_FIRST_BUCKETS = tuple((part + 1) * HISTOGRAM_STRIDE for part in PARTS)


class HandleTime(CallScore):
    """Average handle time (AHT) of answered calls: the mean sum of talk, hold and after-call work.

    A call without a known talk time is left out. An unknown hold or after-call work counts as 0 in the sum, and is left
    out of the figures of that part.
    """

    name = "handle_time"
    unit: Unit = "seconds"
    code = 14

    def call_slots(self, call: CallFields) -> Slots:
        """The three parts with their buckets, and the square and bucket of their sum."""
        if call.outcome != ANSWERED or call.talk_ms == UNKNOWN:
            return ()
        parts = (call.talk_ms, call.hold_ms, call.after_call_ms)
        slots = duration_slots(sum(ms for ms in parts if ms != UNKNOWN))
        for part, ms in enumerate(parts):
            if ms != UNKNOWN:
                slots += ((_FIRST_BUCKETS[part] + bucket_of(ms), 1),)
            if ms > 0:
                slots += ((part, ms),)
        return slots

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """In seconds, with Student's interval; the counts hold sum, n, mean and percentiles of each part."""
        sums = {f"{name}_ms": acc.get(part, 0) for part, name in enumerate(_NAMES)}
        mean = mean_duration(acc, sum(sums.values()), sums)
        if mean is not None:
            mean.counts.update(_part_counts(acc))
        return mean


def _part_counts(acc: Mapping[int, int]) -> Iterator[tuple[str, int]]:
    """n, mean (ms, rounded half up) and percentiles of each part that is known of at least one call."""
    for part, name in enumerate(_NAMES):
        histogram = histogram_of(acc, _FIRST_BUCKETS[part])
        if n := sum(histogram.values()):
            yield f"{name}_n", n
            yield f"{name}_mean_ms", (2 * acc.get(part, 0) + n) // (2 * n)
            yield from ((f"{name}_{percentile}", ms) for percentile, ms in percentiles_ms(histogram).items())
