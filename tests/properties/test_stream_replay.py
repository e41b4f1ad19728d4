"""A replay against the oracle: every boundary and the end of the data, whatever the order of delivery."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.pane import Pane
from schemas.score import Score
from streams.app import definition
from streams.core.stage2.replay_clock import ReplayClock
from streams.settings import Settings
from tests.reference import Arrival, Event, Oracle, decode, differences
from tests.reference.risk import shipped_risk
from tests.reference.windows import span_ms
from tests.support.arrivals import DAY, DELAYS, HOUR, SECOND, SKEWS, STEPS, Draft, addressed, inputs
from tests.support.driver import PARTITIONS, Driver, Tape, tapes
from tests.support.stream import config_of, new_windows, partials_of, rows, settings_with


class Case(NamedTuple):
    """Settings of a replay, and the longest pause between two arrivals that keeps its boundaries few."""

    config: Settings
    pause: int


def case(lengths: list[str], every: str, allowance: str, pause: int) -> Case:
    windows = {"lengths": lengths, "cuts": ["total", "touchpoint"], "every": every}
    config = settings_with(
        app={"mode": "replay"}, windows=windows, lateness={"allowance": allowance}, ledger={"horizon": "31d"}
    )
    return Case(config, pause)


CASES = (
    case(["60s", "5m"], "1m", "10s", 61 * SECOND),
    case(["5m", "1h", "24h"], "10m", "5m", HOUR),
    case(["1h", "7d"], "90m", "2d", 7 * HOUR),
    case(["24h", "90m"], "24h", "1h", 3 * DAY),
)
WITHOUT_BOUNDARIES = (
    case(["60s"], "", "1m", DAY),
    case(["5m", "1h", "24h", "7d"], "", "2d", DAY),
    case(["1h", "26h"], "", "30d", DAY),
)
patient = settings(deadline=None, suppress_health_check=list(HealthCheck))


def replayed(config: Settings, arrivals: Sequence[Arrival], tape: Tape) -> list[Score]:
    """What stage 2 publishes when it takes what stage 1 published in that order, asking now and then what is due."""
    windows, ends = new_windows(config), {(a.topic, a.partition): a.offset + 1 for a in arrivals}
    every = span_ms(config.windows.every) if config.windows.every else 0
    boundaries = ReplayClock(windows, definition(config).lateness, every, ends)
    published: list[Score] = []
    for partial in partials_of(Driver(config, arrivals, tape).finish().outputs, config):
        if isinstance(partial, Pane):
            boundaries.apply(partial)
        else:
            boundaries.apply_watermark(partial)
        if next(tape) % 3 == 0:
            published += boundaries.due()
    return [*published, *boundaries.finish()]


def punctual(arrivals: Iterable[Arrival], wait: int) -> list[Arrival]:
    """Without what comes, or takes back, so late that a published boundary would have shown something else."""
    marks: dict[tuple[str, int], int] = {}
    oldest: dict[object, int] = {}
    kept = []
    for arrival in arrivals:
        event = decode(arrival)
        if isinstance(event, Event):
            known = (event.place, event.customer, event.identity)
            oldest[known] = min(event.time, oldest.get(known, event.time))
            if oldest[known] < marks.get(event.place, oldest[known]) - wait:
                continue
            reached = min(event.time, arrival.arrival_ms)
            marks[event.place] = max(reached, marks.get(event.place, reached))
        kept.append(arrival)
    return kept


@patient
@given(st.data(), st.sampled_from(CASES), tapes)
def test_every_boundary_up_to_the_end_of_the_data_is_published_once_as_the_oracle_has_it(
    data: st.DataObject, chosen: Case, tape: Tape
) -> None:
    config, bounds = chosen.config, definition(chosen.config).lateness
    steps = [step for step in STEPS if step <= chosen.pause]
    delays = [*(delay for delay in DELAYS if delay <= 2 * chosen.pause), *SKEWS]
    drafted = data.draw(inputs(steps=steps, delays=delays))
    arrivals = punctual(addressed(drafted, PARTITIONS), min(bounds.wait_ms.values()))
    oracle = Oracle(config_of(config), shipped_risk).feed(arrivals)
    expected, every = oracle.end_of_data(), span_ms(config.windows.every)
    if oracle.watermarks:
        newest, first = max(oracle.watermarks.values()), min(e.time for e in oracle.survivors())
        for boundary in range(first - first % every + every, newest + 1, every):
            expected += oracle.windows_at(boundary)
    published = rows(replayed(config, arrivals, tape))
    assert all(row["final"] for row in published)
    assert differences(expected, published) == []


@patient
@given(st.sampled_from(WITHOUT_BOUNDARIES), inputs(), tapes)
def test_the_end_of_the_data_is_the_oracles_with_churn_risk_and_all_lateness(
    chosen: Case, drafted: list[Draft], tape: Tape
) -> None:
    arrivals = addressed(drafted, PARTITIONS)
    oracle = Oracle(config_of(chosen.config), shipped_risk).feed(arrivals)
    assert differences(oracle.end_of_data(), rows(replayed(chosen.config, arrivals, tape))) == []
