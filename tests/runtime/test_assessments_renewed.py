"""Assessments are renewed while no events come, and all of them at the end of a replay."""

import asyncio
import json
from collections.abc import Sequence

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from schemas.risk import Risk
from streams.app import definition
from streams.core.stage1.checkpoint_budget import CheckpointBudget
from streams.runtime.checkpoint import Change, Output
from streams.runtime.publishing import Publisher
from streams.runtime.stage1_runner import Stage1Runner
from streams.runtime.telemetry import Telemetry
from tests.reference.contracts import SURVEYS
from tests.reference.windows import moment_of
from tests.support.arrivals import DAY, NOON
from tests.support.stream import Record, settings_with


class Written:
    """A checkpointer that records its outputs; `limit` is the size that a batch may have, in bytes."""

    def __init__(self, limit: int | None = None) -> None:
        self.atomic_limit = limit
        self.published: list[Output] = []
        self.times = 0

    async def write(
        self,
        before_state: Sequence[Output],
        changelog: str,
        partition: int,
        changes: Sequence[Change],
        after_state: Sequence[Output] = (),
    ) -> int:
        await asyncio.sleep(0)
        self.times += 1
        self.published += [output for output in after_state if output.topic == "cx.risk.v1"]
        return 1


def runner(written: Written, customers: int, mode: str = "live") -> Stage1Runner:
    """One whose state holds a detractor's answer of each customer, of long ago."""
    settings = settings_with(app={"mode": mode}, kafka={"partitions": 1})
    failures: list[BaseException] = []
    telemetry = Telemetry(CollectorRegistry())
    made = Stage1Runner(0, definition(settings), settings, {}, Publisher(settings), telemetry, True, failures.append)
    made._checkpointer = written  # type: ignore[assignment]
    answers = [
        {"event_id": "e", "record_id": f"r{n}", "time": moment_of(NOON), "survey": "s", "kind": "nps", "score": 0}
        for n in range(customers)
    ]
    records = [Record(n, NOON, None, json.dumps(a | {"customer": f"c{n}"}).encode()) for n, a in enumerate(answers)]
    made.state.apply(SURVEYS, records, NOON)
    made.state.drain(2**60)
    return made


@pytest.mark.parametrize("customers", [3, 450])
async def test_while_no_events_come_risks_are_renewed_and_written_a_bounded_number_at_a_time(customers: int) -> None:
    written = Written()
    renewing = runner(written, customers)
    shares: list[int] = []
    while True:
        renewing.renew_assessments()
        await renewing.wait_until_durable()
        if len(written.published) == sum(shares):
            break
        shares.append(len(written.published) - sum(shares))
    assert shares == [200] * (customers // 200) + [customers % 200]
    assert {b'"band":"unknown"' in (output.value or b"") for output in written.published} == {True}, "of long ago"


async def test_nothing_due_writes_nothing() -> None:
    written = Written()
    renewing = runner(written, 3)
    renewing.renew_assessments()
    await renewing.wait_until_durable()
    renewing.renew_assessments()
    await renewing.wait_until_durable()
    assert written.times == 1


@pytest.mark.parametrize("limit", [None, 400_000])
async def test_at_the_end_of_a_replay_every_customer_is_assessed_once_in_steps_that_fit(limit: int | None) -> None:
    written = Written(limit)
    settling = runner(written, 300, mode="replay")
    settling._budget = CheckpointBudget(2**60 if limit is None else limit // 2, 1_000)
    await settling.settle_assessments(NOON + DAY)
    risks = [msgspec.json.decode(output.value or b"", type=Risk) for output in written.published]
    assert sorted(risk.customer for risk in risks) == sorted(f"c{n}" for n in range(300))
    assert {(risk.band, risk.time.timestamp() * 1000) for risk in risks} == {("medium", NOON + DAY)}
    assert (written.times > 2) == (limit is not None)
