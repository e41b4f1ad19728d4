"""The inputs of compared scores: taken from a partial here, brought together by stage 2."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from streams.core.events.source_label import SourceLabel
from streams.core.scores.base import Accumulator
from streams.core.scores.comparison_groups import COMPARISON_GROUPS
from streams.core.stage1.partials import PaneKey


class ComparisonInput(NamedTuple):
    """What a partial gives to one comparison group: newest event times (ms) and accumulators, by score code."""

    group: str
    last: dict[int, int]
    accumulators: dict[int, Accumulator]


def comparison_inputs(
    cut: str, last: Mapping[int, int], accumulators: Mapping[int, Accumulator]
) -> Iterator[ComparisonInput]:
    """The inputs that a partial of a cell in this cut gives, from its own newest times and accumulators.

    A group whose scores ever counted something in the partial is there, even when nothing of it is left: stage 2
    has to learn that.
    """
    for group, scores in COMPARISON_GROUPS.items():
        newest, own = {}, {}
        for score in scores:
            times = [last[read.code] for read in score.reads if read.code in last] if cut in score.cuts else ()
            if times:
                newest[score.code] = max(times)
                own[score.code] = score.comparison_input(accumulators)
        if newest:
            yield ComparisonInput(group, newest, own)


def comparison_keys(key: PaneKey, cut: str) -> list[PaneKey]:
    """All pane keys under which a partial of a cell in this cut may have given inputs."""
    label, resolution_s, start_ms = key
    own = SourceLabel.parse(label)
    groups = (group for group, scores in COMPARISON_GROUPS.items() if any(cut in score.cuts for score in scores))
    return [(own.for_group(group).text, resolution_s, start_ms) for group in groups]
