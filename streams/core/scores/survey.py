"""What the survey scores share: which answers count, and the two ways to sum them up."""

from collections.abc import Collection, Mapping

from streams.core.events.record_fields import RecordFields
from streams.core.events.surveys import SURVEY, SURVEY_STATES
from streams.core.scores.base import Result, Score, Slots, clamped, rounded
from streams.core.statistics.intervals import mean_interval, wilson

ANSWERED = SURVEY_STATES.index("answered")


class AnswerScore(Score):
    """A score over the answers to one kind of question, one slot for each possible answer."""

    source = SURVEY

    kind: int

    def slots(self, facts: RecordFields) -> Slots:
        """One in the slot of its answer."""
        if facts[0] != SURVEY or facts[1] != self.kind or facts[2] != ANSWERED:
            return ()
        return ((facts[3], 1),)


def mean_of_answers(acc: Mapping[int, int], lowest: int, highest: int) -> Result | None:
    """Mean answer with Student's interval clamped to the scale, and the count of each answer."""
    n = sum(acc.values())
    if not n:
        return None
    total = sum(answer * count for answer, count in acc.items())
    squares = sum(answer * answer * count for answer, count in acc.items())
    counts = {str(answer): acc.get(answer, 0) for answer in range(lowest, highest + 1)}
    return rounded(total / n, clamped(mean_interval(total, squares, n), lowest, highest), n, counts)


def share_of(acc: Mapping[int, int], wanted: Collection[int], label: str) -> Result | None:
    """Share of the `wanted` slots, one for each record, with Wilson's interval; their count is called `label`."""
    n = sum(acc.values())
    if not n:
        return None
    hits = sum(acc.get(slot, 0) for slot in wanted)
    return rounded(hits / n, wilson(hits, n), n, {label: hits})
