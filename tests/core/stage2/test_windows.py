"""Rolling windows from cumulative partials: how they slide, and which results are published.

A window ends at the end of the pane that contains the present. A window of 60 s over panes of 10 s:

    11:59:00  :10  :20  :30  :40  :50 12:00:00  :10  :20
        |----|----|----|----|----|----|----|----|
             [----------- 60 s -----------)           now = 12:00:00 … 12:00:09.999
                  [----------- 60 s -----------)      now = 12:00:10 …: one pane leaves, one enters
"""

import pytest

from streams.core.events.source_label import ASSESSMENT_LABEL
from streams.core.time.instants import to_datetime, to_ms
from tests.core.stage2.given import at, one, pane, windows
from tests.support.arrivals import DAY, HOUR, MINUTE, NOON, SECOND


def test_a_window_is_published_if_its_counts_change_but_not_if_only_time_passes() -> None:
    stage = windows("5m")
    stage.apply(pane(NOON, {10: 2}))
    first = one(at(NOON, stage))
    assert (first.n, first.value, first.start, first.end) == (
        2,
        100.0,
        to_datetime(NOON - 290 * SECOND),
        to_datetime(NOON + 10 * SECOND),
    )
    assert (first.final, first.revision, first.unit) == (False, 1, "points")
    assert at(NOON + MINUTE, stage) == []
    stage.apply(pane(NOON + MINUTE, {0: 1}))
    assert one(at(NOON + MINUTE, stage)).counts == {"promoters": 2, "passives": 0, "detractors": 1}


def test_a_window_that_becomes_empty_is_published_once_with_null() -> None:
    stage = windows("5m")
    stage.apply(pane(NOON, {10: 1}))
    assert one(at(NOON + 299 * SECOND, stage)).n == 1
    gone = one(at(NOON + 5 * MINUTE, stage))
    assert (gone.value, gone.lower, gone.upper, gone.n, gone.counts) == (None, None, None, 0, {})
    assert (gone.last_event, gone.end) == (None, to_datetime(NOON + 5 * MINUTE + 10 * SECOND))
    assert at(NOON + DAY, stage) == []


def test_a_window_that_was_never_published_is_not_published_empty() -> None:
    stage = windows("5m")
    stage.apply(pane(NOON, {10: 1}))
    stage.apply(pane(NOON, {}, version=2))
    assert at(NOON, stage) == []


def test_a_retraction_of_everything_is_published_with_null_and_a_higher_revision() -> None:
    stage = windows("5m")
    stage.apply(pane(NOON, {10: 1}))
    before = one(at(NOON, stage))
    stage.apply(pane(NOON, {}, version=2))
    after = one(at(NOON, stage))
    assert (after.value, after.n) == (None, 0)
    assert (before.end, before.revision, after.revision) == (after.end, 1, 2)


def test_the_highest_version_of_a_partial_counts_in_any_order_of_arrival() -> None:
    stage = windows("5m")
    assert stage.apply(pane(NOON, {10: 3}, version=3))
    assert not stage.apply(pane(NOON, {10: 1}, version=1))
    assert not stage.apply(pane(NOON, {10: 3}, version=3))
    assert one(at(NOON, stage)).n == 3
    assert stage.apply(pane(NOON, {10: 2}, version=4))
    assert one(at(NOON, stage)).n == 2


def test_source_partitions_and_sources_add_up() -> None:
    stage = windows("5m")
    stage.apply(pane(NOON, {10: 1}))
    stage.apply(pane(NOON, {0: 1}, partition=1))
    stage.apply(pane(NOON, {8: 1}, topic="cx.rekeyed.v1/cx.surveys.v1", version=5))
    result = one(at(NOON, stage))
    assert result.counts == {"promoters": 1, "passives": 1, "detractors": 1}
    assert result.revision == 7


def test_revisions_of_event_scores_and_of_derived_scores_count_separately() -> None:
    stage = windows("5m")
    stage.apply(pane(NOON, {10: 1}, version=4))
    stage.apply(
        pane(NOON, {}, topic=ASSESSMENT_LABEL, version=9, counts={"churn_risk": {0: 1, 1: 20_000, 2: 400_000_000}})
    )
    assert {score.score: score.revision for score in at(NOON, stage)} == {"nps": 4, "churn_risk": 9}


def test_for_the_same_end_the_revision_only_rises() -> None:
    stage, revisions = windows("5m"), []
    for version, answers in ((1, {10: 1}), (2, {10: 2}), (3, {10: 1}), (4, {}), (5, {0: 1})):
        stage.apply(pane(NOON, answers, version=version))
        revisions.append(one(at(NOON, stage)).revision)
    assert revisions == [1, 2, 3, 4, 5]


