"""The edge cases an expert asks about first; a test's name is the rule. Every result is compared with the oracle's."""

import json
from itertools import permutations
from typing import Any

import pytest

from tests.reference.contracts import CALLS, SURVEYS
from tests.reference.windows import moment_of
from tests.support.arrivals import DAY, HOUR, MINUTE, NOON, SECOND
from tests.support.pipeline import Pipeline
from tests.support.stream import new_windows


def nps(stream: Pipeline, window: str = "24h", cell: str = "all") -> tuple[float, int] | None:
    found = stream.result("nps", window, cell)
    return None if found is None else (found["value"], found["n"])


def survey(**fields: Any) -> bytes:
    event = {"event_id": "e", "record_id": "r", "survey": "s", "kind": "nps", "score": 9, "time": moment_of(NOON)}
    return json.dumps({**event, **fields}).encode()


class TestAnswers:
    """1: 0 is a detractor; a whole number may come as text; everything else is refused with its reason."""

    def test_zero_is_a_detractor_and_not_missing(self) -> None:
        stream = Pipeline()
        assert stream.answer(NOON, 0) == "accepted"
        assert nps(stream) == (-100.0, 1)

    def test_ten_as_text_is_ten(self) -> None:
        stream = Pipeline()
        assert stream.answer(NOON, "10") == "accepted"
        assert nps(stream) == (100.0, 1)

    @pytest.mark.parametrize(
        ("score", "reason"),
        [
            (11, "out_of_range"),
            (-1, "out_of_range"),
            ("11", "out_of_range"),
            (7.5, "wrong_type"),
            (True, "wrong_type"),
            ("N/A", "wrong_type"),
            ("-1", "wrong_type"),
            ("7.5", "wrong_type"),
            ("", "wrong_type"),
            (None, "missing_field"),
        ],
    )
    def test_what_is_no_answer_is_refused_with_its_reason_and_counts_nowhere(self, score: Any, reason: str) -> None:
        stream = Pipeline()
        assert stream.answer(NOON, score) == reason
        assert stream.results() == []

    def test_an_empty_window_has_no_value_rather_than_zero(self) -> None:
        stream = Pipeline()
        stream.answer(NOON, 8)
        assert nps(stream, "5m") == (0.0, 1)
        assert stream.result("nps", "5m", now=NOON + HOUR) is None


class TestRedelivery:
    """2: the same webhook two to eight times, out of order, hours apart, is counted once."""

    @pytest.mark.parametrize("times", range(2, 9))
    def test_however_often_and_late_it_comes_again_it_is_counted_once(self, times: int) -> None:
        stream = Pipeline()
        stream.answer(NOON, 9, record_id="r", customer="c")
        for again in range(1, times):
            stream.answer(NOON + again * 6 * HOUR, 0)  # others come between
            outcome = stream.answer(NOON, 9, record_id="r", customer="c", arrival=NOON + again * 6 * HOUR)
            assert outcome == "duplicate"
        assert nps(stream, "7d") == (round(100 * (2 - times) / times, 6), times)

    def test_it_is_counted_once_also_when_the_worker_has_restarted_in_between(self) -> None:
        stream = Pipeline()
        stream.answer(NOON, 9, record_id="r")
        stream.restart()
        assert stream.answer(NOON, 9, record_id="r", arrival=NOON + 47 * HOUR) == "duplicate"
        assert nps(stream, "7d") == (100.0, 1)

    def test_two_days_later_it_is_still_known(self) -> None:
        stream = Pipeline(ledger={"horizon": "48h"}, lateness={"allowance": "1h"})
        stream.answer(NOON, 9, record_id="r")
        stream.answer(NOON + 48 * HOUR, 9)
        assert stream.answer(NOON, 9, record_id="r", arrival=NOON + 48 * HOUR) == "duplicate"

    @pytest.mark.parametrize("order", list(permutations(("invited", "declined", "answered"))))
    def test_states_out_of_order_end_in_the_furthest(self, order: tuple[str, ...]) -> None:
        stream = Pipeline()
        for state in (*order, *order):
            stream.answer(NOON, 9, record_id="r", state=state)
        rate = stream.result("response_rate", "24h")
        assert rate is not None
        assert (rate["value"], rate["n"]) == (1.0, 1)


