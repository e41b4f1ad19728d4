"""The events of the simulated company are plausible: life cycles, queues, moods, and the staged incident."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import takewhile
from statistics import fmean, median
from typing import TypeVar

import msgspec
import pytest

from schemas.account import Account
from schemas.call import Call
from schemas.catalogue import ACCOUNTS, CALLS, SURVEYS, TICKETS, Topic
from schemas.survey import Survey
from schemas.ticket import Ticket
from streams.simulation import Company, Incident, Message
from tests.reference.textbook import nps_z

R = TypeVar("R", Account, Call, Survey, Ticket)
DAY = 86_400_000
START = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1000)
INCIDENT = Incident(offset_s=90, length_s=60)


def records(messages: Iterable[Message], topic: Topic, record: type[R]) -> list[R]:
    decoder = msgspec.json.Decoder(record)
    selected = [m for m in messages if m.topic == topic.name and m.note in {"fresh", "late"}]
    return sorted((decoder.decode(m.value) for m in selected), key=lambda r: r.time)


def histories(events: Sequence[R]) -> list[list[R]]:
    grouped: dict[str, list[R]] = defaultdict(list)
    for one in events:
        grouped[one.record_id].append(one)
    return list(grouped.values())


@pytest.fixture(scope="module")
def past() -> list[Message]:
    return list(Company(history_per_day=6_000).history(START, START + 12 * DAY))


@pytest.fixture(scope="module")
def staged() -> list[Message]:
    company = Company(incident=INCIDENT, events_per_second=300)
    return list(takewhile(lambda m: m.time_ms < START + 240_000, company.live(START)))


def test_a_ticket_is_opened_answered_solved_and_closed_in_this_order(past: list[Message]) -> None:
    complete = 0
    for ticket in histories(records(past, TICKETS, Ticket)):
        changes = [one.change for one in ticket]
        assert changes[0] == "opened"
        assert changes.count("opened") == 1
        if changes[-1] == "closed":
            complete += 1
            order = [changes.index(change) for change in ("opened", "first_reply", "solved", "closed")]
            assert order == sorted(order)
            assert ("reopened" in changes) == (changes.count("solved") == 2)
    assert complete > 1_000


def test_every_change_of_a_ticket_and_an_account_occurs(past: list[Message]) -> None:
    tickets = {one.change for one in records(past, TICKETS, Ticket)}
    assert tickets >= {"reassigned", "escalated", "reopened", "refunded", "replaced", "merged"}
    assert {one.change for one in records(past, ACCOUNTS, Account)} == {"started", "renewed", "updated", "cancelled"}


def test_returns_have_far_more_refunds_than_onboarding(past: list[Message]) -> None:
    share = {}
    for name in ("returns", "onboarding"):
        tickets = [t for t in histories(records(past, TICKETS, Ticket)) if t[0].touchpoint == name]
        share[name] = fmean(any(one.change in {"refunded", "replaced"} for one in ticket) for ticket in tickets)
    assert share["onboarding"] == 0
    assert share["returns"] > 0.35


def test_durations_of_calls_have_the_shape_of_a_real_call_log(past: list[Message]) -> None:
    legs = [one for one in records(past, CALLS, Call) if one.outcome == "answered"]
    waits, talks = [one.wait or 0 for one in legs], [one.talk or 0 for one in legs]
    assert 0.3 < fmean(wait == 0 for wait in waits) < 0.6
    assert 80 < median(talks) < 130
    assert 140 < fmean(talks) < 210
    assert 0.15 < fmean((one.hold or 0) > 0 for one in legs) < 0.35


def test_calls_are_transferred_and_sent_again_with_newer_content(past: list[Message]) -> None:
    calls = histories(records(past, CALLS, Call))
    again = [call for call in calls if len(call) > 1]
    assert len(again) / len(calls) > 0.15
    for call in again:
        known = sorted(call, key=lambda one: one.updated_at or one.time)
        assert known[0].after_call is None
        assert known[-1].after_call is not None
        assert known[0].updated_at != known[-1].updated_at
    transferred = {call[0].call_id: call[0] for call in calls if call[0].transfers}
    assert any(c[0].call_id in transferred and c[0].team != transferred[c[0].call_id].team for c in calls)


def test_more_callers_give_up_where_the_wait_is_longer(staged: list[Message]) -> None:
    calm, hit = _calls(staged, before), _calls(staged, during)
    assert fmean(c.wait or 0 for c in hit) > 2 * fmean(c.wait or 0 for c in calm)
    assert fmean(c.outcome == "abandoned" for c in hit) > 2 * fmean(c.outcome == "abandoned" for c in calm)


def test_an_invitation_comes_before_its_answer_and_edits_are_newer_revisions(past: list[Message]) -> None:
    edited = 0
    for survey in histories(records(past, SURVEYS, Survey)):
        survey.sort(key=lambda one: one.revision or 0)
        assert survey[0].state == "invited"
        assert [one.revision for one in survey] == list(range(1, len(survey) + 1))
        edited += len(survey) > 2 and survey[1].score != survey[2].score
    assert edited > 20


def test_detractors_who_were_called_back_answer_again_and_higher(past: list[Message]) -> None:
    raised = 0
    for survey in histories(records(past, SURVEYS, Survey)):
        scores = [int(one.score) for one in survey if one.score is not None]
        raised += len(scores) == 2 and survey[0].kind == "nps" and scores[0] <= 6 and scores[1] >= 9
    assert raised > 3


def test_all_kinds_are_asked_and_the_relationship_is_a_survey_of_its_own(past: list[Message]) -> None:
    surveys = records(past, SURVEYS, Survey)
    assert {one.kind for one in surveys} == {"nps", "ces2", "ces1", "csat"}
    assert {one.touchpoint for one in surveys if one.program == "relationship"} == {""}
    assert any(one.comment for one in surveys)


def test_touchpoints_differ_in_satisfaction(past: list[Message]) -> None:
    answers = {name: _nps(records(past, SURVEYS, Survey), {name}) for name in ("onboarding", "network-outage")}
    assert nps_value(answers["onboarding"]) > 20
    assert nps_value(answers["network-outage"]) < -20


def test_unhappy_customers_leave_more_often() -> None:
    messages = list(Company(customers=1_500, history_per_day=6_000).history(START, START + 14 * DAY))
    left = {one.customer for one in records(messages, ACCOUNTS, Account) if one.change == "cancelled"}
    by_customer: dict[str | None, list[int]] = defaultdict(list)
    for one in records(messages, SURVEYS, Survey):
        if one.kind == "nps" and one.score is not None:
            by_customer[one.customer].append(int(one.score))
    unhappy = {customer for customer, scores in by_customer.items() if fmean(scores) <= 6}
    happy = by_customer.keys() - unhappy
    assert len(left & unhappy) / len(unhappy) > 1.5 * len(left & happy) / len(happy)


def before(second: float) -> bool:
    return second < INCIDENT.offset_s


def during(second: float) -> bool:
    return INCIDENT.offset_s + 6 <= second < INCIDENT.offset_s + INCIDENT.length_s


def after(second: float) -> bool:
    return second >= INCIDENT.offset_s + INCIDENT.length_s + 30


Period = Callable[[float], bool]


def _second(moment: datetime) -> float:
    return moment.timestamp() - START / 1000


def _calls(messages: list[Message], period: Period) -> list[Call]:
    return [c for c in records(messages, CALLS, Call) if c.touchpoint == "billing" and period(_second(c.time))]


def _nps(surveys: list[Survey], touchpoints: set[str], period: Period = lambda second: True) -> list[int]:
    return [
        int(one.score)
        for one in surveys
        if one.kind == "nps" and one.score is not None and one.touchpoint in touchpoints and period(_second(one.time))
    ]


def _counts(scores: list[int]) -> tuple[int, int, int]:
    return sum(score >= 9 for score in scores), sum(score <= 6 for score in scores), len(scores)


def nps_value(scores: list[int]) -> float:
    promoters, detractors, n = _counts(scores)
    return 100 * (promoters - detractors) / n


def test_the_incident_lowers_nps_where_it_hits_and_only_there(staged: list[Message]) -> None:
    surveys, hit = records(staged, SURVEYS, Survey), set(INCIDENT.touchpoints)
    calm, dark, mended = (_nps(surveys, hit, period) for period in (before, during, after))
    assert nps_z(_counts(calm), _counts(dark)) > 5
    assert nps_value(dark) < nps_value(calm) - 40
    assert nps_value(mended) > nps_value(dark) + 30
    others = {one.touchpoint for one in surveys} - hit - {""}
    assert nps_z(_counts(_nps(surveys, others, before)), _counts(_nps(surveys, others, during))) < 4


def test_the_incident_brings_more_calls_and_tickets_and_recovers(staged: list[Message]) -> None:
    def opened(period: Period, seconds: float) -> float:
        tickets = records(staged, TICKETS, Ticket)
        contacts = [
            t for t in tickets if t.change == "opened" and t.touchpoint == "billing" and period(_second(t.time))
        ]
        return (len(contacts) + len(_calls(staged, period))) / seconds

    usual, hit = opened(before, INCIDENT.offset_s), opened(during, INCIDENT.length_s - 6)
    assert hit > 2 * usual
    assert opened(after, 60) < 0.6 * hit
