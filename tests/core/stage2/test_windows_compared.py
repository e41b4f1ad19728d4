"""Compared scores in stage 2: cells seen together, and windows against the time before them."""

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


def gathered(
    score: ComparedScore, cell: str, start: int, records: list[RecordFields], *, version: int = 1, resolution: int = 10
) -> Pane:
    """What stage 1 publishes for a compared score of a pane with these records."""
    acc = score.zero()
    for facts in records:
        score.add(acc, score.slots(facts))
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
    return stage.changed()


def by_cell(results: list[Score]) -> dict[str, float | None]:
    return {result.cell: result.value for result in results}


def test_when_one_cell_changes_the_others_change_too() -> None:
    stage = windows("5m")
    stage.apply(gathered(FRICTION, "web", NOON, answers(0, 0)))
    assert at(NOON, stage) == [], "the only touchpoint has no peers"
    stage.apply(gathered(FRICTION, "shop", NOON, answers(10, 10)))
    assert by_cell(at(NOON, stage)) == {"web": 100.0, "shop": -100.0}
    stage.apply(gathered(FRICTION, "app", NOON, answers(10)))
    found = at(NOON, stage)
    assert by_cell(found) == {"web": 80.0, "shop": pytest.approx(-160 / 3, abs=1e-6), "app": -20.0}
    assert {result.cell: result.counts["rank"] for result in found} == {"web": 1, "app": 2, "shop": 3}


def test_when_the_peers_leave_the_window_the_last_one_is_published_with_null() -> None:
    stage = windows("5m")
    stage.apply(gathered(FRICTION, "web", NOON, answers(0)))
    stage.apply(gathered(FRICTION, "shop", NOON + MINUTE, answers(10)))
    assert len(at(NOON + MINUTE, stage)) == 2
    found = at(NOON + 5 * MINUTE, stage)
    assert by_cell(found) == {"web": None, "shop": None}
    assert {result.n for result in found} == {0}
    assert at(NOON + DAY, stage) == []


def test_for_the_same_end_the_revision_rises_with_every_change_of_any_cell() -> None:
    stage, revisions = windows("5m"), []
    stage.apply(gathered(FRICTION, "web", NOON, answers(0)))
    for version in (1, 2, 3):
        stage.apply(gathered(FRICTION, "shop", NOON, answers(*range(9, 9 - version, -1)), version=version))
        revisions += [result.revision for result in at(NOON, stage) if result.cell == "web"]
    assert revisions == [2, 3, 4]


def test_after_a_restart_only_changes_are_published() -> None:
    panes = [gathered(FRICTION, "web", NOON, answers(0)), gathered(FRICTION, "shop", NOON, answers(10))]
    stage, successor, alone = windows("5m"), windows("5m"), windows("5m")
    for pane in panes:
        stage.apply(pane)
        successor.apply(pane)
    for published in at(NOON, stage):
        successor.restore(published)
        alone.restore(published)
    assert at(NOON, successor) == []
    assert by_cell(at(NOON + DAY, alone)) == {"web": None, "shop": None}


def test_it_is_no_score_of_the_cell_it_is_gathered_from() -> None:
    stage = windows("5m")
    stage.apply(gathered(FRICTION, "web", NOON, answers(0)))
    stage.apply(gathered(FRICTION, "shop", NOON, answers(10)))
    assert {result.score for result in at(NOON, stage)} == {"friction"}


def rushed(stage: Windows, now: int) -> dict[str, int | None]:
    """By window, whether the team is hurrying; None where the time before it does not tell."""
    stage.advance(now)
    return {r.window: r.counts.get("rushed") for width in (10, 300, 3600) for r in stage.everything(width)}


def guarded(lengths: list[str], gap: int, allowance: str = "2d", resolution: int = 10) -> Windows:
    stage = windows(*lengths, allowance=allowance)
    stage.apply(gathered(GUARD, "north", NOON - gap, calls(40, 300, 4), resolution=resolution))
    stage.apply(gathered(GUARD, "north", NOON, calls(40, 200, 30), resolution=resolution))
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
def test_before_a_window_is_the_time_of_its_length_right_before_it(gap: int, found: dict[str, int]) -> None:
    assert rushed(guarded(["60s"], gap), NOON) == found


def test_the_longest_window_has_a_time_before_it_too() -> None:
    assert rushed(guarded(["60s", "5m"], 7 * MINUTE), NOON) == {"5m": 1}


def test_the_time_before_is_no_longer_than_corrections_are_awaited() -> None:
    assert rushed(guarded(["1h"], HOUR + 20 * MINUTE, allowance="30m"), NOON) == {"1h": 1}
    assert rushed(guarded(["1h"], HOUR + 40 * MINUTE, allowance="30m"), NOON) == {}
    assert rushed(guarded(["7d"], 7 * DAY, allowance="90m", resolution=3600), NOON) == {"7d": 1}
    assert rushed(guarded(["7d"], 7 * DAY + HOUR, allowance="90m", resolution=3600), NOON) == {}


def test_a_pane_that_comes_when_only_the_time_before_has_room_for_it_is_taken() -> None:
    stage = windows("60s")
    stage.advance(NOON)
    assert stage.apply(gathered(GUARD, "north", NOON - 110 * SECOND, calls(40, 300, 4)))
    assert not stage.apply(gathered(GUARD, "north", NOON - 2 * MINUTE, calls(40, 300, 4)))
    assert not stage.apply(gathered(FRICTION, "web", NOON - 110 * SECOND, answers(0)))
    stage.apply(gathered(GUARD, "north", NOON, calls(40, 200, 30)))
    assert rushed(stage, NOON) == {"60s": 1}
    stage.apply(gathered(GUARD, "north", NOON - 110 * SECOND, calls(40, 200, 30), version=2))
    assert rushed(stage, NOON) == {"60s": 0}


def test_what_only_the_time_before_holds_brings_no_boundary_of_a_replay() -> None:
    stage = guarded(["60s"], 110 * SECOND)
    stage.advance(NOON)
    assert stage.earliest(10) == NOON


steps = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(("north", "south")), st.integers(0, 40), st.booleans()),
    min_size=1,
    max_size=25,
)


@patient
@given(steps)
def test_sliding_ends_where_starting_there_does(moves: list[tuple[int, str, int, bool]]) -> None:
    """However windows slid meanwhile, and whatever of the time before came late or was corrected."""
    sliding, now, held = windows("60s", "5m"), NOON, {}
    for version, (step, cell, back, corrected) in enumerate(moves, start=1):
        now += step * 10 * SECOND
        start = now - back * 10 * SECOND
        facts = calls(20 + back, 100 + step, 3 if corrected else 9)
        pane = gathered(GUARD, cell, start, facts, version=version)
        held[cell, start] = pane
        sliding.apply(pane)
        sliding.advance(now)
        sliding.changed()
    fresh = windows("60s", "5m")
    fresh.advance(now)
    for pane in held.values():
        fresh.apply(pane)
    assert sliding.everything(10) == fresh.everything(10)


def test_what_nothing_looks_back_on_any_more_is_forgotten() -> None:
    stage = windows("60s")
    for minute in range(500):
        stage.apply(gathered(GUARD, "north", NOON + minute * MINUTE, calls(1, 60, 0)))
        stage.apply(gathered(FRICTION, "web", NOON + minute * MINUTE, answers(0)))
        stage.advance(NOON + minute * MINUTE)
    held = [len(cell.panes) for cell in stage._cells.values()]
    assert sorted(held) == [1, 2]
