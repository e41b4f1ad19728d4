"""Ticket scores and repeat contact as an expert would ask for them, through stage 1 and 2, beside the oracle."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.contracts import CALLS, TICKETS
from tests.support.arrivals import NOON
from tests.support.pipeline import Pipeline

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


LONG: dict[str, dict[str, Any]] = {
    "windows": {"lengths": ["24h", "7d", "30d"], "cuts": ["total", "team"]},
    "lateness": {"allowance": "30d"},
    "ledger": {"horizon": "31d"},
}


def pipeline(**sections: dict[str, Any]) -> Pipeline:
    return Pipeline(**LONG, **sections)


def told(stream: Pipeline, score: str, window: str = "30d") -> dict[str, Any]:
    """The score of everything, which is also the oracle's."""
    [row] = [
        r for r in stream.results()
        if (r["score"], r["cut"], r["window"]) == (score, "total", window)
    ]  # fmt: skip
    return row


def ticket(stream: Pipeline, *changes: tuple[int, str], record: str = "t", **fields: Any) -> Pipeline:
    for after, change in changes:
        stream.send(TICKETS, NOON + after, record_id=record, change=change, **fields)
    stream.checkpoint()
    return stream


def test_times_run_from_creation_to_the_first_and_the_last_solution() -> None:
    stream = ticket(pipeline(), (0, "opened"), (HOUR, "first_reply"), (2 * HOUR, "solved"))
    ticket(stream, (3 * HOUR, "reopened"), (8 * HOUR, "solved"))
    assert told(stream, "first_reply_time")["value"] == 3_600
    assert told(stream, "first_resolution_time")["value"] == 7_200
    assert (told(stream, "full_resolution_time")["value"], told(stream, "full_resolution_time")["n"]) == (28_800, 1)
    assert told(stream, "reopened")["value"] == 1


def test_creation_is_what_the_source_says_before_it_is_when_it_was_opened() -> None:
    stream = ticket(pipeline(), (0, "opened"), record="a")
    ticket(stream, (HOUR, "solved"), record="a", opened_at="2024-01-01T10:00:00Z")
    assert told(stream, "first_resolution_time")["value"] == 3 * 3_600


def test_a_ticket_solved_before_it_was_created_counts_without_its_time() -> None:
    stream = ticket(pipeline(), (0, "solved"), opened_at="2024-01-02T00:00:00Z")
    assert told(stream, "autonomy")["n"] == 1
    assert not [row for row in stream.results() if row["score"] == "first_resolution_time"]


def test_a_merged_ticket_leaves_volume_and_resolution() -> None:
    stream = ticket(pipeline(), (0, "opened"), (HOUR, "solved"), (2 * HOUR, "merged"), record="merged")
    ticket(stream, (0, "opened"), (3 * HOUR, "solved"), record="other")
    assert told(stream, "first_resolution_time")["n"] == 1
    assert told(stream, "escalated")["n"] == 1
    assert told(stream, "backlog")["value"] == 0


def test_the_backlog_is_what_is_open_now_however_long_ago_it_came() -> None:
    stream = ticket(pipeline(), (0, "opened"), record="old")
    ticket(stream, (40 * DAY, "opened"), (40 * DAY + HOUR, "solved"), record="new")
    backlog = told(stream, "backlog", "24h")
    assert (backlog["value"], backlog["counts"]) == (1, {"opened": 1, "solved": 1})


@pytest.mark.parametrize(
    ("changes", "fields", "expected"),
    [
        (["opened", "solved"], {}, (1, 1)),
        (["opened", "escalated", "solved"], {}, (0, 1)),
        (["opened", "solved", "escalated"], {}, (1, 1)),
        (["opened", "solved"], {"approval": True}, (0, 0)),
        (["opened", "solved"], {"approval": False}, (1, 0)),
    ],
)
def test_autonomy_is_a_solution_without_escalation_and_approval_and_says_of_how_many_none_is_known(
    changes: list[str], fields: dict[str, Any], expected: tuple[int, int]
) -> None:
    steps = [(number * HOUR, change) for number, change in enumerate(changes)]
    counts = told(ticket(pipeline(), *steps, **fields), "autonomy")["counts"]
    assert (counts["autonomous"], counts["approval_unknown"]) == expected


def test_what_the_front_line_grants_stands_beside_its_autonomy() -> None:
    stream = ticket(pipeline(), (0, "opened"))
    ticket(stream, (HOUR, "refunded"), (2 * HOUR, "replaced"), amount=12.5)
    counts = told(ticket(stream, (3 * HOUR, "solved")), "autonomy")["counts"]
    assert (counts["refunded"], counts["replaced"], counts["granted_cents"]) == (1, 1, 2_500)


def test_a_reopening_that_was_named_is_not_counted_again_when_its_count_comes() -> None:
    stream = ticket(pipeline(), (0, "opened"), (HOUR, "solved"), (2 * HOUR, "reopened"), (3 * HOUR, "solved"))
    ticket(stream, (4 * HOUR, "updated"), reopens=1)
    assert told(stream, "backlog")["value"] == 0


def test_reassignments_grow_by_the_sources_own_count() -> None:
    stream = pipeline()
    for number, count in enumerate([0, 0, 1, 1, 3, 2]):
        ticket(stream, (number * HOUR, "updated" if number else "opened"), reassignments=count)
    assert told(stream, "escalated")["counts"] == {"escalated": 0, "reassigned": 3}


