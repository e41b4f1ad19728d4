"""Stage 1 and stage 2 against the oracle: any input, any order of delivery, any restart, one result."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.pane import Pane
from schemas.score import Score
from streams.core.stage1.outcomes import RECORD_OUTCOMES
from streams.runtime.publishing import score_key
from streams.settings import Settings
from tests.reference import Oracle, differences
from tests.reference.risk import shipped_risk
from tests.support.arrivals import DAY, HOUR, MINUTE, NOON, SECOND, Draft, addressed, inputs
from tests.support.driver import PARTITIONS, Driver, Tape, tapes
from tests.support.stream import (
    config_of,
    everything,
    new_windows,
    panes_of,
    rows,
    settings_with,
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
        for topic, progress in stage.state.progress.items():
            place = (topic, stage.partition)
            assert Counter(progress.outcomes) == oracle.outcomes[place] | Counter(dict.fromkeys(RECORD_OUTCOMES, 0))
            assert Counter(progress.reasons) == oracle.reasons[place]
            assert progress.received == sum(oracle.outcomes[place].values())
            assert progress.difference == 0
            if place in oracle.watermarks:
                assert stage.state.watermarks[topic] == oracle.watermarks[place]


class Stage2:
    """Windows with what they have published, and what they come back from after a restart."""

    def __init__(self, config: Settings) -> None:
        self.config = config
        self.windows = new_windows(config)
        self.published: dict[bytes, Score] = {}
        self._taken: list[Pane] = []

    def take(self, pane: Pane) -> None:
        self._taken.append(pane)
        self.windows.apply(pane)

    def publish(self, now: int) -> None:
        self.windows.advance(now)
        self.published |= {score_key(result): result for result in self.windows.changed_results()}

    def restart(self) -> None:
        self.windows = new_windows(self.config)
        for result in self.published.values():
            self.windows.restore(result)
        for pane in self._taken:
            self.windows.apply(pane)


@patient
@given(st.sampled_from(CONFIGS), inputs(), tapes, st.data())
def test_live_windows_are_those_of_the_oracle_at_any_time(
    config: Settings, drafted: list[Draft], tape: Tape, data: st.DataObject
) -> None:
    stream, oracle = run(config, drafted, tape)
    panes, stage, clock = panes_of(stream.outputs, config), Stage2(config), NOON
    for pane in data.draw(st.permutations(panes + panes[::3])):  # some come again, some too late
        stage.take(pane)
        clock = min(stream.now, clock + next(tape) * MINUTE)
        if next(tape) % 4 == 0:
            stage.publish(clock)
        if next(tape) % 11 == 0:
            stage.restart()
    for later in (0, 1, 10 * SECOND, 5 * MINUTE, HOUR, DAY, 8 * DAY):
        now = stream.now + later
        for pane in panes_of(stream.renew(now), config):
            stage.take(pane)
        stage.publish(now)
        expected = without_band_changes(oracle.live(now))
        assert differences(at_no_time(expected), at_no_time(without_band_changes(rows(stage.published.values())))) == []
        assert differences(expected, without_band_changes(everything(stage.windows))) == []


def without_band_changes(records: Iterable[Any]) -> list[Any]:
    """They are found as events come in, so they depend on what comes in one chunk."""
    return [record for record in records if record["score"] not in ("newly_at_risk", "recovered")]


def at_no_time(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Results without their place in time: what has not changed is not published again when its window moves."""
    return [{**record, "start": "", "end": ""} for record in records]
