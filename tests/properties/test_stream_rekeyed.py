"""Records under a wrong key are counted where their customer is, as if they had always been there."""

import itertools
from collections import Counter
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.catalogue import REKEYED
from schemas.envelope import UNIDENTIFIED
from streams.core.stage1.partitioner import partition_of
from streams.runtime.publishing import ORIGIN
from tests.reference import Arrival, Oracle, decode, differences
from tests.reference.risk import shipped_risk
from tests.support.arrivals import DAY, HOUR, Draft, addressed, inputs
from tests.support.driver import Tape, tapes
from tests.support.stream import (
    Record,
    Stage1,
    config_of,
    everything,
    new_windows,
    panes_of,
    record_of,
    settings_with,
)

PARTITIONS = 3
CONFIG = settings_with(
    kafka={"partitions": PARTITIONS},
    lateness={"allowance": "100d"},
    ledger={"horizon": "100d"},
    windows={"lengths": ["5m", "24h", "30d"]},
)
"""No event is late here: the stream judges a re-keyed record by another watermark than the oracle."""

patient = settings(deadline=None, suppress_health_check=list(HealthCheck))


def misplaced(drafted: Sequence[Draft], wrong: int) -> list[tuple[Arrival, int]]:
    """Arrivals where they belong, and the partition each was sent to: all versions of a record to the same."""
    offsets, sent = Counter[tuple[str, int]](), []
    for draft, arrival in zip(drafted, addressed(drafted, PARTITIONS), strict=True):
        customer = draft.fields.get("customer")
        whose = customer if customer and customer not in UNIDENTIFIED else ""
        name = f"{whose}|{draft.fields.get('record_id')}|{wrong}".encode()
        away = partition_of(name, 2) == 0 and not isinstance(decode(arrival), str)
        partition = partition_of(name, PARTITIONS) if away else arrival.partition
        offset = offsets[arrival.topic, partition]
        offsets[arrival.topic, partition] += 1
        sent.append((Arrival(arrival.topic, arrival.partition, offset, arrival.arrival_ms, arrival.payload), partition))
    return sent


def delivered(stages: Sequence[Stage1], sent: Sequence[tuple[Arrival, int]], now: int, tape: Tape) -> list[Record]:
    """Every log read by its own partition; returns what was sent on, as the re-keying topic's partitions hold it."""
    logs: dict[tuple[str, int], list[Record]] = {}
    for arrival, partition in sent:
        logs.setdefault((arrival.topic, partition), []).append(record_of(arrival))
    while logs:
        topic, partition = place = sorted(logs)[next(tape) % len(logs)]
        size = 1 + next(tape) % 7
        stages[partition].take(topic, logs[place][:size], now)
        logs[place] = logs[place][size:]
        if not logs[place]:
            del logs[place]
    return [record for stage in stages for record in sent_on(stage)]


def sent_on(stage: Stage1) -> list[Record]:
    """The records this partition sends on; their place in the other topic is not known yet."""
    rekeyed = stage.publisher.rekeyed(stage.state.rekeyed, stage.partition)
    return [Record(output.partition, -1, output.key, output.value, tuple(output.headers)) for output in rekeyed]


def brought(stages: Sequence[Stage1], records: Sequence[Record], now: int) -> None:
    """Each taken by the partition it was sent to, in runs of one source."""
    for stage in stages:
        own = [r for r in records if r.offset == stage.partition]
        log = [r._replace(offset=number) for number, r in enumerate(own)]
        for _, run in itertools.groupby(log, key=lambda r: dict(r.headers)[ORIGIN].partition(b"|")[0]):
            stage.take(REKEYED.name, list(run), now)


@patient
@given(inputs(), st.integers(0, 5), tapes)
def test_windows_and_outcomes_are_as_if_every_record_had_come_under_its_customers_key(
    drafted: list[Draft], wrong: int, tape: Tape
) -> None:
    sent = misplaced(drafted, wrong)
    now = max((arrival.arrival_ms for arrival, _ in sent), default=0)
    stages = [Stage1(number, CONFIG) for number in range(PARTITIONS)]
    brought(stages, delivered(stages, sent, now, tape), now)
    oracle = Oracle(config_of(CONFIG), shipped_risk).feed(arrival for arrival, _ in sent)
    counted = Counter[str]()
    for progress in (p for stage in stages for p in stage.state.progress.values()):
        counted.update(progress.outcomes)
        assert progress.difference == 0
    moved = counted.pop("rekeyed", 0)
    assert +counted == sum(oracle.outcomes.values(), Counter[str]())
    refused = {(a.topic, p, a.offset) for a, p in sent if isinstance(decode(a), str)}
    assert moved <= sum(a.partition != p for a, p in sent if (a.topic, p, a.offset) not in refused)
    windows = new_windows(CONFIG)
    for later in (0, HOUR, DAY):
        for pane in panes_of([output for stage in stages for output in stage.renew(now + later)], CONFIG):
            windows.apply(pane)
        windows.advance(now + later)
        shown = [row for row in everything(windows) if row["score"] not in ("newly_at_risk", "recovered")]
        wanted = [row for row in oracle.live(now + later) if row["score"] not in ("newly_at_risk", "recovered")]
        assert differences(wanted, shown) == []
