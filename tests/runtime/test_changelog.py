"""State that went through the changelog is the state that was: at any point, under compaction, and only ours."""

from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.core.stage1.partition_state import PartitionState
from streams.core.time.instants import to_datetime
from streams.errors import StateError
from streams.runtime import changelog
from streams.settings import Settings
from tests.reference.contracts import SURVEYS
from tests.support.arrivals import DAY, HOUR, MINUTE, NOON, Draft, addressed, inputs
from tests.support.pipeline import Pipeline
from tests.support.stream import Stage1, panes_of, record_of, settings_with

SHORT = settings_with(
    kafka={"partitions": 1},
    lateness={"allowance": "1h"},
    ledger={"horizon": "48h"},
    windows={"lengths": ["60s", "1h", "7d"], "cuts": ["total", "channel"], "max_cells": 4},
)
patient = settings(deadline=None, suppress_health_check=list(HealthCheck))


def fed(drafted: list[Draft], checkpoints: set[int]) -> tuple[Stage1, list[tuple[bytes, bytes | None]]]:
    """A partition that has applied these, a checkpoint after some of them and at the end; its log, not compacted."""
    stage, log = Stage1(0, SHORT), list[tuple[bytes, bytes | None]]()
    arrivals = addressed(drafted, 1)
    now = max((a.arrival_ms for a in arrivals), default=NOON)
    for number, arrival in enumerate(arrivals):
        stage.take(arrival.topic, [record_of(arrival)], now)
        if number in checkpoints or number == len(arrivals) - 1:
            log += written(stage)
    return stage, log


def written(stage: Stage1) -> list[tuple[bytes, bytes | None]]:
    intake = stage.state
    return changelog.changelog_records(intake, intake.drain(2**60))


def loaded(log: Sequence[tuple[bytes, bytes | None]], config: Settings = SHORT) -> PartitionState:
    intake = Stage1(0, config).state
    for key, value in log:
        changelog.load(intake, key, value)
    return intake


def everything(intake: PartitionState) -> object:
    """All that decides what becomes of the next record."""
    ledger = {customer: intake.ledger.entries(customer) for customer in intake.ledger.customers}
    numbers = {c.values: intake.dimensions.intern(c.values) for c in intake.dimensions.combinations}
    customers = sorted(customer for customer in ledger if customer[:1] == b"c")
    return (
        intake.progress,
        intake.watermarks,
        ledger,
        intake.ledger.overflow,
        intake.dimensions.cells,
        numbers,
        len(intake.partials),
        intake.assessments.last_assessed(customers, intake.ledger),
    )


@patient
@given(inputs(), st.sets(st.integers(0, 60)))
def test_state_read_back_is_the_state_that_was_also_from_a_compacted_log(
    drafted: list[Draft], checkpoints: set[int]
) -> None:
    stage, log = fed(drafted, checkpoints)
    compacted = [(key, value) for key, value in dict(log).items() if value is not None]
    assert everything(loaded(log)) == everything(stage.state)
    assert everything(loaded(compacted)) == everything(stage.state)


@patient
@given(inputs(), st.sets(st.integers(0, 60)))
def test_state_read_back_goes_on_as_if_nothing_had_happened(drafted: list[Draft], checkpoints: set[int]) -> None:
    stage, log = fed(drafted, checkpoints)
    again, more = Stage1(0, SHORT), addressed([*drafted, *drafted], 1)
    again.state = loaded(log)
    now = max((a.arrival_ms for a in more), default=NOON)
    for arrival in more:
        for each in (stage, again):
            each.take(arrival.topic, [record_of(arrival)], now)
    assert again.state.progress == stage.state.progress
    assert panes_of(again.checkpoint(), SHORT) == panes_of(stage.checkpoint(), SHORT)


def test_every_checkpoint_ends_with_the_offsets() -> None:
    stream = Pipeline()
    stream.answer(NOON, 9, customer="c", touchpoint="web")
    keys = list(stream.stage.changelog)
    assert keys[-1] == changelog.META
    assert {key[:1] for key in keys} == {
        changelog.META,
        changelog.LEDGER,
        changelog.RISK,
        changelog.DIMENSIONS,
        changelog.PANE,
    }


def test_a_checkpoint_without_events_holds_the_offsets_only() -> None:
    stream = Pipeline()
    stream.deliver(SURVEYS, b"junk", NOON)
    assert list(stream.stage.changelog) == [changelog.META]
    stream.restart()
    assert stream.stage.state.progress[SURVEYS].reasons == {"not_json": 1}


