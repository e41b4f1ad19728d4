"""Shared by the survey scores: the answers that count, and their mean or share."""

from collections.abc import Collection, Mapping

from streams.core.events.record_fields import RecordFields
from streams.core.events.surveys import KIND, SCORE, STATE, SURVEY, SURVEY_STATES
from streams.core.scores.base import Result, Score, Slots, clamped, rounded
from streams.core.statistics.intervals import mean_interval, wilson

ANSWERED = SURVEY_STATES.index("answered")


class AnswerScore(Score):
    """A score over the answers to one kind of question, with one slot for each possible answer."""

    source = SURVEY

    kind: int

    def slots(self, fields: RecordFields) -> Slots:
        """One in the slot of the answer."""
        if fields[0] != SURVEY or fields[KIND] != self.kind or fields[STATE] != ANSWERED:
            return ()
        return ((fields[SCORE], 1),)


def mean_of_answers(acc: Mapping[int, int], lowest: int, highest: int) -> Result | None:
    """Mean answer with Student's interval clamped to the scale, and the count of each answer."""
    n = sum(acc.values())
    if not n:
        return None
    total = sum(answer * count for answer, count in acc.items())
    squares = sum(answer * answer * count for answer, count in acc.items())
    counts = {str(answer): acc.get(answer, 0) for answer in range(lowest, highest + 1)}
    return rounded(total / n, clamped(mean_interval(total, squares, n), lowest, highest), n, counts)


def share_of_slots(acc: Mapping[int, int], slots: Collection[int], label: str) -> Result | None:
    """Share of the records counted in `slots`, with Wilson's interval; their number is the count `label`."""
    n = sum(acc.values())
    if not n:
        return None
    hits = sum(acc.get(slot, 0) for slot in slots)
    return rounded(hits / n, wilson(hits, n), n, {label: hits})
