"""What a checkpoint may hold, and that the estimate of its size counts everything that changes."""

import json

import pytest

from streams.core.stage1.checkpoint_budget import CheckpointBudget
from streams.core.stage1.partition_state import PartitionState
from tests.reference.contracts import CALLS, SURVEYS
from tests.reference.windows import moment_of
from tests.support.arrivals import DAY, NOON
from tests.support.stream import Record, Stage1, settings_with


def state() -> PartitionState:
    return Stage1(0, settings_with(kafka={"partitions": 1})).state


def call(number: int) -> Record:
    event = {"event_id": f"e{number}", "record_id": f"r{number}", "time": moment_of(NOON), "outcome": "answered"}
    return Record(number, NOON, None, json.dumps(event | {"customer": f"c{number}", "team": f"t{number}"}).encode())


def test_transactions_allow_more_than_one_batch() -> None:
    transactional, single = CheckpointBudget.of(None), CheckpointBudget.of(900_000)
    assert single.step_bytes < 900_000 < transactional.step_bytes
    assert single.closed_panes * 80 <= 90_000 < transactional.closed_panes * 80


def test_the_estimate_grows_with_every_changed_part_and_is_zero_after_a_drain() -> None:
    changing = state()
    assert changing.size.pending_bytes == 0
    sizes = []
    for number in range(3):
        changing.apply(CALLS, [call(number)], NOON + DAY)
        sizes.append(changing.size.pending_bytes)
    assert sizes == sorted(set(sizes))
    changing.drain(2**60)
    assert changing.size.pending_bytes == 0


@pytest.mark.parametrize("cuts", [["total"], ["total", "team", "queue", "channel"]])
def test_an_event_may_add_more_where_it_counts_in_more_cells(cuts: list[str]) -> None:
    one = Stage1(0, settings_with(windows={"lengths": ["1h"], "cuts": ["total"]})).state.size
    several = Stage1(0, settings_with(windows={"lengths": ["1h"], "cuts": cuts})).state.size
    assert (several.most_of_one_event(True) > one.most_of_one_event(True)) == (len(cuts) > 1)
    assert one.most_of_one_event(True) > one.most_of_one_event(False) > one.most_of_one_assessment


def test_a_drain_takes_each_change_once() -> None:
    changing = state()
    changing.apply(SURVEYS, [Record(0, NOON, None, b"junk")], NOON)
    changing.apply(CALLS, [call(0)], NOON + DAY)
    first, second = changing.drain(2**60), changing.drain(2**60)
    assert len(first.rejected) == 1
    assert all(first[number] for number in (2, 3, 4, 6)), "assessments, ledger, panes and dimensions have changed"
    assert not any(second)
