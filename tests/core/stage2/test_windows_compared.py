"""Compared scores in stage 2: cells compared with each other, and windows with the time before them.

A window of 60 s that ends at 12:00:10, its previous window, and where a pane at each time is counted:

    11:58:10              11:59:10              12:00:10
       [------ previous -----)[------ window ------)
    A     B               C     D               E     F

    A: not kept    B, C: in the previous window    D, E: in the window    F: a future pane
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.pane import Pane
from schemas.score import Score
from streams.core.events.record_fields import RecordFields
from streams.core.events.source_label import SourceLabel
from streams.core.scores import ComparedScore
from streams.core.scores.friction import Friction
from streams.core.scores.speed_guard import SpeedGuard
from streams.core.stage2.windows import Windows
from streams.core.time.instants import to_datetime
from tests.reference.contracts import CALLS, SURVEYS
from tests.support.arrivals import DAY, HOUR, MINUTE, NOON, SECOND
from tests.support.stream import new_windows, settings_with

FRICTION, GUARD = Friction(), SpeedGuard()
patient = settings(deadline=None)


def windows(*lengths: str, allowance: str = "2d") -> Windows:
    return new_windows(settings_with(windows={"lengths": list(lengths)}, lateness={"allowance": allowance}))


def comparison_input(
    score: ComparedScore, cell: str, start: int, records: list[RecordFields], *, version: int = 1, resolution: int = 10
) -> Pane:
    """The comparison input that stage 1 publishes for a pane with these records."""
    acc = score.zero()
    for fields in records:
        score.add(acc, score.slots(fields))
    return Pane(
        cut=score.cuts[0],
        cell=cell,
        resolution=resolution,
        start=to_datetime(start),
        topic=SourceLabel(SURVEYS if score is FRICTION else CALLS, group=score.comparison_group).text,
        partition=0,
        version=version,
        last={score.name: to_datetime(start)},
        counts={score.name: acc},
    )


def answers(*scores: int) -> list[RecordFields]:
    return [(2, 0, 2, score, 0) for score in scores]


def calls(number: int, talk_s: int, repeated: int) -> list[RecordFields]:
    talks: list[RecordFields] = [(1, 0, 0, 0, 1_000 * (talk_s + n % 7), -1, -1, 0) for n in range(number)]
    return talks + [(6, int(n < repeated)) for n in range(number)]


def at(now: int, stage: Windows) -> list[Score]:
    stage.advance(now)
    return stage.changed_results()


def by_cell(results: list[Score]) -> dict[str, float | None]:
    return {result.cell: result.value for result in results}


def test_a_change_of_one_cell_changes_the_results_of_the_others() -> None:
    stage = windows("5m")
    stage.apply(comparison_input(FRICTION, "web", NOON, answers(0, 0)))
    assert at(NOON, stage) == [], "the only touchpoint has no peers"
    stage.apply(comparison_input(FRICTION, "shop", NOON, answers(10, 10)))
    assert by_cell(at(NOON, stage)) == {"web": 100.0, "shop": -100.0}
    stage.apply(comparison_input(FRICTION, "app", NOON, answers(10)))
    found = at(NOON, stage)
    assert by_cell(found) == {"web": 80.0, "shop": pytest.approx(-160 / 3, abs=1e-6), "app": -20.0}
    assert {result.cell: result.counts["rank"] for result in found} == {"web": 1, "app": 2, "shop": 3}


def test_the_last_cell_is_published_with_null_after_its_peers_left_the_window() -> None:
    stage = windows("5m")
    stage.apply(comparison_input(FRICTION, "web", NOON, answers(0)))
    stage.apply(comparison_input(FRICTION, "shop", NOON + MINUTE, answers(10)))
    assert len(at(NOON + MINUTE, stage)) == 2
    found = at(NOON + 5 * MINUTE, stage)
    assert by_cell(found) == {"web": None, "shop": None}
    assert {result.n for result in found} == {0}
    assert at(NOON + DAY, stage) == []


def test_for_the_same_end_the_revision_rises_with_every_change_of_any_cell() -> None:
    stage, revisions = windows("5m"), []
    stage.apply(comparison_input(FRICTION, "web", NOON, answers(0)))
    for version in (1, 2, 3):
        stage.apply(comparison_input(FRICTION, "shop", NOON, answers(*range(9, 9 - version, -1)), version=version))
        revisions += [result.revision for result in at(NOON, stage) if result.cell == "web"]
    assert revisions == [2, 3, 4]


def test_after_a_restart_only_changes_are_published() -> None:
    panes = [comparison_input(FRICTION, "web", NOON, answers(0)), comparison_input(FRICTION, "shop", NOON, answers(10))]
    stage, successor, alone = windows("5m"), windows("5m"), windows("5m")
    for pane in panes:
        stage.apply(pane)
        successor.apply(pane)
    for published in at(NOON, stage):
        successor.restore(published)
        alone.restore(published)
    assert at(NOON, successor) == []
    assert by_cell(at(NOON + DAY, alone)) == {"web": None, "shop": None}


def test_comparison_inputs_are_not_published_as_a_score_of_their_cell() -> None:
    stage = windows("5m")
    stage.apply(comparison_input(FRICTION, "web", NOON, answers(0)))
    stage.apply(comparison_input(FRICTION, "shop", NOON, answers(10)))
    assert {result.score for result in at(NOON, stage)} == {"friction"}


def rushed(stage: Windows, now: int) -> dict[str, int | None]:
    """By window, whether the team is rushed; None if there is too little data before it."""
    stage.advance(now)
    return {r.window: r.counts.get("rushed") for width in (10, 300, 3600) for r in stage.final_results(width)}


def guarded(lengths: list[str], gap: int, allowance: str = "2d", resolution: int = 10) -> Windows:
    stage = windows(*lengths, allowance=allowance)
    stage.apply(comparison_input(GUARD, "north", NOON - gap, calls(40, 300, 4), resolution=resolution))
    stage.apply(comparison_input(GUARD, "north", NOON, calls(40, 200, 30), resolution=resolution))
    return stage


@pytest.mark.parametrize(
    ("gap", "found"),
    [
        (50 * SECOND, {}),
        (MINUTE, {"60s": 1}),
        (110 * SECOND, {"60s": 1}),
        (2 * MINUTE, {}),
    ],
    ids=["within the window", "right before it", "as long as the window", "longer ago"],
)
def test_the_previous_window_is_as_long_as_the_window_and_right_before_it(gap: int, found: dict[str, int]) -> None:
    assert rushed(guarded(["60s"], gap), NOON) == found


def test_the_longest_window_has_a_previous_window_too() -> None:
    assert rushed(guarded(["60s", "5m"], 7 * MINUTE), NOON) == {"5m": 1}


def test_the_previous_window_is_no_longer_than_the_wait_for_corrections() -> None:
    assert rushed(guarded(["1h"], HOUR + 20 * MINUTE, allowance="30m"), NOON) == {"1h": 1}
    assert rushed(guarded(["1h"], HOUR + 40 * MINUTE, allowance="30m"), NOON) == {}
    assert rushed(guarded(["7d"], 7 * DAY, allowance="90m", resolution=3600), NOON) == {"7d": 1}
    assert rushed(guarded(["7d"], 7 * DAY + HOUR, allowance="90m", resolution=3600), NOON) == {}


def test_a_late_pane_that_only_a_previous_window_contains_is_taken() -> None:
    """It is taken only if a score that needs the previous window counts in it.

    11:58:00 11:58:10           11:59:10           12:00:10
        [refused)[taken)
                 [--- previous ---)[---- window ----)
    """
    stage = windows("60s")
    stage.advance(NOON)
    assert stage.apply(comparison_input(GUARD, "north", NOON - 110 * SECOND, calls(40, 300, 4)))
    assert not stage.apply(comparison_input(GUARD, "north", NOON - 2 * MINUTE, calls(40, 300, 4)))
    assert not stage.apply(comparison_input(FRICTION, "web", NOON - 110 * SECOND, answers(0)))
    stage.apply(comparison_input(GUARD, "north", NOON, calls(40, 200, 30)))
    assert rushed(stage, NOON) == {"60s": 1}
    stage.apply(comparison_input(GUARD, "north", NOON - 110 * SECOND, calls(40, 200, 30), version=2))
    assert rushed(stage, NOON) == {"60s": 0}


def test_a_pane_that_only_a_previous_window_contains_adds_no_boundary() -> None:
    stage = guarded(["60s"], 110 * SECOND)
    stage.advance(NOON)
    assert stage.oldest_pane_ms(10) == NOON


steps = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(("north", "south")), st.integers(0, 40), st.booleans()),
    min_size=1,
    max_size=25,
)


@patient
@given(steps)
def test_sliding_gives_the_same_results_as_starting_at_the_end(moves: list[tuple[int, str, int, bool]]) -> None:
    """With any slides in between, and with late partials and corrections, also in the previous window.

    slide 1     [--previous--)[---window---)
    slide 2        [--previous--)[---window---)
                  ^ late           ^ corrected
    """
    sliding, now, partials = windows("60s", "5m"), NOON, {}
    for version, (step, cell, back, corrected) in enumerate(moves, start=1):
        now += step * 10 * SECOND
        start = now - back * 10 * SECOND
        fields = calls(20 + back, 100 + step, 3 if corrected else 9)
        pane = comparison_input(GUARD, cell, start, fields, version=version)
        partials[cell, start] = pane
        sliding.apply(pane)
        sliding.advance(now)
        sliding.changed_results()
    fresh = windows("60s", "5m")
    fresh.advance(now)
    for pane in partials.values():
        fresh.apply(pane)
    assert sliding.final_results(10) == fresh.final_results(10)


def test_panes_that_no_previous_window_contains_any_more_are_dropped() -> None:
    stage = windows("60s")
    for minute in range(500):
        stage.apply(comparison_input(GUARD, "north", NOON + minute * MINUTE, calls(1, 60, 0)))
        stage.apply(comparison_input(FRICTION, "web", NOON + minute * MINUTE, answers(0)))
        stage.advance(NOON + minute * MINUTE)
    pane_counts = [len(cell.panes) for cell in stage._cells.values()]
    assert sorted(pane_counts) == [1, 2]