def test_a_pane_that_changed_and_closed_in_one_step_is_in_that_checkpoint_and_deleted_by_the_next() -> None:
    stage = Stage1(0, SHORT)
    first, second = addressed([survey(0), survey(30 * DAY)], 1)
    for arrival in (first, second):
        stage.take(SURVEYS, [record_of(arrival)], arrival.arrival_ms)
    step, following = written(stage), written(stage)
    assert len(loaded(step).partials) == 8, "of two events, of answers and of assessments, two panes each"
    deleted = {key for key, value in following if value is None}
    assert len(deleted) == 4
    assert deleted < dict(step).keys()
    assert len(loaded([*step, *following]).partials) == 4


def survey(step: int) -> Draft:
    fields = {"event_id": "e", "record_id": str(step), "customer": "c", "survey": "s", "kind": "nps", "score": 9}
    return Draft(SURVEYS, step, 0, fields)


OTHER_DEFINITIONS = (
    settings_with(kafka={"partitions": 2}),
    settings_with(kafka={"partitions": 1}, windows={"lengths": ["60s", "30d"]}),
    settings_with(kafka={"partitions": 1}, windows={"cuts": ["total", "team"]}),
    settings_with(kafka={"partitions": 1}, lateness={"allowance": "3d"}),
    settings_with(kafka={"partitions": 1}, ledger={"horizon": "4d"}),
    settings_with(kafka={"partitions": 1}, risk={"enabled": False}),
)


@pytest.mark.parametrize("config", OTHER_DEFINITIONS)
def test_state_of_another_definition_is_refused_with_the_two_ways_out(config: Settings) -> None:
    stream = Pipeline()
    stream.answer(NOON, 9)
    with pytest.raises(StateError, match="undo that change, or set a new app.id and a new kafka.prefix"):
        loaded(list(stream.stage.changelog.items()), config)


def test_what_does_not_decide_the_state_may_change() -> None:
    stream = Pipeline()
    stream.answer(NOON, 9)
    config = settings_with(
        kafka={"partitions": 1, "session_timeout": 7},
        metrics={"stalled_after": 5},
        owners={"team:x": "Ana"},
        ledger={"horizon": "3d", "max_records": 64},
    )
    assert loaded(list(stream.stage.changelog.items()), config).applied(SURVEYS) == 0


def test_how_many_records_were_forgotten_early_is_not_forgotten() -> None:
    stream = Pipeline(ledger={"horizon": "3d", "max_records": 16})
    for number in range(20):
        stream.answer(NOON + number, 9, customer="c")
    assert stream.stage.state.ledger.overflow == 7
    stream.restart()
    assert stream.stage.state.ledger.overflow == 7


class TestTheLastCheckpoint:
    """What a broker without transactions may hold in state and not yet show is shown again."""

    def test_of_a_log_that_keeps_all_only_the_last_is_shown_again(self) -> None:
        stage, last = Stage1(0, SHORT), changelog.LastCheckpoint()
        for arrival in addressed([survey(0), survey(MINUTE), survey(HOUR)], 1):
            stage.take(SURVEYS, [record_of(arrival)], NOON + DAY)
            log = written(stage)
            for key, value in log:
                last.add(key, value)
        changed = {key for key, value in log if key[:1] == changelog.PANE and value is not None}
        assert len(last.panes()) == len(changed) > 0
        assert last.assessed() == [b"cc"]

    def test_closed_panes_are_deleted_again(self) -> None:
        stage, last = Stage1(0, SHORT), changelog.LastCheckpoint()
        for arrival in addressed([survey(0), survey(30 * DAY)], 1):
            stage.take(SURVEYS, [record_of(arrival)], arrival.arrival_ms)
            for key, value in written(stage):
                last.add(key, value)
        assert len(last.closed()) == 4

    def test_of_an_empty_log_nothing(self) -> None:
        last = changelog.LastCheckpoint()
        assert (last.panes(), last.closed(), last.assessed()) == ([], [], [])

    def test_what_is_shown_again_is_what_was_lost(self) -> None:
        stage = Stage1(0, SHORT)
        for arrival in addressed([survey(0), survey(MINUTE)], 1):
            stage.take(SURVEYS, [record_of(arrival)], NOON + DAY)
            lost = stage.checkpoint()
        again = stage.restart()
        published = {(output.topic, output.key): output.value for output in again}
        assert {(o.topic, o.key): o.value for o in lost}.items() <= published.items()

    def test_also_of_a_pane_that_closed_in_the_step_that_counted_it(self) -> None:
        stage = Stage1(0, SHORT)
        for arrival in addressed([survey(0), survey(30 * DAY)], 1):
            stage.take(SURVEYS, [record_of(arrival)], NOON + 60 * DAY)
        lost = stage.checkpoint()
        shown = panes_of(stage.restart(), SHORT)
        assert to_datetime(NOON) in {pane.start for pane in shown}
        assert len(shown) == len(panes_of(lost, SHORT))
