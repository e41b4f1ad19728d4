"""What a record adds to, over all scores, in one flat key."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.scores import SCORES
from streams.core.scores.base import SLOT_LIMIT
from streams.core.scores.contributions import COUNTED_SCORES, STOCK_CODES, by_score, contribution, to_flat_slots
from tests.support.facts import FACTS

patient = settings(deadline=None)


@patient
@given(FACTS)
def test_a_contribution_is_that_of_each_score_told_apart_by_its_code(facts: tuple[int, ...]) -> None:
    adds = contribution(facts)
    own = {score.code: dict(score.slots(facts)) for score in COUNTED_SCORES if score.slots(facts)}
    assert by_score(dict(adds.slots)) == own
    assert adds.codes == tuple(own)
    assert by_score(dict(adds.stock_slots)) == {code: slots for code, slots in own.items() if code in STOCK_CODES}
    assert adds.stock_codes == tuple(code for code in own if code in STOCK_CODES)


def test_what_says_nothing_adds_nothing() -> None:
    assert not any(contribution(()))


@patient
@given(
    st.sampled_from([score.code for score in SCORES]),
    st.dictionaries(st.integers(0, SLOT_LIMIT - 1), st.integers(-9, 9)),
)
def test_flat_counts_of_one_score_come_apart_again(code: int, counts: dict[int, int]) -> None:
    assert by_score(to_flat_slots(code, counts)) == ({code: counts} if counts else {})
