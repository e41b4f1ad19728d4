"""Average handle time."""

from collections.abc import Iterator, Mapping

from streams.core.events.record_fields import UNKNOWN
from streams.core.scores.base import Result, Slots, Unit
from streams.core.scores.calls import ANSWERED, CallFacts, CallScore
from streams.core.scores.durations import APART, bucket, buckets_of, mean_of, percentiles, slots_of

PARTS = range(3)
"""Slots of the sums (ms) of the three parts; the buckets of each are apart from the others'."""

_NAMES = ("talk", "hold", "after_call")
_FIRST_BUCKETS = tuple((part + 1) * APART for part in PARTS)


class HandleTime(CallScore):
    """Mean of talk, hold and after-call work together (AHT) of answered calls.

    Without a known talk time a call is left out; a hold or after-call work that is not known counts as none in the
    whole, and is left out where its part is told alone.
    """

    name = "handle_time"
    unit: Unit = "seconds"
    code = 14

    def of_call(self, call: CallFacts) -> Slots:
        """Its three parts with their buckets, and their sum's square and bucket."""
        if call.outcome != ANSWERED or call.talk == UNKNOWN:
            return ()
        parts = (call.talk, call.hold, call.after_call)
        slots = slots_of(sum(ms for ms in parts if ms != UNKNOWN))
        for part, ms in enumerate(parts):
            if ms != UNKNOWN:
                slots += ((_FIRST_BUCKETS[part] + bucket(ms), 1),)
            if ms > 0:
                slots += ((part, ms),)
        return slots

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """In seconds, with Student's interval; sum, n, mean and percentiles of each part are in the counts."""
        sums = {f"{name}_ms": acc.get(part, 0) for part, name in enumerate(_NAMES)}
        whole = mean_of(acc, sum(sums.values()), sums)
        if whole is not None:
            whole.counts.update(_of_parts(acc))
        return whole


def _of_parts(acc: Mapping[int, int]) -> Iterator[tuple[str, int]]:
    """Of each part that is known of any call: how many calls, mean (ms, rounded half up) and percentiles."""
    for part, name in enumerate(_NAMES):
        buckets = buckets_of(acc, _FIRST_BUCKETS[part])
        if n := sum(buckets.values()):
            yield f"{name}_n", n
            yield f"{name}_mean_ms", (2 * acc.get(part, 0) + n) // (2 * n)
            yield from ((f"{name}_{which}", ms) for which, ms in percentiles(buckets).items())
