"""Compared scores: what is gathered for them, under which label it travels, and which of them look back."""

from collections.abc import Iterator, Mapping

from streams.core.scores import SCORES, ComparedScore
from streams.core.stage1.partials import Counts, PaneKey

COMPARED_SCORES = {score.name: score for score in SCORES if isinstance(score, ComparedScore)}
"""By name."""

COMPARISON_GROUPS = {
    meeting: tuple(score for score in COMPARED_SCORES.values() if score.comparison_group == meeting)
    for meeting in sorted({score.comparison_group for score in COMPARED_SCORES.values()})
}
"""The compared scores that are gathered for together."""

PREVIOUS_WINDOW_CODES = frozenset(score.code for score in COMPARED_SCORES.values() if score.needs_previous_window)


def comparison_inputs(
    cut: str, last: Mapping[int, int], accs: Mapping[int, Counts]
) -> Iterator[tuple[str, dict[int, int], dict[int, Counts]]]:
    """What compared scores need of a partial of a cell in this cut: their meeting, and newest times and accumulators.

    Given and returned are those by score code. A meeting whose scores ever counted something in the partial
    is there, be it with nothing left.
    """
    for meeting, scores in COMPARISON_GROUPS.items():
        newest, own = {}, {}
        for score in scores:
            times = [last[one.code] for one in score.reads if one.code in last] if cut in score.cuts else ()
            if times:
                newest[score.code] = max(times)
                own[score.code] = score.comparison_input(accs)
        if newest:
            yield meeting, newest, own


def comparison_keys(key: PaneKey, cut: str) -> list[PaneKey]:
    """All keys under which something may have been gathered of a partial of a cell in this cut."""
    label, resolution, start = key
    met = (meeting for meeting, scores in COMPARISON_GROUPS.items() if any(cut in score.cuts for score in scores))
    return [(label_of(meeting, label), resolution, start) for meeting in met]


def label_of(meeting: str, label: str) -> str:
    """The label of what was gathered for a meeting under a source label."""
    return f"{meeting}/{label}"


def meeting_of(label: str) -> str | None:
    """The meeting that something was gathered for under this label; None where it was for none."""
    meeting = label.partition("/")[0]
    return meeting if meeting in COMPARISON_GROUPS else None
