import json
from pathlib import Path
from typing import Any

import pytest

from streams.core.events.calls import CALL, CALL_DIRECTIONS, CALL_OUTCOMES
from streams.core.events.record_fields import UNKNOWN, RecordFields
from streams.core.scores import SCORES, Accumulator, Result

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors.json").read_text())
OF_CALLS = {score.name: score for score in SCORES if score.code in range(10, 17)}


def call(
    outcome: str = "answered",
    *,
    direction: str = "inbound",
    wait: int = 0,
    talk: int = 60_000,
    hold: int = UNKNOWN,
    after: int = UNKNOWN,
    transfers: int = 0,
) -> RecordFields:
    return CALL, CALL_OUTCOMES.index(outcome), CALL_DIRECTIONS.index(direction), wait, talk, hold, after, transfers


def compute(name: str, *calls: RecordFields) -> Result | None:
    acc: Accumulator = {}
    for fields in calls:
        OF_CALLS[name].add(acc, OF_CALLS[name].slots(fields))
    return OF_CALLS[name].result(acc)


def result(name: str, *calls: RecordFields) -> Result:
    computed = compute(name, *calls)
    assert computed is not None
    return computed


def test_offered_calls_are_the_answered_and_the_abandoned_ones_but_not_those_in_the_menu() -> None:
    calls = [call()] * 7 + [call("abandoned", wait=30_000)] * 2 + [call("abandoned", wait=5_000)] + [call("menu")] * 4
    computed = result("offered", *calls)
    assert (computed.value, computed.lower, computed.upper, computed.n) == (10.0, None, None, 14)
    assert computed.counts == {"answered": 7, "abandoned": 3, "menu": 4, "short_abandoned": 1}
    assert OF_CALLS["offered"].unit == "count"


def test_with_calls_in_the_menu_only_the_number_offered_is_zero_and_not_missing() -> None:
    computed = result("offered", call("menu"))
    assert (computed.value, computed.n, computed.counts["menu"]) == (0.0, 1, 1)


def test_a_call_that_ended_in_the_menu_counts_in_no_other_score() -> None:
    assert {name for name in OF_CALLS if compute(name, call("menu", talk=1))} == {"offered"}


def test_outbound_calls_count_in_no_score() -> None:
    calls = [call(outcome, direction="outbound") for outcome in CALL_OUTCOMES]
    assert {name for name in OF_CALLS if compute(name, *calls)} == set()


def test_abandonment_is_the_share_of_offered_calls() -> None:
    calls = [call("abandoned", wait=6_000)] * 6 + [call("abandoned", wait=0)] * 2 + [call()] * 2
    computed = result("abandonment", *calls)
    assert (computed.value, computed.lower, computed.upper, computed.n) == (0.8, 0.490162, 0.943318, 10)
    assert computed.counts == {"abandoned": 8, "short_abandoned": 2}


@pytest.mark.parametrize(("wait", "short"), [(0, 1), (5_000, 1), (5_001, 0), (UNKNOWN, 0)])
def test_an_abandoned_call_is_short_up_to_five_seconds(wait: int, short: int) -> None:
    for name in ("offered", "abandonment"):
        counts = result(name, call("abandoned", wait=wait)).counts
        assert (counts["abandoned"], counts["short_abandoned"]) == (1, short)


def test_speed_of_answer_counts_calls_without_a_wait_but_no_abandoned_ones() -> None:
    calls = [call(wait=0), call(wait=0), call(wait=3_000), call(wait=9_000), call("abandoned", wait=500_000)]
    computed = result("speed_of_answer", *calls)
    assert (computed.value, computed.n) == (3.0, 4)
    assert (computed.lower, computed.upper) == pytest.approx((0.0, 3.0 + 3.182446 * 18**0.5 / 2), abs=1e-5)
    assert computed.counts == {"wait_ms": 12_000, "p50_ms": 0, "p90_ms": 9_024}


def test_a_single_wait_has_no_interval() -> None:
    computed = result("speed_of_answer", call(wait=100))
    assert (computed.value, computed.lower, computed.upper) == (0.1, None, None)
    assert computed.counts == {"wait_ms": 100, "p50_ms": 100, "p90_ms": 100}


def test_the_service_level_is_our_form_of_the_published_vector() -> None:
    case = VECTORS["service_level"]
    calls = [call(wait=20_000)] * case["answered_20"] + [call(wait=20_001)] * (case["answered"] - case["answered_20"])
    calls += [call("abandoned", wait=20_000)] * case["abandoned_20"]
    calls += [call("abandoned", wait=20_001)] * case["abandoned_after_20"]
    computed = result("service_level", *calls)
    assert computed.value == case["exact"]["f4"]
    assert (computed.n, computed.counts) == (1_040, {"answered_within": 860, "answered": 1_000, "abandoned_after": 40})