def test_a_future_pane_counts_once_the_window_reaches_it() -> None:
    """A window of 60 s and the pane P from 12:05:00 to 12:05:10.

                      [P)
    [----- 60 s -----)                      now = 12:04:59.999: P is a future pane
       [----- 60 s -----)                   now = 12:05:00: P is in the window
                         [----- 60 s -----) now = 12:06:00: P has left it
    """
    stage = windows("60s")
    stage.advance(NOON)
    stage.apply(pane(NOON + 5 * MINUTE, {10: 1}))
    assert stage.changed_results() == []
    assert at(NOON + 5 * MINUTE - 1, stage) == []
    assert one(at(NOON + 5 * MINUTE, stage)).n == 1
    assert one(at(NOON + 6 * MINUTE, stage)).n == 0


def test_a_pane_that_no_window_can_contain_is_not_kept() -> None:
    """With now = 12:00:00 the longest window is that of 5 min from 11:55:10 to 12:00:10.

    11:55:00  11:55:10                    12:00:10
        [refused)[taken)
                 [---------- 5 min ----------)
    """
    stage = windows("60s", "5m")
    stage.advance(NOON)
    assert not stage.apply(pane(NOON - 5 * MINUTE, {10: 1}))
    assert not stage.apply(pane(NOON, {10: 1}, resolution=3600))
    assert stage.oldest_pane_ms(10) is None
    assert stage.apply(pane(NOON - 5 * MINUTE + 10 * SECOND, {10: 1}))
    assert stage.oldest_pane_ms(10) == NOON - 5 * MINUTE + 10 * SECOND
    stage.advance(NOON + 10 * SECOND)
    assert stage.oldest_pane_ms(10) is None


def test_windows_never_slide_back() -> None:
    stage = windows("60s")
    stage.apply(pane(NOON, {10: 1}))
    assert one(at(NOON, stage)).n == 1
    assert at(NOON - HOUR, stage) == []


@pytest.mark.parametrize("jump", [10 * SECOND, MINUTE, HOUR, 400 * DAY])
def test_a_jump_of_any_length_ends_where_small_steps_end(jump: int) -> None:
    """After a jump longer than the window its old and its new range are apart; panes between count in neither.

    [----- 60 s -----)                          before the jump
                             [----- 60 s -----) after it
    """
    jumping, stepping = windows("60s", "5m"), windows("60s", "5m")
    for stage in (jumping, stepping):
        stage.advance(NOON)
        for number in range(0, 90, 3):
            stage.apply(pane(NOON + number * 10 * SECOND, {number % 11: 1}))
    for step in range(min(jump, HOUR) // SECOND // 10):
        stepping.advance(NOON + step * 10 * SECOND)
    stepping.advance(NOON + jump)
    jumping.advance(NOON + jump)
    assert jumping.final_results(10) == stepping.final_results(10)


def test_the_last_event_is_the_newest_within_the_window_even_with_future_events() -> None:
    stage = windows("60s")
    stage.apply(pane(NOON, {10: 1}))
    stage.apply(pane(NOON - 20 * SECOND, {10: 1}, partition=1))
    stage.apply(pane(NOON + MINUTE, {10: 1}))
    assert one(at(NOON, stage)).last_event == to_datetime(NOON + 1)
    assert one(at(NOON + MINUTE, stage)).last_event == to_datetime(NOON + MINUTE + 1)


def test_an_owner_is_named_for_their_cell_only() -> None:
    stage = windows("5m", **{"touchpoint:web": "Ana"})
    for cut, cell in (("touchpoint", "web"), ("touchpoint", "shop"), ("team", "web")):
        stage.apply(pane(NOON, {10: 1}, cut=cut, cell=cell))
    assert {(s.cut, s.cell): s.owner for s in at(NOON, stage)} == {
        ("touchpoint", "web"): "Ana",
        ("touchpoint", "shop"): None,
        ("team", "web"): None,
    }
    assert stage.cell_count == 3


def test_a_result_has_the_start_and_end_of_its_window() -> None:
    stage = windows("60s", "24h", "7d")
    for resolution in (10, 300, 3600):
        start = NOON - NOON % (resolution * 1000)
        stage.apply(pane(start, {10: 1}, resolution=resolution))
    found = {s.window: (to_ms(s.start) - NOON, to_ms(s.end) - NOON) for s in at(NOON, stage)}
    assert found == {
        "60s": (-50 * SECOND, 10 * SECOND),
        "24h": (5 * MINUTE - DAY, 5 * MINUTE),
        "7d": (HOUR - 7 * DAY, HOUR),
    }