def test_the_changes_of_a_ticket_may_come_in_any_order() -> None:
    stream = pipeline()
    for change in ((8 * HOUR, "solved"), (3 * HOUR, "reopened"), (0, "opened"), (2 * HOUR, "solved")):
        stream.send(TICKETS, NOON + change[0], record_id="t", change=change[1], arrival=NOON + 9 * HOUR)
    stream.checkpoint()
    assert told(stream, "first_resolution_time")["value"] == 7_200
    assert told(stream, "full_resolution_time")["value"] == 28_800


def test_a_redelivered_change_tells_nothing_new_and_a_restart_forgets_nothing() -> None:
    stream = ticket(ticket(pipeline(), (0, "opened")), (HOUR, "solved"), event_id="again")
    stream.restart()
    ticket(stream, (HOUR, "solved"), event_id="again")
    ticket(stream, (2 * HOUR, "reopened"))
    assert told(stream, "reopened")["counts"] == {"reopened": 1}
    assert told(stream, "backlog")["value"] == 1


def test_business_hours_count_only_when_the_desk_is_open() -> None:
    stream = ticket(
        pipeline(hours={"zone": "Europe/Berlin", "open": ["mon-fri 09:00-17:00"], "holidays": ["2024-01-02"]}),
        (0, "opened"),
        (2 * DAY, "solved"),
    )  # a Monday, 13:00 in Berlin, to Wednesday, 13:00; Tuesday is a holiday
    assert told(stream, "first_resolution_time_business")["value"] == (4 + 4) * 3_600
    assert told(stream, "first_resolution_time")["value"] == 2 * 86_400


def call(stream: Pipeline, after: int, outcome: str = "answered", **fields: Any) -> Pipeline:
    stream.send(CALLS, NOON + after, outcome=outcome, talk=60, **({"customer": "ann"} | fields))
    stream.checkpoint()
    return stream


@pytest.mark.parametrize(
    ("after", "again", "repeated"),
    [
        (7 * DAY, "answered", 1),
        (7 * DAY + 1, "answered", 0),
        (DAY, "abandoned", 1),
        (DAY, "menu", 0),
        (0, "answered", 0),
    ],
)
def test_who_calls_again_within_seven_days_had_to(after: int, again: str, repeated: int) -> None:
    stream = call(call(pipeline(), 0, record_id="first"), after, again, record_id="second")
    assert told(stream, "repeat_contact")["counts"] == {"repeated": repeated}


def test_a_repeat_is_charged_to_the_team_of_the_first_contact_whatever_the_channel() -> None:
    stream = ticket(call(pipeline(), 0, team="one"), (DAY, "opened"), customer="ann", team="two")
    by_team = {r["cell"]: r["value"] for r in stream.results()
               if (r["score"], r["cut"], r["window"]) == ("repeat_contact", "team", "7d")}  # fmt: skip
    assert by_team == {"one": 1, "two": 0}


@pytest.mark.parametrize("customer", ["", "0", None])
def test_nobody_never_comes_again(customer: str | None) -> None:
    stream = call(call(pipeline(), 0, customer=customer), HOUR, customer=customer)
    assert not [row for row in stream.results() if row["score"] == "repeat_contact"]


def test_the_legs_of_one_call_are_one_contact() -> None:
    stream = call(call(pipeline(), 0, call_id="77"), MINUTE, call_id="77")
    assert (told(stream, "repeat_contact")["n"], told(stream, "repeat_contact")["value"]) == (1, 0)
    assert told(call(stream, HOUR, call_id="78"), "repeat_contact")["counts"] == {"repeated": 1}


def test_a_contact_is_provisional_until_its_seven_days_are_over() -> None:
    stream = call(pipeline(), 0)
    assert told(stream, "repeat_contact")["value"] == 0
    assert told(call(stream, 6 * DAY), "repeat_contact")["counts"] == {"repeated": 1}


GAPS = (0, MINUTE, 12 * HOUR, DAY, DAY + 1, 6 * DAY, 7 * DAY, 7 * DAY + 1, 8 * DAY, 8 * DAY + 1, 9 * DAY)
attempts = st.lists(
    st.tuples(
        st.sampled_from(GAPS),
        st.sampled_from(("answered", "answered", "abandoned", "menu", "opened")),
        st.sampled_from((None, None, "77")),
        st.integers(0, 5),  # below 3, an earlier record again, changed
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(attempts, st.randoms(use_true_random=False))
def test_a_contact_is_told_the_same_whichever_attempts_around_it_come_first(
    drawn: list[tuple[int, str, str | None, int]], shuffle: random.Random
) -> None:
    stream, time, sent = pipeline(), 0, []
    for number, (gap, what, leg, again) in enumerate(drawn):
        time += gap
        sent.append((time, what, leg, number if again > 2 else again))
    shuffle.shuffle(sent)
    for revision, (at, what, leg, record) in enumerate(sent):
        if what == "opened":
            ticket(stream, (at, what), record=f"t{record}", customer="ann")
        else:
            legs = {} if leg is None else {"call_id": leg}
            call(stream, at, what, record_id=f"c{record}", revision=revision, **legs)
    stream.results()