def test_a_call_with_an_unknown_wait_counts_in_all_scores_that_do_not_need_it() -> None:
    calls = [call(wait=UNKNOWN), call("abandoned", wait=UNKNOWN)]
    assert {name for name in OF_CALLS if not compute(name, *calls)} == {"speed_of_answer", "service_level"}


def test_handle_time_is_the_sum_of_talk_hold_and_after_call_work() -> None:
    calls = [call(talk=100_000, hold=20_000, after=30_000), call(talk=50_000), call("abandoned", talk=900_000)]
    computed = result("handle_time", *calls)
    assert (computed.value, computed.n, computed.lower) == (100.0, 2, 0.0)
    assert computed.upper == pytest.approx(100 + 12.706205 * 50, abs=1e-3)
    assert computed.counts == {
        "talk_ms": 150_000,
        "hold_ms": 20_000,
        "after_call_ms": 30_000,
        "p50_ms": 49_920,
        "p90_ms": 150_528,
        **{"talk_n": 2, "talk_mean_ms": 75_000, "talk_p50_ms": 49_920, "talk_p90_ms": 99_840},
        **{"hold_n": 1, "hold_mean_ms": 20_000, "hold_p50_ms": 20_096, "hold_p90_ms": 20_096},
        **{"after_call_n": 1, "after_call_mean_ms": 30_000, "after_call_p50_ms": 30_080, "after_call_p90_ms": 30_080},
    }


def test_a_part_of_0_is_known_and_an_unknown_part_is_not_0() -> None:
    counts = result("handle_time", call(hold=0), call(hold=9), call(hold=UNKNOWN)).counts
    assert {name: ms for name, ms in counts.items() if name.startswith("hold")} == {
        "hold_ms": 9,
        "hold_n": 2,
        "hold_mean_ms": 5,
        "hold_p50_ms": 0,
        "hold_p90_ms": 9,
    }
    assert not any(name.startswith("after_call_p") for name in counts)


@pytest.mark.parametrize("talk", [UNKNOWN, 86_400_001, 2**53])
def test_a_call_with_an_unknown_or_implausible_talk_counts_in_no_score_that_needs_it(talk: int) -> None:
    missing = {name for name in OF_CALLS if not compute(name, call(talk=talk))}
    assert missing == {"handle_time", "short_calls"}


def test_the_sums_of_a_pane_fit_into_64_bits() -> None:
    worst = call(wait=86_400_000, talk=86_400_000, hold=86_400_000, after=86_400_000, transfers=2**53)
    amounts = [amount for score in OF_CALLS.values() for _, amount in score.slots(worst)]
    amounts += [amount for score in OF_CALLS.values() for _, amount in score.slots(call(wait=524_287, talk=524_287))]
    assert max(amounts) < 2**38
    assert all(score.slots(worst) for score in OF_CALLS.values())


def test_transfers_are_the_share_of_answered_calls_transferred_and_their_number() -> None:
    computed = result("transfers", call(), call(transfers=1), call(transfers=3), call("abandoned", transfers=2))
    assert (computed.value, computed.n) == (0.666667, 3)
    assert computed.counts == {"transferred": 2, "transfers": 4, "unknown": 0}


def test_the_transfers_of_one_call_are_capped() -> None:
    assert result("transfers", call(transfers=2**53)).counts == {"transferred": 1, "transfers": 1_000, "unknown": 0}


def test_an_unknown_number_of_transfers_is_not_0() -> None:
    some = result("transfers", call(transfers=UNKNOWN), call(transfers=1))
    none = result("transfers", call(transfers=UNKNOWN), call(transfers=UNKNOWN))
    assert (some.value, some.n, some.counts["unknown"]) == (1.0, 1, 1)
    assert (none.value, none.lower, none.upper, none.n, none.counts["unknown"]) == (None, None, None, 0, 2)


@pytest.mark.parametrize(("talk", "short"), [(0, 1), (9_999, 1), (10_000, 0)])
def test_a_call_is_short_below_ten_seconds_of_talk(talk: int, short: int) -> None:
    assert result("short_calls", call(talk=talk, hold=99_000)).counts == {"short": short}


def test_a_corrected_record_replaces_the_old_one_completely() -> None:
    before, after = call(talk=60_000, wait=30_000), call("abandoned", wait=4_000)
    for score in OF_CALLS.values():
        acc: Accumulator = {}
        score.add(acc, score.slots(before))
        score.retract(acc, score.slots(before))
        score.add(acc, score.slots(after))
        expected: Accumulator = {}
        score.add(expected, score.slots(after))
        assert acc == expected, score.name
