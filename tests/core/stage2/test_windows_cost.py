"""A change and a slide cost the same, however long the window is."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from streams.core.stage2.windows import Windows
from tests.core.stage2.given import pane, windows
from tests.support.arrivals import NOON


def lines(work: Callable[[], object]) -> int:
    """The number of lines of the core that are run: a measure of work that does not depend on the machine."""
    run = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal run
        run += event == "line"
        return trace if "/streams/core/" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return run


@pytest.mark.parametrize(("short", "long", "resolution"), [("26h", "365d", 3600), ("5m", "1h", 10)])
def test_a_change_and_a_slide_cost_the_same_however_long_the_window(short: str, long: str, resolution: int) -> None:
    work = {}
    for length in (short, long):
        stage, width = windows(length), resolution * 1000
        panes = 2 * 365 * 24 if resolution == 3600 else 800
        for number in range(panes):
            stage.advance(NOON + number * width)
            stage.apply(pane(NOON + number * width, {number % 11: 1}, resolution=resolution))
            stage.changed_results()

        def on(stage: Windows = stage, first: int = panes, width: int = width) -> None:
            for number in range(first, first + 20):
                stage.advance(NOON + number * width)
                stage.apply(pane(NOON + number * width, {number % 11: 1}, resolution=resolution))
                stage.changed_results()

        work[length] = lines(on)
    assert work[short] == work[long] > 0
