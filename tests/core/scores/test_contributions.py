"""The contribution of a record to all scores, in flat slots."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.scores import SCORES
from streams.core.scores.base import SLOT_LIMIT
from streams.core.scores.contributions import COUNTED_SCORES, STOCK_CODES, by_score, contribution, to_flat_slots
from tests.support.record_fields import RECORD_FIELDS

patient = settings(deadline=None)


@patient
@given(RECORD_FIELDS)
def test_a_contribution_holds_the_slots_of_every_score_under_its_code(fields: tuple[int, ...]) -> None:
    adds = contribution(fields)
    own = {score.code: dict(score.slots(fields)) for score in COUNTED_SCORES if score.slots(fields)}
    assert by_score(dict(adds.slots)) == own
    assert adds.codes == tuple(own)
    assert by_score(dict(adds.stock_slots)) == {code: slots for code, slots in own.items() if code in STOCK_CODES}
    assert adds.stock_codes == tuple(code for code in own if code in STOCK_CODES)


def test_a_record_without_fields_contributes_nothing() -> None:
    assert not any(contribution(()))


@patient
@given(
    st.sampled_from([score.code for score in SCORES]),
    st.dictionaries(st.integers(0, SLOT_LIMIT - 1), st.integers(-9, 9)),
)
def test_flat_counts_convert_back_to_accumulators(code: int, counts: dict[int, int]) -> None:
    assert by_score(to_flat_slots(code, counts)) == ({code: counts} if counts else {})
