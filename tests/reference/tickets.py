"""Each ticket score from a plain list of facts; the backlog from all that ever came and went as well."""

from collections import Counter

from tests.reference.calls import durations
from tests.reference.cases import (
    CASE,
    CONTACT,
    FIRST_SOLVED,
    FLOW,
    GRANTED,
    HANDED_ON,
    OPENED,
    REPLIED,
    RESOLVED,
    SOLVED,
)
from tests.reference.contracts import TICKET_CHANGES
from tests.reference.summary import Facts, Summary, share


def cases(records: list[Facts], what: int) -> list[Facts]:
    return [facts[2:] for facts in records if facts[:2] == (CASE, what)]


def took(records: list[Facts], what: int, field: int) -> Summary | None:
    values = [case[field] for case in cases(records, what) if case[field] != -1]
    return durations(values, sum_ms=sum(values))


def first_reply_time(records: list[Facts], field: int = 0) -> Summary | None:
    return took(records, REPLIED, field)


def first_resolution_time(records: list[Facts], field: int = 0) -> Summary | None:
    return took(records, FIRST_SOLVED, field)


def full_resolution_time(records: list[Facts], field: int = 0) -> Summary | None:
    return took(records, SOLVED, field)


def reopened(records: list[Facts]) -> Summary | None:
    marks = [case[2] for case in cases(records, RESOLVED)]
    return share(sum(marks), len(marks), "reopened")


def escalated(records: list[Facts]) -> Summary | None:
    marks = [case[0] for case in cases(records, OPENED)]
    return share(sum(marks), len(marks), "escalated", reassigned=sum(case[0] for case in cases(records, HANDED_ON)))


def autonomy(records: list[Facts]) -> Summary | None:
    solved = cases(records, RESOLVED)
    granted = cases(records, GRANTED)
    names = [TICKET_CHANGES[case[0]] for case in granted]
    return share(
        len([case for case in solved if case[:2] == (0, 0)]),
        len(solved),
        "autonomous",
        escalated=sum(case[0] for case in solved),
        approved=sum(case[1] for case in solved),
        approval_unknown=sum(case[3] for case in solved),
        refunded=names.count("refunded"),
        replaced=names.count("replaced"),
        granted_cents=sum(case[1] for case in granted if case[1] > 0),
    )


def repeat_contact(records: list[Facts]) -> Summary | None:
    marks = [facts[1] for facts in records if facts[0] == CONTACT]
    return share(sum(marks), len(marks), "repeated")


def backlog(records: list[Facts], ever: Counter[Facts]) -> Summary | None:
    """From what the window holds, and all up to its end."""
    came, went = ever[CASE, FLOW, 1], ever[CASE, FLOW, -1]
    if not came + went:
        return None
    moves = [case[0] for case in cases(records, FLOW)]
    counts = {"opened": moves.count(1), "solved": moves.count(-1)}
    return Summary(came - went, None, None, len(moves), counts)