class TestEdits:
    """3: an answer edited from 3 to 9 retracts the 3; n stays; the edit may come first."""

    def test_inside_its_window_the_old_value_is_gone_and_n_is_the_same(self) -> None:
        stream = Pipeline()
        stream.answer(NOON, 3, record_id="r", revision=1)
        assert nps(stream, "5m") == (-100.0, 1)
        assert stream.answer(NOON, 9, record_id="r", revision=2, arrival=NOON + MINUTE) == "corrected"
        assert nps(stream, "5m") == (100.0, 1)

    def test_after_its_window_has_passed_only_the_windows_that_hold_it_change(self) -> None:
        stream = Pipeline()
        stream.answer(NOON, 3, record_id="r", revision=1)
        stream.answer(NOON, 9, record_id="r", revision=2, arrival=NOON + 2 * HOUR)
        assert (nps(stream, "5m"), nps(stream, "1h"), nps(stream, "24h")) == (None, None, (100.0, 1))

    def test_across_windows_it_leaves_the_one_and_enters_the_other(self) -> None:
        stream = Pipeline()
        stream.answer(NOON, 3, record_id="r", revision=1)
        stream.answer(NOON + 10 * MINUTE, 9, record_id="r", revision=2)
        assert (nps(stream, "5m"), nps(stream, "24h")) == ((100.0, 1), (100.0, 1))
        stream.answer(NOON + MINUTE, 9, record_id="r", revision=3, arrival=NOON + 10 * MINUTE)
        assert (nps(stream, "5m"), nps(stream, "24h")) == (None, (100.0, 1))

    def test_an_edit_that_arrives_first_is_not_undone_by_what_it_edits(self) -> None:
        stream = Pipeline()
        assert stream.answer(NOON, 9, record_id="r", revision=2) == "accepted"
        assert stream.answer(NOON, 3, record_id="r", revision=1) == "duplicate"
        assert nps(stream) == (100.0, 1)

    def test_an_edit_after_a_restart_retracts_what_was_counted_before_it(self) -> None:
        stream = Pipeline()
        stream.answer(NOON, 3, record_id="r", revision=1)
        stream.restart()
        assert stream.answer(NOON, 9, record_id="r", revision=2) == "corrected"
        assert nps(stream) == (100.0, 1)

    def test_an_edit_that_takes_the_answer_back_leaves_an_invitation(self) -> None:
        stream = Pipeline()
        stream.answer(NOON, 3, record_id="r", revision=1)
        stream.answer(NOON, None, record_id="r", revision=2, state="invited")
        assert nps(stream) is None
        rate = stream.result("response_rate", "24h")
        assert rate is not None
        assert (rate["value"], rate["n"]) == (0.0, 1)


class TestLateness:
    """4: what is later than allowed is counted as late and changes nothing; what is not, corrects."""

    def test_as_late_as_allowed_it_still_counts(self) -> None:
        stream = Pipeline(lateness={"allowance": "1h"})
        stream.answer(NOON, 9)
        assert stream.answer(NOON - HOUR, 0, arrival=NOON) == "accepted"
        assert nps(stream) == (0.0, 2)

    def test_a_millisecond_later_it_is_late_and_no_window_changes(self) -> None:
        stream = Pipeline(lateness={"allowance": "1h"})
        stream.answer(NOON, 9)
        before = stream.results()
        assert stream.answer(NOON - HOUR - 1, 0, record_id="r", arrival=NOON) == "late"
        assert stream.results() == before
        progress = stream.stage.state.progress[SURVEYS]
        assert (progress.received, progress.outcomes["late"], progress.difference) == (2, 1, 0)

    def test_a_late_record_is_late_however_often_it_comes(self) -> None:
        stream = Pipeline(lateness={"allowance": "1h"})
        stream.answer(NOON, 9)
        assert {stream.answer(NOON - DAY, 0, record_id="r", arrival=NOON) for _ in range(3)} == {"late"}

    def test_other_sources_and_their_progress_make_nothing_late(self) -> None:
        stream = Pipeline(lateness={"allowance": "1h"})
        stream.send(CALLS, NOON + 30 * DAY, outcome="menu")
        assert stream.answer(NOON, 9) == "accepted"


