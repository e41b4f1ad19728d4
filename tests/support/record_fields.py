"""Fields of every kind of record that stage 1 can pass to the scores."""

from itertools import product

from hypothesis import strategies as st

from streams.core.events.accounts import ACCOUNT
from streams.core.events.calls import CALL
from streams.core.events.derived_kinds import (
    ASSESSMENT,
    BACKLOG_FLOW,
    BAND_CHANGE,
    CONTACT,
    FIRST_SOLVED,
    GRANTED,
    OPENED,
    REASSIGNED,
    REPLIED,
    RESOLVED,
    SOLVED,
    TICKET_MILESTONE,
    contact_fields,
)
from streams.core.events.surveys import SURVEY, SURVEY_KINDS, SURVEY_STATES
from streams.core.events.tickets import TICKET, TICKET_CHANGES
from tests.reference.contracts import KINDS as SCALES

_ANSWERED = SURVEY_STATES.index("answered")

ANSWERS = st.sampled_from(range(len(SURVEY_KINDS))).flatmap(
    lambda kind: st.tuples(
        st.just(SURVEY), st.just(kind), st.just(_ANSWERED), st.integers(*SCALES[SURVEY_KINDS[kind]]), st.integers(0, 1)
    )
)
UNANSWERED = st.tuples(st.just(SURVEY), st.integers(0, 3), st.integers(0, 1), st.just(-1), st.integers(0, 1))
TICKETS = st.tuples(
    st.just(TICKET), st.integers(0, len(TICKET_CHANGES) - 1), *[st.just(-1)] * 3, st.integers(-1, 3), st.just(-1),
    st.integers(0, 9),
)  # fmt: skip
CALLS = st.tuples(
    st.just(CALL), st.integers(0, 2), st.integers(0, 1), *[st.integers(-1, 90_000)] * 4, st.integers(-1, 3)
)
ACCOUNTS = st.tuples(st.just(ACCOUNT), st.integers(0, 3), st.just(-1))
RISKS = st.tuples(st.just(ASSESSMENT), st.integers(0, 1_000_000), st.integers(0, 1), st.integers(-1, 10**9))
BANDS = st.tuples(st.just(BAND_CHANGE), st.integers(0, 1))

MILESTONE_TIMES = st.tuples(
    st.just(TICKET_MILESTONE),
    st.sampled_from((REPLIED, FIRST_SOLVED, SOLVED)),
    st.integers(-1, 10**10),
    st.integers(-1, 10**9),
)
SOLUTIONS = st.tuples(st.just(TICKET_MILESTONE), st.just(RESOLVED), *[st.integers(0, 1)] * 4)
STEPS = st.one_of(
    st.tuples(st.just(TICKET_MILESTONE), st.just(OPENED), st.integers(0, 1)),
    st.tuples(st.just(TICKET_MILESTONE), st.just(BACKLOG_FLOW), st.sampled_from((1, -1))),
    st.tuples(st.just(TICKET_MILESTONE), st.just(REASSIGNED), st.integers(1, 1_000)),
    st.tuples(st.just(TICKET_MILESTONE), st.just(GRANTED), st.sampled_from((9, 10)), st.integers(-1, 10_000)),
)
CONTACTS = st.tuples(st.just(CONTACT), st.integers(0, 1))

EVIDENCE: st.SearchStrategy[tuple[int, ...]] = st.one_of(ANSWERS, UNANSWERED, TICKETS, CALLS, ACCOUNTS)
RECORD_FIELDS: st.SearchStrategy[tuple[int, ...]] = st.one_of(
    EVIDENCE, RISKS, BANDS, MILESTONE_TIMES, SOLUTIONS, STEPS, CONTACTS
)

DERIVED_SAMPLES: list[tuple[int, ...]] = [
    *((TICKET_MILESTONE, *taken) for taken in product((REPLIED, FIRST_SOLVED, SOLVED), (0, 10**11), (-1, 7))),
    *((TICKET_MILESTONE, RESOLVED, *flags) for flags in product((0, 1), repeat=4)),
    *(
        (TICKET_MILESTONE, *step)
        for step in (
            (OPENED, 0),
            (OPENED, 1),
            (BACKLOG_FLOW, 1),
            (BACKLOG_FLOW, -1),
            (REASSIGNED, 1),
            (REASSIGNED, 1_000),
        )
    ),
    *(
        (TICKET_MILESTONE, GRANTED, TICKET_CHANGES.index(what), cents)
        for what in ("refunded", "replaced")
        for cents in (-1, 0, 9)
    ),
    contact_fields(False),
    contact_fields(True),
]
"""Every kind of derived record."""
