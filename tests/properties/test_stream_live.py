"""Stage 1 and stage 2 against the oracle: any input, any order of delivery, any restart, one result."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.core.intake import OUTCOMES
from streams.settings import Settings
from tests.reference import Oracle, differences
from tests.support.arrivals import DAY, HOUR, MINUTE, NOON, SECOND, Draft, addressed, inputs
from tests.support.driver import PARTITIONS, Driver, Tape, tapes
from tests.support.stream import (
    config_of,
    everything,
    key_of,
    new_windows,
    panes_of,
    rows,
    settings_with,
    shipped_risk,
)

CONFIGS = (
    settings_with(),
    settings_with(windows={"lengths": ["60s"], "cuts": ["total"]}, lateness={"allowance": "1m"}),
    settings_with(windows={"lengths": ["5m", "7d"]}, lateness={"allowance": "1h"}, ledger={"horizon": "48h"}),
    settings_with(windows={"lengths": ["1h", "90m", "26h"]}, lateness={"allowance": "30d"}, ledger={"horizon": "31d"}),
)
patient = settings(deadline=None, suppress_health_check=list(HealthCheck))


def run(config: Settings, drafted: Sequence[Draft], tape: Tape) -> tuple[Driver, Oracle]:
    arrivals = addressed(drafted, PARTITIONS)
    oracle = Oracle(config_of(config), shipped_risk if config.risk.enabled else None)
    return Driver(config, arrivals, tape).finish(), oracle.feed(arrivals)


@patient
@given(st.sampled_from(CONFIGS), inputs(), tapes)
def test_outcomes_reasons_and_watermarks_are_those_of_the_oracle(
    config: Settings, drafted: list[Draft], tape: Tape
) -> None:
    stream, oracle = run(config, drafted, tape)
    for stage in stream.stages:
        for topic, progress in stage.intake.progress.items():
            place = (topic, stage.partition)
            assert Counter(progress.outcomes) == oracle.outcomes[place] | Counter(dict.fromkeys(OUTCOMES, 0))
            assert Counter(progress.reasons) == oracle.reasons[place]
            assert progress.received == sum(oracle.outcomes[place].values())
            assert progress.difference == 0
            if place in oracle.watermarks:
                assert stage.intake.watermarks[topic] == oracle.watermarks[place]


@patient
@given(st.sampled_from(CONFIGS), inputs(), tapes, st.data())
def test_live_windows_are_those_of_the_oracle_at_any_time(
    config: Settings, drafted: list[Draft], tape: Tape, data: st.DataObject
) -> None:
    stream, oracle = run(config, drafted, tape)
    windows, published = new_windows(config), dict[tuple[str, str, str, str], dict[str, Any]]()
    panes = panes_of(stream.outputs, config)
    order = data.draw(st.permutations(panes + panes[::3]))  # some come again, some too late
    clock = NOON
    for pane in order:
        windows.apply(pane)
        if next(tape) % 4 == 0:
            clock = min(stream.now, clock + next(tape) * HOUR)
            windows.advance(clock)
        if next(tape) % 5 == 0:
            published |= {key_of(row): row for row in rows(windows.changed())}
    for later in (0, 1, 10 * SECOND, 5 * MINUTE, HOUR, DAY, 8 * DAY):
        now = stream.now + later
        windows.advance(now)
        published |= {key_of(row): row for row in rows(windows.changed())}
        expected = oracle.live(now)
        assert differences(at_no_time(expected), at_no_time(published.values())) == []
        assert differences(expected, everything(windows)) == []


def at_no_time(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Results without their place in time: what has not changed is not published again when its window moves."""
    return [{**record, "start": "", "end": ""} for record in records]
