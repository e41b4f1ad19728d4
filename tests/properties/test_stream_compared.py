"""Scores that compare, through both stages: every partition of stage 2 by itself, and together what the oracle has."""

import random
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.catalogue import PANES
from schemas.pane import Pane
from streams.app import definition
from streams.core.scores.comparison_groups import COMPARED_SCORES
from streams.core.stage2.replay_clock import ReplayClock
from streams.runtime.checkpoint import Output
from streams.settings import Settings
from tests.reference import Oracle, differences
from tests.reference.contracts import CALLS, SURVEYS
from tests.support.arrivals import DAY, HOUR, MINUTE, SECOND, Draft, addressed
from tests.support.driver import PARTITIONS, Driver, Tape, tapes
from tests.support.stream import config_of, everything, new_windows, partials_of, rows, settings_with

LIVE = settings_with(windows={"lengths": ["1h", "7d"], "cuts": ["team", "queue", "team+queue", "touchpoint"]})
REPLAY = settings_with(
    app={"mode": "replay"},
    windows={"lengths": ["1h", "7d"], "cuts": ["queue", "team", "team+queue", "touchpoint"], "every": "30m"},
)
TEAMS, QUEUES, TOUCHPOINTS = ("north", "so+uth"), ("cards", "loans"), ("web", "shop", "")
patient = settings(deadline=None, max_examples=settings().max_examples // 4, suppress_health_check=list(HealthCheck))
"""An example is a whole day of events, so a quarter of the examples is as much work as elsewhere."""


def day(seed: int, size: int) -> list[Draft]:
    """Calls and answers of some hours: teams that speed up or hang up, touchpoints that differ, corrections."""
    chance = random.Random(seed)
    haste, again = chance.choice((0.0, 0.2)), chance.choice((1.0, 0.5))
    drafts = []
    for number in range(size):
        faster = again if 2 * number > size else 1.0
        team, queue = chance.choice(TEAMS), chance.choice(QUEUES)
        is_short = chance.random() < 0.05 + (haste if team == "north" else 0) + (0.1 if queue == "loans" else 0)
        fields: dict[str, Any] = {
            "event_id": f"e{number}",
            "record_id": f"r{chance.randrange(size)}",  # some are sent again with other content
            "customer": chance.choice((None, *(f"c{one}" for one in range(size // 3)))),
        }
        if chance.random() < 0.7:
            topic = CALLS
            talk = chance.uniform(0, 10) if is_short else faster * chance.uniform(10, 400)
            fields |= {"outcome": "answered", "talk": round(talk, 3), "team": team, "queue": queue}
        else:
            topic, kind = SURVEYS, chance.choice(("nps", "ces2"))
            low, high = (0, 10) if kind == "nps" else (1, 7)
            fields |= {"survey": "s", "kind": kind, "score": chance.randint(low, high)}
            fields |= {"touchpoint": chance.choice(TOUCHPOINTS)}
        drafts.append(Draft(topic, chance.randrange(90 * SECOND), chance.choice((0, 0, MINUTE, HOUR)), fields))
    return drafts


def by_partition(outputs: Sequence[Output], config: Settings) -> list[list[Output]]:
    """What each partition of stage 2 gets."""
    topic = config.topic(PANES.name)
    return [[o for o in outputs if o.topic == topic and o.partition == number] for number in range(PARTITIONS)]


def compared(records: Sequence[Any]) -> list[Any]:
    return [record for record in records if record["score"] in COMPARED_SCORES]


@patient
@given(st.integers(0, 10**9), st.integers(1, 300), tapes)
def test_live_windows_are_those_of_the_oracle(seed: int, size: int, tape: Tape) -> None:
    arrivals = addressed(day(seed, size), PARTITIONS)
    stream, oracle = Driver(LIVE, arrivals, tape).finish(), Oracle(config_of(LIVE)).feed(arrivals)
    stages = [new_windows(LIVE) for _ in range(PARTITIONS)]
    for stage, outputs in zip(stages, by_partition(stream.outputs, LIVE), strict=True):
        for partial in partials_of(outputs, LIVE):
            if isinstance(partial, Pane):
                stage.apply(partial)
    for later in (0, HOUR, 2 * HOUR, DAY):
        found = []
        for stage in stages:
            stage.advance(stream.now + later)
            found += everything(stage)
        assert differences(compared(oracle.live(stream.now + later)), compared(found)) == []


@patient
@given(st.integers(0, 10**9), st.integers(1, 200), tapes)
def test_boundaries_of_a_replay_are_those_of_the_oracle(seed: int, size: int, tape: Tape) -> None:
    arrivals = addressed(day(seed, size), PARTITIONS)
    stream, oracle = Driver(REPLAY, arrivals, tape).finish(), Oracle(config_of(REPLAY)).feed(arrivals)
    ends = {(a.topic, a.partition): a.offset + 1 for a in arrivals}
    published = []
    for outputs in by_partition(stream.outputs, REPLAY):
        clock = ReplayClock(new_windows(REPLAY), definition(REPLAY).lateness, 30 * MINUTE, ends)
        for partial in partials_of(outputs, REPLAY):
            if isinstance(partial, Pane):
                clock.apply(partial)
            else:
                clock.apply_watermark(partial)
            if next(tape) % 3 == 0:
                published += list(clock.due())
        published += list(clock.finish())
    expected = oracle.boundaries("30m") + oracle.end_of_data()
    assert differences(compared(expected), compared(rows(published))) == []


def test_such_days_have_all_kinds_of_verdicts() -> None:
    """Or the tests above would show little."""
    seen = set()
    for seed in range(8):
        arrivals = addressed(day(seed, 300), PARTITIONS)
        for row in Oracle(config_of(LIVE)).feed(arrivals).live(max(a.arrival_ms for a in arrivals)):
            if row["score"] == "speed_guard":
                seen |= {(row["cut"], rule, row["counts"][rule]) for rule in ("cut_short",) if rule in row["counts"]}
            elif row["score"] in COMPARED_SCORES:
                seen.add((row["cut"], row["score"], row["counts"]["rank"]))
    assert seen >= {(cut, "cut_short", flag) for cut in ("team", "queue", "team+queue") for flag in (0, 1)}
    assert seen >= {("touchpoint", score, rank) for score in ("friction", "friction_ces2") for rank in (1, 2)}
