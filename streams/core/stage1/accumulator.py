"""What a chunk adds and retracts, gathered per dimensions and 10 s before it is rolled up to cells."""

from streams.core.cells.dimensions import DimensionRegistry
from streams.core.events.fields import RecordFields
from streams.core.scores.contributions import Contribution, contribution
from streams.core.stage1.partials import FINEST_RESOLUTION_S, PARTIAL_BYTES, PaneDelta, Partials
from streams.core.time.lateness import NO_WATERMARK_MS

_FINEST_MS = FINEST_RESOLUTION_S * 1000


def bucket_bytes(cuts: int, resolutions: int) -> int:
    """An upper estimate of what one bucket changes in a checkpoint."""
    return cuts * resolutions * PARTIAL_BYTES


Place = tuple[int, int]
"""Dimensions (interned) and start of a 10 s pane (ms)."""


class ChunkAccumulator:
    """Contributions under one source label; `watermark` (ms) moves as the chunk goes on.

    Equal answers at one place are counted together, so that a chunk costs what it holds of different
    things, not of records.
    """

    def __init__(self, label: str, watermark: int, keep: int, bytes_per_bucket: int) -> None:
        self.label = label
        self.watermark = watermark
        self.bytes = 0
        self.bytes_of_one = bytes_per_bucket
        self._keep = keep
        self._places: set[Place] = set()
        self._added: dict[tuple[int, int, RecordFields], list[int]] = {}
        self._retracted: dict[tuple[int, int, RecordFields], list[int]] = {}
        self._late: list[tuple[Place, int, PaneDelta]] = []
        self._ever: dict[int, PaneDelta] = {}
        self._stocked: set[int] = set()

    def count(self, facts: RecordFields, time: int, dims: int, sign: int) -> None:
        """Add (sign 1) or retract (sign -1) what a record contributes at `time` (ms)."""
        if time < self.watermark - self._keep:
            self._count_late(facts, time, dims, sign)
            return
        groups = self._added if sign > 0 else self._retracted
        key = (dims, time - time % _FINEST_MS, facts)
        group = groups.get(key)
        if group is None:
            groups[key] = [1, time]
            self._note((dims, key[1]), facts)
        else:
            group[0] += 1
            if time > group[1]:
                group[1] = time

    def roll_up(self, partials: Partials, dimensions: DimensionRegistry) -> None:
        """Hand everything to the panes of its cells; what no resolution keeps is dropped there."""
        for (dims, start), bucket in self._buckets().items():
            partials.apply(self.label, dimensions.cells_of(dims), start, NO_WATERMARK_MS, bucket)
        for (dims, start), watermark, bucket in self._late:
            partials.apply(self.label, dimensions.cells_of(dims), start, watermark, bucket)
        for dims, bucket in self._ever.items():
            partials.apply_all_time(self.label, dimensions.cells_of(dims), bucket)

    def _buckets(self) -> dict[Place, PaneDelta]:
        buckets: dict[Place, PaneDelta] = {}
        for groups, sign in ((self._added, 1), (self._retracted, -1)):
            for (dims, start, facts), (number, last) in groups.items():
                adds = contribution(facts)
                if adds.slots:
                    place = (dims, start)
                    bucket = buckets.get(place)
                    if bucket is None:
                        bucket = buckets[place] = PaneDelta()
                    bucket.add(adds.slots, adds.codes, last, sign, number)
                if adds.stock_codes:
                    self._count_ever(adds, last, dims, sign, number)
        return buckets

    def _count_late(self, facts: RecordFields, time: int, dims: int, sign: int) -> None:
        adds = contribution(facts)
        if adds.slots:
            bucket = PaneDelta()
            bucket.add(adds.slots, adds.codes, time, sign)
            self._late.append(((dims, time - time % _FINEST_MS), self.watermark, bucket))
            self.bytes += self.bytes_of_one
        if adds.stock_codes:
            self._count_ever(adds, time, dims, sign, 1)
            self._note_stock(dims)

    def _count_ever(self, adds: Contribution, time: int, dims: int, sign: int, number: int) -> None:
        self._ever.setdefault(dims, PaneDelta()).add(adds.stock_slots, adds.stock_codes, time, sign, number)

    def _note(self, place: Place, facts: RecordFields) -> None:
        if place not in self._places:
            self._places.add(place)
            self.bytes += self.bytes_of_one
        if contribution(facts).stock_codes:
            self._note_stock(place[0])

    def _note_stock(self, dims: int) -> None:
        if dims not in self._stocked:
            self._stocked.add(dims)
            self.bytes += self.bytes_of_one
