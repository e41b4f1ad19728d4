"""The compared scores by the inputs they share."""

from streams.core.scores import SCORES, ComparedScore

COMPARED_SCORES = {score.name: score for score in SCORES if isinstance(score, ComparedScore)}
"""By name."""

COMPARISON_GROUPS = {
    group: tuple(score for score in COMPARED_SCORES.values() if score.comparison_group == group)
    for group in sorted({score.comparison_group for score in COMPARED_SCORES.values()})
}
"""The compared scores that read the same inputs, by the name of their group."""

PREVIOUS_WINDOW_CODES = frozenset(score.code for score in COMPARED_SCORES.values() if score.needs_previous_window)
"""Codes of the scores that compare a window with the time before it."""
