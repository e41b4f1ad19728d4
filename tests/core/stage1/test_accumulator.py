"""A chunk's contributions, gathered before they are rolled up: the sum is that of counting one by one."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.cells.cuts import Cut
from streams.core.cells.dimensions import DimensionRegistry
from streams.core.scores.contributions import contribution
from streams.core.scores.pane_delta import PaneDelta
from streams.core.stage1.accumulator import ChunkAccumulator
from streams.core.stage1.partials import PanePartial, Partials
from streams.core.time.lateness import NO_WATERMARK_MS, Lateness
from streams.core.time.spans import parse_span
from tests.support.arrivals import HOUR, MINUTE, NOON, SECOND
from tests.support.record_fields import RECORD_FIELDS

BOUNDS = Lateness.for_spans([parse_span("5m"), parse_span("1h"), parse_span("24h")], 3600, 600)
CUTS = (Cut.parse("total"), Cut.parse("channel"))
NINE = (2, 0, 2, 9, 0)
KEEP = min(BOUNDS.keep_ms.values())

counts = st.lists(
    st.tuples(
        RECORD_FIELDS,
        st.integers(NOON - 3 * HOUR, NOON + MINUTE),
        st.integers(0, 2),
        st.sampled_from((1, 1, -1)),
        st.integers(0, 3 * HOUR),
    ),
    max_size=30,
)

patient = settings(deadline=None)


def dimensions() -> DimensionRegistry:
    known = DimensionRegistry(CUTS, 100)
    for value in ("web", "shop", ""):
        known.intern((value,))
    return known


def tally(watermark: int = NO_WATERMARK_MS) -> ChunkAccumulator:
    return ChunkAccumulator("t", watermark, BOUNDS)


def rolled_up(*tallies: ChunkAccumulator) -> dict[object, PanePartial]:
    partials = Partials(BOUNDS)
    for one in tallies:
        one.roll_up(partials, dimensions())
    return {(key, cell): partial for key, cell, partial in partials.drain()}


@patient
@given(counts)
def test_a_roll_up_is_the_sum_of_one_by_one_under_the_watermark_of_each(
    chunk: list[tuple[tuple[int, ...], int, int, int, int]],
) -> None:
    together, partials = tally(NOON - HOUR), Partials(BOUNDS)
    for fields, time, dims, sign, step in chunk:
        together.count(fields, time, dims, sign)
        adds = contribution(fields)
        if adds.slots:
            alone = PaneDelta()
            alone.add(adds.slots, adds.codes, time, sign)
            start = time - time % (10 * SECOND)
            partials.apply("t", dimensions().cells_of(dims), start, together.watermark_ms, alone)
        if adds.stock_codes:
            alone = PaneDelta()
            alone.add(adds.stock_slots, adds.stock_codes, time, sign)
            partials.apply_all_time("t", dimensions().cells_of(dims), alone)
        together.watermark_ms = max(together.watermark_ms, NOON - HOUR + step)
    assert rolled_up(together) == {(key, cell): partial for key, cell, partial in partials.drain()}


def test_equal_answers_of_one_place_take_the_room_of_one() -> None:
    crowded = tally()
    for second in range(10):
        crowded.count(NINE, NOON + second * SECOND, 0, 1)
    assert crowded.places == 1
    crowded.count(NINE, NOON + 10 * SECOND, 0, 1)
    crowded.count(NINE, NOON, 1, 1)
    assert crowded.places == 3
    partial = rolled_up(crowded)[("t", 10, NOON), 0]
    assert (partial.version, partial.last[1]) == (11, NOON + 9 * SECOND)


def test_what_is_added_and_retracted_in_one_chunk_leaves_two_changes_and_no_count() -> None:
    undecided = tally()
    undecided.count(NINE, NOON, 0, 1)
    undecided.count(NINE, NOON, 0, -1)
    partial = rolled_up(undecided)[("t", 10, NOON), 0]
    assert (partial.version, partial.counts) == (2, {})


def test_what_the_scores_do_not_count_opens_no_pane() -> None:
    silent = tally()
    silent.count((0, 0, -1, -1, -1, -1, -1), NOON, 0, 1)
    silent.count((), NOON, 0, 1)
    assert rolled_up(silent) == {}


def test_the_watermark_at_the_time_of_counting_decides_which_panes_are_open() -> None:
    moving = tally(NOON)
    moving.count(NINE, NOON - HOUR, 0, 1)
    moving.watermark_ms = NOON + 3 * HOUR
    moving.count(NINE, NOON - HOUR, 0, 1)
    found = rolled_up(moving)
    assert found[("t", 10, NOON - HOUR), 0].version == 1
    assert found[("t", 300, NOON - HOUR), 0].version == 2
