"""Facts of every kind that stage 1 can hand to the scores."""

from hypothesis import strategies as st

from streams.core.facts import ACCOUNT, BAND, CALL, KINDS, RISK, STATES, SURVEY, TICKET, TICKET_CHANGES
from tests.reference.contracts import KINDS as SCALES

_ANSWERED = STATES.index("answered")

ANSWERS = st.sampled_from(range(len(KINDS))).flatmap(
    lambda kind: st.tuples(
        st.just(SURVEY), st.just(kind), st.just(_ANSWERED), st.integers(*SCALES[KINDS[kind]]), st.integers(0, 1)
    )
)
UNANSWERED = st.tuples(st.just(SURVEY), st.integers(0, 3), st.integers(0, 1), st.just(-1), st.integers(0, 1))
TICKETS = st.tuples(st.just(TICKET), st.integers(0, len(TICKET_CHANGES) - 1), *[st.just(-1)] * 5, st.integers(0, 9))
CALLS = st.tuples(
    st.just(CALL), st.integers(0, 2), st.integers(0, 1), *[st.integers(-1, 90_000)] * 4, st.integers(0, 3)
)
ACCOUNTS = st.tuples(st.just(ACCOUNT), st.integers(0, 3), st.just(-1))
RISKS = st.tuples(st.just(RISK), st.integers(0, 1_000_000), st.integers(0, 1), st.integers(-1, 10**9))
BANDS = st.tuples(st.just(BAND), st.integers(0, 1))

EVIDENCE: st.SearchStrategy[tuple[int, ...]] = st.one_of(ANSWERS, UNANSWERED, TICKETS, CALLS, ACCOUNTS)
FACTS: st.SearchStrategy[tuple[int, ...]] = st.one_of(EVIDENCE, RISKS, BANDS)
