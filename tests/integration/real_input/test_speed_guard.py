"""The bank's calls under the speed guard, against what its log says when read with nothing but the standard library."""

from datetime import datetime
from functools import cache
from typing import Any

import pytest
import scipy.stats

from schemas.catalogue import CALLS
from tests.integration.real_input.test_call_scores import arrivals, calls_of
from tests.support.stream import Stage1, everything, new_windows, panes_of, record_of, settings_with

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("calls")]

SETTINGS = settings_with(
    app={"mode": "replay"},
    kafka={"partitions": 1},
    windows={"lengths": ["7d", "30d"], "cuts": ["queue"]},
    lateness={"allowance": "30d"},
    ledger={"horizon": "31d"},
    risk={"enabled": False},
)
WEEK, HOUR = 7 * 86_400_000, 3_600_000
QUEUES = ("IN", "NE", "NW", "PE", "PS", "TT")

each_queue = pytest.mark.parametrize("queue", QUEUES)


@cache
def streamed() -> dict[tuple[str, str], dict[str, Any]]:
    log, stage, windows = arrivals(), Stage1(0, SETTINGS), new_windows(SETTINGS)
    stage.take(CALLS.name, [record_of(arrival) for arrival in log], log[-1].arrival_ms)
    for pane in panes_of(stage.checkpoint(), SETTINGS):
        windows.apply(pane)
    windows.advance(log[-1].arrival_ms)
    return {(row["window"], row["cell"]): row for row in everything(windows) if row["score"] == "speed_guard"}


def talks(queue: str) -> list[float]:
    return [call["talk"] for call in calls_of("queue", queue, "answered") if call["talk"] >= 0]


@each_queue
def test_calls_cut_short_are_those_of_the_log_and_more_than_elsewhere_where_it_says_so(queue: str) -> None:
    own, others = talks(queue), [talk for other in QUEUES if other != queue for talk in talks(other)]
    short, others_short = (len([talk for talk in side if talk < 10]) for side in (own, others))
    found = streamed()["30d", queue]
    assert (found["n"], found["counts"]["short"]) == (len(own), short)
    assert (found["counts"]["peers"], found["counts"]["peers_short"]) == (len(others), others_short)
    table = [[short, len(own) - short], [others_short, len(others) - others_short]]
    tested = scipy.stats.chi2_contingency(table, correction=False)
    is_more = short / len(own) > others_short / len(others)
    assert found["counts"]["cut_short"] == int(is_more and tested.pvalue / 2 < 0.05)
    odds = table[0][0] * table[1][1] / (table[0][1] * table[1][0])
    assert found["counts"]["odds_ppm"] == pytest.approx(1e6 * odds, abs=1)


def test_both_verdicts_occur() -> None:
    assert {streamed()["30d", queue]["value"] for queue in QUEUES} == {0.0, 1.0}


@each_queue
def test_the_week_before_is_that_of_the_log(queue: str) -> None:
    end = arrivals()[-1].arrival_ms // HOUR * HOUR + HOUR
    weeks: list[list[float]] = [[], []]
    for call in calls_of("queue", queue, "answered"):
        after = (end - 1 - 1_000 * int(datetime.fromisoformat(call["time"]).timestamp())) // WEEK
        if call["talk"] >= 0 and 0 <= after < 2:
            weeks[after].append(call["talk"])
    found = streamed().get(("7d", queue))
    assert found is not None
    assert (found["n"], found["counts"]["calls_before"]) == (len(weeks[0]), len(weeks[1]))
    assert [found["counts"]["handle_ms"], found["counts"]["handle_ms_before"]] == [1_000 * sum(week) for week in weeks]
