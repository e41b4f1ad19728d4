"""Stage 1 on a chunk: outcomes, watermarks, offsets, budgets, and what is forgotten when."""

import json
from typing import Any

import pytest

from streams.core.events.identity import identity_of
from streams.core.events.source_label import ASSESSMENT_LABEL
from streams.core.events.surveys import SURVEY
from streams.core.stage1.partition_state import PartitionState
from streams.core.stage1.partitioner import partition_of
from streams.core.time.lateness import NO_WATERMARK_MS
from tests.reference.contracts import ACCOUNTS, CALLS, SURVEYS, TICKETS
from tests.reference.windows import moment_of
from tests.support.arrivals import DAY, HOUR, MINUTE, NOON
from tests.support.pipeline import Pipeline
from tests.support.stream import Record, Stage1, settings_with

SHORT: dict[str, dict[str, Any]] = {
    "lateness": {"allowance": "1h"},
    "ledger": {"horizon": "48h"},
    "windows": {"lengths": ["1h"], "cuts": ["total"]},
}


def survey(record: str, time: int, score: int = 10, **fields: Any) -> bytes:
    event = {"event_id": record, "record_id": record, "survey": "s", "kind": "nps", "score": score, "customer": "c"}
    return json.dumps({**event, "time": moment_of(time), **fields}).encode()


def records(*payloads: bytes | None, first: int = 0, timestamp: int = NOON + 400 * DAY) -> list[Record]:
    return [Record(first + number, timestamp, None, payload) for number, payload in enumerate(payloads)]


def intake(partitions: int = 1, partition: int = 0, **sections: dict[str, Any]) -> PartitionState:
    return Stage1(partition, settings_with(kafka={"partitions": partitions}, **sections)).state


def outcomes(state: PartitionState, topic: str = SURVEYS) -> dict[str, int]:
    return {outcome: number for outcome, number in state.progress[topic].outcomes.items() if number}


FAR = NOON + 500 * DAY
"""A wall clock that no record of these tests is ahead of."""


def test_the_ledger_holds_evidence_for_any_time_in_the_longest_window() -> None:
    stream = Pipeline(
        windows={"lengths": ["7d"], "cuts": ["total"]}, lateness={"allowance": "1h"}, ledger={"horizon": "48h"}
    )
    stream.answer(NOON, 0, customer="c")
    for day in range(1, 7):  # of others; each chunk sweeps
        stream.answer(NOON + day * DAY, 10)
    [answer] = stream.stage.state.ledger.entries(b"cc")
    assert answer.time_ms == NOON
    assert stream.result("churn_risk", "7d") is None, "held to tell when its customer was at risk, but too old by now"


@pytest.mark.parametrize(
    ("arrived", "now", "outcome"),
    [
        (NOON, FAR, "rejected"),
        (NOON + 1, FAR, "accepted"),
        (-1, NOON, "rejected"),
        (-1, NOON + 1, "accepted"),
        (FAR, NOON, "rejected"),
        (FAR, NOON + 1, "accepted"),
    ],
)
def test_arrival_is_the_brokers_time_or_the_workers_clock_whichever_is_earlier(
    arrived: int, now: int, outcome: str
) -> None:
    state = intake()
    state.apply(SURVEYS, records(survey("r", NOON + 10 * MINUTE + 1), timestamp=arrived), now)
    assert outcomes(state) == {outcome: 1}


def test_what_is_refused_never_moves_the_watermark() -> None:
    state = intake()
    state.apply(SURVEYS, records(survey("r", NOON), timestamp=NOON), NOON)
    state.apply(SURVEYS, records(survey("ahead", NOON + HOUR), b"junk", first=1, timestamp=NOON), NOON)
    assert state.watermarks[SURVEYS] == NOON
    assert outcomes(state) == {"accepted": 1, "rejected": 2}
    assert state.progress[SURVEYS].reasons == {"future": 1, "not_json": 1}


def test_what_is_sent_on_to_its_own_partition_never_moves_the_watermark() -> None:
    state = intake(partitions=2, partition=1 - partition_of(b"c", 2))
    state.apply(SURVEYS, records(survey("r", NOON)), FAR)
    assert outcomes(state) == {"rekeyed": 1}
    assert state.watermarks[SURVEYS] == NO_WATERMARK_MS
    assert [sent.key for sent in state.rekeyed] == [b"c"]


@pytest.mark.parametrize("customer", ["", "0", None])
def test_a_record_of_nobody_belongs_where_its_own_id_says(customer: str | None) -> None:
    home = partition_of(b"r", 4)
    for partition in range(4):
        state = intake(partitions=4, partition=partition)
        state.apply(SURVEYS, records(survey("r", NOON, customer=customer)), FAR)
        assert outcomes(state) == ({"accepted": 1} if partition == home else {"rekeyed": 1})


def test_a_rekeyed_record_is_counted_where_it_arrives_and_known_from_either_way() -> None:
    state = intake()
    state.apply("cx.rekeyed.v1", records(survey("r", NOON)), FAR, origin=SURVEYS)
    state.apply(SURVEYS, records(survey("r", NOON)), FAR)
    assert outcomes(state, "cx.rekeyed.v1") == {"accepted": 1}
    assert outcomes(state) == {"duplicate": 1}
    assert state.watermarks["cx.rekeyed.v1/cx.surveys.v1"] == NOON