class TestTheFuture:
    """5: clocks five minutes, an hour, a year ahead: believed within a bound, and never moving the watermark."""

    def test_five_minutes_ahead_counts_when_its_time_has_come(self) -> None:
        stream = Pipeline()
        assert stream.answer(NOON + 5 * MINUTE, 9, arrival=NOON) == "accepted"
        assert stream.stage.state.watermarks[SURVEYS] == NOON
        assert nps(stream, "60s") is None
        assert stream.result("nps", "60s", now=NOON + 5 * MINUTE) is not None

    @pytest.mark.parametrize("ahead", [HOUR, 365 * DAY])
    def test_further_ahead_is_refused_and_makes_nobody_else_late(self, ahead: int) -> None:
        stream = Pipeline(lateness={"allowance": "1m"})
        stream.answer(NOON, 9)
        assert stream.answer(NOON + ahead, 0, arrival=NOON) == "future"
        assert stream.stage.state.watermarks[SURVEYS] == NOON
        assert stream.answer(NOON - MINUTE, 9, arrival=NOON) == "accepted"
        assert nps(stream) == (100.0, 2)


class TestTime:
    """6: a time has a zone; the double hour is two hours, the gap none; 29 February is a day; milliseconds are text."""

    @pytest.mark.parametrize(
        ("time", "reason"),
        [
            ("2024-01-01T12:00:00", "no_zone"),
            ("2024-02-30T12:00:00Z", "bad_time"),
            ("2023-02-29T12:00:00Z", "bad_time"),
            ("01/02/2024 12:00", "bad_time"),
            (1_704_110_400, "wrong_type"),
            (1_704_110_400_000, "wrong_type"),
        ],
    )
    def test_what_does_not_say_when_is_refused(self, time: Any, reason: str) -> None:
        assert Pipeline().deliver(SURVEYS, survey(time=time), NOON) == reason

    def test_the_hour_that_comes_twice_is_two_hours(self) -> None:
        """Berlin, 27 October 2024, 02:30 summer time and, an hour later, 02:30 winter time."""
        stream, end = Pipeline(), 1_729_992_600_000
        stream.deliver(SURVEYS, survey(record_id="a", time="2024-10-27T02:30:00+02:00"), end - HOUR)
        stream.deliver(SURVEYS, survey(record_id="b", time="2024-10-27T02:30:00+01:00", score=0), end)
        assert stream.stage.state.watermarks[SURVEYS] == end
        assert (nps(stream, "1h"), nps(stream, "24h")) == ((-100.0, 1), (0.0, 2))

    def test_a_window_over_the_hour_that_is_skipped_is_as_long_as_any(self) -> None:
        """Berlin, 31 March 2024: half an hour before and after the gap lie one hour apart, not two."""
        stream = Pipeline(windows={"lengths": ["1h"], "cuts": ["total"]})
        stream.deliver(SURVEYS, survey(record_id="a", time="2024-03-31T01:30:10+01:00"), 1_711_845_010_000)
        stream.deliver(SURVEYS, survey(record_id="b", time="2024-03-31T03:30:00+02:00"), 1_711_848_600_000)
        assert nps(stream, "1h") == (100.0, 2)

    def test_the_leap_day_has_its_own_24_hours(self) -> None:
        stream, march = Pipeline(), 1_709_251_200_000
        stream.deliver(SURVEYS, survey(time="2024-02-29T00:00:00Z"), march - DAY)
        assert stream.result("nps", "24h", now=march - 5 * MINUTE - 1) is not None
        assert stream.result("nps", "24h", now=march - 5 * MINUTE) is not None
        assert stream.result("nps", "24h", now=march) is None

    def test_one_instant_in_any_zone_is_one_instant(self) -> None:
        stream = Pipeline()
        times = ("2024-01-01T12:00:00Z", "2024-01-01T17:30:00+05:30", "2024-01-01T00:00:00-12:00")
        for number, time in enumerate(times):
            stream.deliver(SURVEYS, survey(record_id=str(number), time=time), NOON)
        assert nps(stream, "60s") == (100.0, 3)


