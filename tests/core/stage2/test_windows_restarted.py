"""After a restart, stage 2 knows from its own topic which results are published already."""

from schemas.pane import Pane
from schemas.score import Score
from tests.core.stage2.given import at, one, pane, windows
from tests.support.arrivals import DAY, MINUTE, NOON


def published_before(now: int, *panes: Pane) -> Score:
    stage = windows("5m")
    for partial in panes:
        stage.apply(partial)
    return one(at(now, stage))


def test_an_unchanged_result_is_not_published_again() -> None:
    published = published_before(NOON, pane(NOON, {10: 1}))
    stage = windows("5m")
    stage.restore(published)
    stage.apply(pane(NOON, {10: 1}))
    assert at(NOON + MINUTE, stage) == []


def test_a_result_that_changed_meanwhile_is_published() -> None:
    published = published_before(NOON, pane(NOON, {10: 1}))
    stage = windows("5m")
    stage.restore(published)
    stage.apply(pane(NOON, {10: 2}, version=2))
    assert one(at(NOON, stage)).n == 2


def test_a_window_that_became_empty_meanwhile_is_published_with_null() -> None:
    published = published_before(NOON, pane(NOON, {10: 1}))
    stage = windows("5m")
    stage.restore(published)
    gone = one(at(NOON + DAY, stage))
    assert (gone.score, gone.cell, gone.window, gone.value, gone.n) == ("nps", "all", "5m", None, 0)
    assert at(NOON + 2 * DAY, stage) == []


def test_a_null_published_before_is_not_published_again() -> None:
    published = published_before(NOON, pane(NOON, {10: 1}))
    stage = windows("5m")
    stage.restore(published)
    gone = one(at(NOON + DAY, stage))
    again = windows("5m")
    again.restore(published)
    again.restore(gone)
    assert at(NOON + DAY, again) == []


def test_windows_that_are_no_longer_configured_are_ignored() -> None:
    published = published_before(NOON, pane(NOON, {10: 1}))
    stage = windows("1h")
    stage.restore(published)
    assert at(NOON + DAY, stage) == []
    assert stage.cell_count == 0
