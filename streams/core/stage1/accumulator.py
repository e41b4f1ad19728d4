"""What a chunk adds and retracts, summed up by dimensions and 10 s pane before it is rolled up to cells."""

from streams.core.cells.dimensions import DimensionRegistry
from streams.core.events.record_fields import RecordFields
from streams.core.scores.contributions import Contribution, contribution
from streams.core.scores.pane_delta import PaneDelta
from streams.core.stage1.partials import Partials
from streams.core.time.lateness import NO_WATERMARK_MS, Lateness
from streams.core.time.panes import FINEST_RESOLUTION_S

_FINEST_MS = FINEST_RESOLUTION_S * 1000

FinePane = tuple[int, int]
"""Interned dimensions and start of a 10 s pane (ms)."""


class ChunkAccumulator:
    """Contributions under one source label; `watermark` (ms) moves as the chunk goes on.

    Equal records at one place are counted together, so a chunk costs what it holds of different things, not how many
    records it has. Records for which some pane is closed already are kept apart, with the watermark of their moment.
    """

    def __init__(self, label: str, watermark_ms: int, lateness: Lateness) -> None:
        self.label = label
        self.watermark_ms = watermark_ms
        self.places = 0
        """How many panes (counted once for all cells and resolutions) will change."""
        self._all_open_ms = lateness.all_open_ms
        self._seen: set[FinePane] = set()
        self._added: dict[tuple[int, int, RecordFields], list[int]] = {}
        self._retracted: dict[tuple[int, int, RecordFields], list[int]] = {}
        self._partly_closed: list[tuple[FinePane, int, PaneDelta]] = []
        self._all_time: dict[int, PaneDelta] = {}
        self._stocked: set[int] = set()

    def count(self, fields: RecordFields, time_ms: int, dims: int, sign: int) -> None:
        """Add (sign 1) or retract (sign -1) what a record contributes at `time` (ms)."""
        if time_ms < self.watermark_ms - self._all_open_ms:
            self._count_partly_closed(fields, time_ms, dims, sign)
            return
        groups = self._added if sign > 0 else self._retracted
        key = (dims, time_ms - time_ms % _FINEST_MS, fields)
        group = groups.get(key)
        if group is None:
            groups[key] = [1, time_ms]
            self._note((dims, key[1]), fields)
        else:
            group[0] += 1
            if time_ms > group[1]:
                group[1] = time_ms

    def roll_up(self, partials: Partials, dimensions: DimensionRegistry) -> None:
        """Hand everything to the panes of its cells; a resolution whose pane is closed leaves it out."""
        for (dims, start_ms), delta in self._deltas().items():
            partials.apply(self.label, dimensions.cells_of(dims), start_ms, NO_WATERMARK_MS, delta)
        for (dims, start_ms), watermark_ms, delta in self._partly_closed:
            partials.apply(self.label, dimensions.cells_of(dims), start_ms, watermark_ms, delta)
        for dims, delta in self._all_time.items():
            partials.apply_all_time(self.label, dimensions.cells_of(dims), delta)

    def _deltas(self) -> dict[FinePane, PaneDelta]:
        deltas: dict[FinePane, PaneDelta] = {}
        for groups, sign in ((self._added, 1), (self._retracted, -1)):
            for (dims, start_ms, fields), (number, last) in groups.items():
                adds = contribution(fields)
                if adds.slots:
                    place = (dims, start_ms)
                    delta = deltas.get(place)
                    if delta is None:
                        delta = deltas[place] = PaneDelta()
                    delta.add(adds.slots, adds.codes, last, sign, number)
                if adds.stock_codes:
                    self._count_all_time(adds, last, dims, sign, number)
        return deltas

    def _count_partly_closed(self, fields: RecordFields, time_ms: int, dims: int, sign: int) -> None:
        adds = contribution(fields)
        if adds.slots:
            delta = PaneDelta()
            delta.add(adds.slots, adds.codes, time_ms, sign)
            self._partly_closed.append(((dims, time_ms - time_ms % _FINEST_MS), self.watermark_ms, delta))
            self.places += 1
        if adds.stock_codes:
            self._count_all_time(adds, time_ms, dims, sign, 1)
            self._note_stock(dims)

    def _count_all_time(self, adds: Contribution, time_ms: int, dims: int, sign: int, number: int) -> None:
        self._all_time.setdefault(dims, PaneDelta()).add(adds.stock_slots, adds.stock_codes, time_ms, sign, number)

    def _note(self, place: FinePane, fields: RecordFields) -> None:
        if place not in self._seen:
            self._seen.add(place)
            self.places += 1
        if contribution(fields).stock_codes:
            self._note_stock(place[0])

    def _note_stock(self, dims: int) -> None:
        if dims not in self._stocked:
            self._stocked.add(dims)
            self.places += 1
