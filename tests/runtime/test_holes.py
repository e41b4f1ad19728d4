"""A hole is judged by the state, the start and end of the log, and the offset that the group has committed."""

import pytest

from streams.app import definition
from streams.core.stage1.outcomes import TopicProgress
from streams.core.stage1.partition_state import PartitionState
from streams.errors import HoleError
from streams.runtime.holes import LogPosition, hole_of_deletion, refuse_holes
from tests.reference.contracts import SURVEYS
from tests.support.stream import settings_with


def state_up_to(applied: int | None) -> PartitionState:
    """The state of partition 0 that has applied the surveys up to this offset; None if it knows no surveys."""
    state = PartitionState(0, definition(settings_with(kafka={"partitions": 1})))
    if applied is not None:
        state.progress[SURVEYS] = TopicProgress(applied=applied)
    return state


@pytest.mark.parametrize(
    ("applied", "position", "end"),
    [
        (9, LogPosition(0, 10), 20),
        (9, LogPosition(10, 10), 20),
        (9, LogPosition(0, -1), 20),
        (9, LogPosition(0, 4), 10),
        (None, LogPosition(3, -1), 20),
    ],
)
def test_a_state_that_continues_its_log_is_accepted(applied: int | None, position: LogPosition, end: int) -> None:
    refuse_holes(state_up_to(applied), {SURVEYS: position}, {SURVEYS: end})


@pytest.mark.parametrize(
    ("applied", "position", "end", "gone"),
    [
        (9, LogPosition(11, 10), 20, "records 10 to 10 are gone"),
        (9, LogPosition(0, 15), 20, "records 10 to 14 are gone"),
        (9, LogPosition(0, -1), 9, "the topic was recreated"),
        (-1, LogPosition(3, -1), 20, "records 0 to 2 are gone"),
        (None, LogPosition(0, 5), 20, "records 0 to 4 are gone"),
    ],
)
def test_records_missing_between_state_and_log_are_a_hole(
    applied: int | None, position: LogPosition, end: int, gone: str
) -> None:
    with pytest.raises(HoleError, match=rf"cx\.surveys\.v1/0: .*{gone}"):
        refuse_holes(state_up_to(applied), {SURVEYS: position}, {SURVEYS: end})


@pytest.mark.parametrize(("position", "start"), [(10, 10), (4, 10)])
def test_deleted_records_that_the_state_has_applied_are_no_hole(position: int, start: int) -> None:
    assert hole_of_deletion(state_up_to(9), SURVEYS, position, start) is None


@pytest.mark.parametrize(
    ("position", "start", "gone"),
    [
        (10, 12, "records 10 to 11 are gone"),
        (4, 12, "records 10 to 11 are gone"),
        (15, 17, "records 15 to 16 are gone"),
        (10, 0, "the topic was recreated"),
    ],
)
def test_deleted_records_that_were_never_applied_are_a_hole(position: int, start: int, gone: str) -> None:
    assert gone in str(hole_of_deletion(state_up_to(9), SURVEYS, position, start))