def test_a_time_before_1900_is_out_of_range() -> None:
    state = intake()
    state.apply(SURVEYS, records(survey("r", -2_208_988_800_001), survey("s", -2_208_988_800_000)), FAR)
    assert outcomes(state) == {"accepted": 1, "rejected": 1}
    assert state.progress[SURVEYS].reasons == {"out_of_range": 1}


def test_records_at_or_before_the_applied_offset_are_taken_and_not_counted_again() -> None:
    state = intake()
    chunk = records(survey("a", NOON), survey("b", NOON), survey("c", NOON))
    assert state.apply(SURVEYS, chunk[:2], FAR) == 2
    assert state.apply(SURVEYS, chunk, FAR) == 3
    assert state.apply(SURVEYS, chunk, FAR) == 3
    assert state.applied(SURVEYS) == 2
    assert state.progress[SURVEYS].received == 3
    assert outcomes(state) == {"accepted": 3}


def test_a_topic_never_seen_has_applied_nothing() -> None:
    assert intake().applied(CALLS) == -1


def test_a_step_stops_at_its_budget_and_takes_at_least_one_record() -> None:
    state = intake()
    chunk = records(*(survey(f"r{n}", NOON + n * HOUR) for n in range(50)))
    taken = state.apply(SURVEYS, chunk, FAR, budget_bytes=20_000)
    assert 1 < taken < 50
    assert state.applied(SURVEYS) == taken - 1
    full = state.size.pending_bytes
    assert state.apply(SURVEYS, chunk[taken:], FAR, budget_bytes=full - 1) == 0
    state.drain(2**60)
    assert state.size.pending_bytes == 0
    assert state.apply(SURVEYS, chunk[taken:], FAR, budget_bytes=1) == 1


def test_the_ledger_forgets_at_the_horizon_though_it_still_holds_the_record() -> None:
    stream = Pipeline(**SHORT)
    stream.answer(NOON, 0, record_id="r", revision=1, customer="c")
    stream.answer(NOON + 2 * DAY, 10)
    held = stream.stage.state.ledger.find(b"cc", identity_of(SURVEYS, "r"))
    assert held is not None
    assert stream.answer(NOON, 0, record_id="r", revision=1, customer="c") == "duplicate"
    stream.answer(NOON + 2 * DAY + 1, 10)
    assert stream.answer(NOON, 0, record_id="r", revision=1, customer="c") == "late"


def test_a_record_forgotten_at_the_horizon_is_not_retracted_when_it_comes_anew() -> None:
    stream = Pipeline(
        windows={"lengths": ["7d"], "cuts": ["total"]}, lateness={"allowance": "1d"}, ledger={"horizon": "48h"}
    )
    stream.answer(NOON, 0, record_id="r", revision=1, customer="c")
    stream.answer(NOON + 2 * DAY + 1, 8)
    assert stream.answer(NOON + 2 * DAY, 10, record_id="r", revision=2, customer="c") == "accepted"
    nps = stream.result("nps", "7d")
    assert nps is not None
    assert nps["counts"] == {"promoters": 1, "passives": 1, "detractors": 1}
    assert stream.answer(NOON + 2 * DAY, 9, record_id="r", revision=2, customer="c") == "duplicate"


def test_the_sweep_drops_what_no_assessment_can_need_and_nothing_earlier() -> None:
    stream = Pipeline(**SHORT)
    stream.answer(NOON, 0, record_id="r", customer="c")
    ledger, record = stream.stage.state.ledger, identity_of(SURVEYS, "r")
    for offset in (2 * DAY + HOUR, 2 * DAY + HOUR):  # the second chunk sweeps under the watermark of the first
        stream.answer(NOON + offset, 10, record_id=f"at-{offset}")
    assert ledger.find(b"cc", record) is not None
    for offset in (1, 2, 3):
        stream.answer(NOON + 2 * DAY + (1 + offset) * HOUR, 10, record_id=f"after-{offset}")
    assert ledger.find(b"cc", record) is None
    assert b"cc" not in ledger.customers


def test_a_source_is_forgotten_by_its_own_watermark_only() -> None:
    stream = Pipeline(**SHORT)
    stream.answer(NOON, 0, customer="c")
    stream.send(TICKETS, NOON, customer="c", change="opened")
    for day in range(3, 8):
        stream.send(TICKETS, NOON + day * DAY, change="opened")
    kept = stream.stage.state.ledger.entries(b"cc")
    assert [entry.fields[0] for entry in kept] == [SURVEY]


def test_assessments_are_no_source() -> None:
    state = intake()
    state.apply(
        ACCOUNTS,
        records(
            json.dumps(
                {"event_id": "e", "record_id": "r", "change": "started", "customer": "c", "time": moment_of(NOON)}
            ).encode()
        ),
        FAR,
    )
    assert list(state.progress) == [ACCOUNTS]
    assert state.watermarks[ASSESSMENT_LABEL] == NOON
