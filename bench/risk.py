"""The cost of churn risk in stage 1: the same survey answers with and without it, in turns, in one process.

`python -m bench.risk [EVENTS]` prints one JSON object: events per second with risk `on` and `off` (the best of the
turns), their `ratio`, and the microseconds of one assessment that is renewed as time passes. The input is that of job
J1 in chunks of 4,000, each followed by the encoding of a checkpoint; this is all the work of a worker between its reads
and its writes. A third of the 10,000 customers is in each chunk, so nearly every event causes an assessment, which is
the worst case.
"""

import json
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from bench.j1_input import CUSTOMERS, START, generate
from schemas.catalogue import SURVEYS
from streams.app import definition
from streams.core.stage1.partition_state import PartitionState
from streams.core.time.instants import to_ms
from streams.runtime import changelog
from streams.runtime.publishing import Publisher
from streams.settings import Settings

CHUNK, TURNS = 4_000, 3
_CONFIG = {"kafka": {"partitions": 1}, "windows": {"cuts": ["total", "touchpoint", "channel", "touchpoint+channel"]}}
_NOW_MS = to_ms(START) + 3_600_000


class Record(NamedTuple):
    """A record as it comes from the transport."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def measure(events: int) -> dict[str, float]:
    """The figures of all turns."""
    records = [Record(n, _NOW_MS, key, value) for n, (key, value) in enumerate(generate(events, 1))]
    speeds: dict[bool, list[float]] = {True: [], False: []}
    renewals = []
    for _ in range(TURNS):
        for on in (False, True):
            state, seconds = run(records, on)
            speeds[on].append(events / seconds)
            if on:
                renewals.append(renewal(state))
    on_, off = max(speeds[True]), max(speeds[False])
    return {
        "events": events, "customers": CUSTOMERS, "on_events_per_s": round(on_), "off_events_per_s": round(off),
        "ratio": round(on_ / off, 3), "renewal_us": round(min(renewals), 1),
    }  # fmt: skip


def run(records: Sequence[Record], on: bool) -> tuple[PartitionState, float]:
    """All records through stage 1, with a checkpoint after every chunk; the state and the seconds it took."""
    settings = msgspec.convert(_CONFIG | {"risk": {"enabled": on}}, Settings)
    state, publisher = PartitionState(0, definition(settings)), Publisher(settings)
    began = time.perf_counter()
    for start in range(0, len(records), CHUNK):
        state.apply(SURVEYS.name, records[start : start + CHUNK], _NOW_MS)
        checkpoint(state, publisher)
    return state, time.perf_counter() - began


def checkpoint(state: PartitionState, publisher: Publisher) -> int:
    """Encode all that a worker would write; returns how many records that is."""
    changes = state.drain(2**60)
    outputs = publisher.checkpoint(changes, state)
    return len(outputs.after_state) + len(changelog.changelog_records(state, changes))


def renewal(state: PartitionState) -> float:
    """Microseconds to assess one customer anew, over all customers."""
    began = time.perf_counter()
    state.renew_assessments(_NOW_MS + 86_400_000, 1, 2**60, 2**60)
    return (time.perf_counter() - began) * 1e6 / len(state.assessments)


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)))
