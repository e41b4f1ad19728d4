"""Compared scores: what is gathered for them, under which label it travels, and which of them look back."""

from collections.abc import Iterator

from streams.core.contributions import by_score
from streams.core.partials import Counts, PaneKey, Partial
from streams.core.scores import SCORES, ComparedScore

COMPARED = {score.name: score for score in SCORES if isinstance(score, ComparedScore)}
"""By name."""

LOOKING_BACK = frozenset(score.code for score in COMPARED.values() if score.looks_back)


def gathered(cut: str, partial: Partial) -> Iterator[tuple[ComparedScore, int, Counts]]:
    """What the compared scores need of a partial of a cell in this cut, with the newest time counted (ms).

    A score that ever counted something in it is there, be it with nothing left.
    """
    for score in COMPARED.values():
        times = [partial.last[own.code] for own in score.reads if own.code in partial.last] if cut in score.cuts else ()
        if times:
            yield score, max(times), score.gather(by_score(partial.counts))


def gathered_keys(key: PaneKey, cut: str) -> list[PaneKey]:
    """All keys under which something may have been gathered of a partial of a cell in this cut."""
    label, resolution, start = key
    return [(label_of(score, label), resolution, start) for score in COMPARED.values() if cut in score.cuts]


def label_of(score: ComparedScore, label: str) -> str:
    """The label of what was gathered for this score under a source label."""
    return f"{score.name}/{label}"


def score_of(label: str) -> ComparedScore | None:
    """The compared score that something was gathered for under this label; None where for none."""
    return COMPARED.get(label.partition("/")[0])
