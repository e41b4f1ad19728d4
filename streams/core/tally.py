"""What a chunk adds and retracts, gathered per dimensions and 10 s before it is rolled up to cells."""

from streams.core.contributions import contribution
from streams.core.dimensions import Dimensions
from streams.core.facts import Facts
from streams.core.lateness import NEVER
from streams.core.partials import FINEST, PARTIAL_BYTES, Bucket, Partials

_FINEST_MS = FINEST * 1000


def bucket_bytes(cuts: int, resolutions: int) -> int:
    """An upper estimate of what one bucket changes in a checkpoint."""
    return cuts * resolutions * PARTIAL_BYTES


class Tally:
    """Contributions under one source label; `watermark` (ms) moves as the chunk goes on."""

    def __init__(self, label: str, watermark: int, keep: int, bytes_per_bucket: int) -> None:
        self.label = label
        self.watermark = watermark
        self.bytes = 0
        self._bytes_per_bucket = bytes_per_bucket
        self._keep = keep
        self._buckets: dict[tuple[int, int], Bucket] = {}
        self._late: list[tuple[int, int, int, Bucket]] = []

    def count(self, facts: Facts, time: int, dims: int, sign: int) -> None:
        """Add (sign 1) or retract (sign −1) what a record contributes at `time` (ms)."""
        slots, codes = contribution(facts)
        if not slots:
            return
        start = time - time % _FINEST_MS
        if time < self.watermark - self._keep:
            bucket = Bucket()
            self.bytes += self._bytes_per_bucket
            self._late.append((dims, start, self.watermark, bucket))
        else:
            key = (dims, start)
            found = self._buckets.get(key)
            if found is None:
                found = self._buckets[key] = Bucket()
                self.bytes += self._bytes_per_bucket
            bucket = found
        bucket.add(slots, codes, time, sign)

    def roll_up(self, partials: Partials, dimensions: Dimensions) -> None:
        """Hand everything to the panes of its cells; what no resolution keeps is dropped there."""
        for (dims, start), bucket in self._buckets.items():
            partials.apply(self.label, dimensions.cells_of(dims), start, NEVER, bucket)
        for dims, start, watermark, bucket in self._late:
            partials.apply(self.label, dimensions.cells_of(dims), start, watermark, bucket)
