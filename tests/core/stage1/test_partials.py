"""Cumulative partials of panes: rolled up, drained when they changed, forgotten when their pane closes."""

from streams.core.scores.pane_delta import PaneDelta
from streams.core.stage1.partials import PaneKey, PanePartial, Partials
from streams.core.time.lateness import NO_WATERMARK_MS, Lateness
from streams.core.time.spans import parse_span
from tests.support.arrivals import HOUR, MINUTE, NOON, SECOND

BOUNDS = Lateness.for_spans([parse_span("5m"), parse_span("24h")], 3600, 600)
"""Panes of 10 s stay open for ten minutes, panes of 5 min for a day and an hour."""

TEN, FIVE = 10, 300


def bucket(slots: tuple[tuple[int, int], ...] = ((7, 1),), time: int = NOON, sign: int = 1) -> PaneDelta:
    new = PaneDelta()
    new.add(slots, (1,), time, sign)
    return new


def drained(partials: Partials) -> dict[tuple[PaneKey, int], PanePartial]:
    return {(key, cell): partial for key, cell, partial in partials.drain()}


def test_a_bucket_goes_to_one_pane_of_each_resolution_and_to_all_its_cells() -> None:
    partials = Partials(BOUNDS)
    partials.apply("t", (0, 3), NOON + 10 * SECOND, NO_WATERMARK_MS, bucket())
    assert set(drained(partials)) == {
        (("t", TEN, NOON + 10 * SECOND), 0),
        (("t", TEN, NOON + 10 * SECOND), 3),
        (("t", FIVE, NOON), 0),
        (("t", FIVE, NOON), 3),
    }
    assert len(partials) == 4


def test_buckets_add_up_versions_too_and_no_zero_is_kept() -> None:
    partials = Partials(BOUNDS)
    partials.apply("t", (0,), NOON, NO_WATERMARK_MS, bucket(((7, 2), (8, 1)), NOON + 5))
    partials.apply("t", (0,), NOON, NO_WATERMARK_MS, bucket(((7, 1), (8, 1)), NOON + 3, sign=-1))
    assert drained(partials)[("t", TEN, NOON), 0] == PanePartial(2, {1: NOON + 5}, {7: 1})
    partials.apply("t", (0,), NOON, NO_WATERMARK_MS, bucket(((7, 1),), NOON + 3, sign=-1))
    assert drained(partials)[("t", TEN, NOON), 0] == PanePartial(3, {1: NOON + 5}, {})


def test_a_retraction_may_be_the_first_that_a_pane_sees() -> None:
    partials = Partials(BOUNDS)
    partials.apply("t", (0,), NOON, NO_WATERMARK_MS, bucket(sign=-1))
    assert drained(partials)[("t", TEN, NOON), 0].counts == {7: -1}


def test_a_bucket_counts_equal_records_as_so_many_changes() -> None:
    new = PaneDelta()
    new.add(((7, 2),), (1,), NOON, 1, 3)
    partials = Partials(BOUNDS)
    partials.apply("t", (0,), NOON, NO_WATERMARK_MS, new)
    assert drained(partials)[("t", TEN, NOON), 0] == PanePartial(3, {1: NOON}, {7: 6})


def test_a_closed_pane_takes_nothing_and_a_coarser_open_one_does() -> None:
    partials = Partials(BOUNDS)
    partials.apply("t", (0,), NOON, NOON + 10 * MINUTE + 9_999, bucket())
    assert {key[1] for key, _ in drained(partials)} == {TEN, FIVE}
    partials.apply("t", (0,), NOON, NOON + 10 * MINUTE + 10_000, bucket())
    assert {key[1] for key, _ in drained(partials)} == {FIVE}


def test_only_what_changed_is_drained_in_a_fixed_order() -> None:
    partials = Partials(BOUNDS)
    for start in (NOON + MINUTE, NOON):
        partials.apply("t", (1, 0), start, NO_WATERMARK_MS, bucket())
    assert len(partials.changed) == 6
    places = [(key, cell) for key, cell, _ in partials.drain()]
    assert places == sorted(places)
    assert not partials.changed
    partials.apply("t", (1,), NOON, NO_WATERMARK_MS, bucket())
    assert [cell for _, cell, _ in partials.drain()] == [1, 1]


def test_what_the_watermark_has_closed_is_named_and_forgotten_once() -> None:
    partials = Partials(BOUNDS)
    for start in (NOON, NOON + 20 * SECOND):
        partials.apply("t", (0, 1), start, NO_WATERMARK_MS, bucket())
    partials.apply("u", (0,), NOON, NO_WATERMARK_MS, bucket())
    partials.drain()
    assert list(partials.expire("t", NOON + 10 * MINUTE + 9_999)) == []
    assert sorted(partials.expire("t", NOON + 10 * MINUTE + 10_000)) == [(("t", TEN, NOON), 0), (("t", TEN, NOON), 1)]
    assert list(partials.expire("t", NOON + 10 * MINUTE + 10_000)) == []
    assert sorted(partials.expire("t", NOON + 11 * MINUTE)) == [(("t", TEN, NOON + 20 * SECOND), n) for n in (0, 1)]
    assert {key[1] for key, _ in partials.expire("t", NOON + 26 * HOUR)} == {FIVE}
    assert {key for key, _ in partials.expire("u", NOON + 26 * HOUR)} == {("u", TEN, NOON), ("u", FIVE, NOON)}
    assert len(partials) == 0


def test_what_changed_and_closed_at_once_is_drained_before_it_is_forgotten() -> None:
    partials = Partials(BOUNDS)
    partials.apply("t", (0,), NOON, NO_WATERMARK_MS, bucket())
    assert list(partials.expire("t", NOON + 11 * MINUTE)) == []
    assert ("t", TEN, NOON) in {key for key, _ in drained(partials)}
    assert list(partials.expire("t", NOON + 11 * MINUTE)) == [(("t", TEN, NOON), 0)]


def test_panes_read_back_go_on_and_close_as_before() -> None:
    partials = Partials(BOUNDS)
    partials.load(("t", TEN, NOON), 0, PanePartial(4, {1: NOON}, {7: 4}))
    partials.load(("t", TEN, NOON + MINUTE), 0, PanePartial(1, {1: NOON}, {7: 1}))
    assert partials.drain() == []
    partials.apply("t", (0,), NOON, NOON + MINUTE, bucket())
    assert drained(partials)[("t", TEN, NOON), 0] == PanePartial(5, {1: NOON}, {7: 5})
    assert (("t", TEN, NOON), 0) in list(partials.expire("t", NOON + 10 * MINUTE + 10_000))


def test_a_deletion_read_back_leaves_nothing() -> None:
    partials = Partials(BOUNDS)
    partials.load(("t", TEN, NOON), 0, PanePartial(4, {}, {7: 4}))
    partials.load(("t", TEN, NOON), 1, PanePartial(4, {}, {7: 4}))
    partials.unload(("t", TEN, NOON), 0)
    assert len(partials) == 1
    partials.unload(("t", TEN, NOON), 1)
    partials.unload(("t", TEN, NOON), 1)
    assert len(partials) == 0
    assert list(partials.expire("t", NOON + HOUR)) == []
