"""Partials and windows as the tests of stage 2 make them."""

from typing import Any

from schemas.pane import Pane
from schemas.score import Score
from streams.core.stage2.windows import Windows
from streams.core.time.instants import to_datetime
from tests.reference.contracts import SURVEYS
from tests.support.stream import new_windows, settings_with


def windows(*lengths: str, **owners: str) -> Windows:
    return new_windows(settings_with(windows={"lengths": list(lengths)}, owners=owners))


def pane(start: int, answers: dict[int, int], *, version: int = 1, resolution: int = 10, **fields: Any) -> Pane:
    values = {
        "cut": "total",
        "cell": "all",
        "resolution": resolution,
        "start": to_datetime(start),
        "topic": SURVEYS,
        "partition": 0,
        "version": version,
        "last": {"nps": to_datetime(start + 1)} if answers else {},
        "counts": {"nps": answers} if answers else {},
    }
    return Pane(**{**values, **fields})


def one(results: list[Score]) -> Score:
    [result] = results
    return result


def at(now: int, stage: Windows) -> list[Score]:
    stage.advance(now)
    return stage.changed_results()