class TestDurations:
    """7: a negative duration costs the scores that need it, not the event."""

    @pytest.mark.parametrize("field", ["wait", "talk", "hold", "after_call"])
    def test_a_negative_duration_keeps_the_event(self, field: str) -> None:
        stream = Pipeline()
        for number in range(4):
            assert stream.send(CALLS, NOON + number, customer="c", outcome="answered", **{field: -3}) == "accepted"
        facts = stream.stage.state.ledger.entries(b"cc")[0].fields
        assert facts[3:7] == (-1,) * 4, "the negative one is as unknown as those not given"
        risk = stream.result("churn_risk", "24h")
        assert risk is not None
        assert risk["value"] > 0.1, "four contacts are four contacts"

    def test_a_call_that_changes_is_one_call_by_its_newest_update(self) -> None:
        stream = Pipeline()
        for revision, talk in ((1, -1), (3, 60), (2, 30)):
            stream.send(CALLS, NOON, record_id="k", revision=revision, customer="c", outcome="answered", talk=talk)
        [kept] = stream.stage.state.ledger.entries(b"cc")
        assert kept.fields[4] == 60_000


class TestSimpson:
    """8: every part can rise while the whole falls; both are shown, each with its volume."""

    def fill(self, stream: Pipeline, time: int, channel: str, promoters: int, detractors: int) -> None:
        for number in range(promoters + detractors):
            score = 10 if number < promoters else 0
            stream.answer(time, score, channel=channel, record_id=f"{time}-{channel}-{number}")

    def test_both_cells_rise_and_the_total_falls(self) -> None:
        stream = Pipeline(windows={"lengths": ["60s"], "cuts": ["total", "channel"]})
        self.fill(stream, NOON, "chat", promoters=18, detractors=2)
        self.fill(stream, NOON, "phone", promoters=1, detractors=4)
        before = {cell: nps(stream, "60s", cell) for cell in ("chat", "phone", "all")}
        self.fill(stream, NOON + HOUR, "chat", promoters=5, detractors=0)
        self.fill(stream, NOON + HOUR, "phone", promoters=8, detractors=12)
        after = {cell: nps(stream, "60s", cell) for cell in ("chat", "phone", "all")}
        assert before == {"chat": (80.0, 20), "phone": (-60.0, 5), "all": (52.0, 25)}
        assert after == {"chat": (100.0, 5), "phone": (-20.0, 20), "all": (4.0, 25)}


class TestOneNumber:
    """10: two readers, one number: whatever the zone of the sender and the state of the reader."""

    def test_a_reader_that_starts_later_shows_the_same(self) -> None:
        stream = Pipeline()
        for number in range(40):
            stream.answer(NOON + number * 20 * SECOND, number % 11, record_id=f"r{number % 30}", revision=number)
            if number == 20:
                stream.results()  # its windows slide while the others' do not
        shown = stream.results()
        later = new_windows(stream.settings)
        for pane in stream.panes:
            later.apply(pane)
        assert stream.shown_by(later) == shown

    def test_times_are_published_in_utc(self) -> None:
        stream = Pipeline()
        stream.deliver(SURVEYS, survey(time="2024-01-01T17:30:00+05:30"), NOON)
        found = stream.result("nps", "60s")
        assert found is not None
        assert (found["start"], found["end"]) == ("2024-01-01T11:59:10Z", "2024-01-01T12:00:10Z")
