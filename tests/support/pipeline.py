"""The whole stream in one partition beside the oracle: named tests say what goes in and read what comes out."""

import json
from collections import Counter
from typing import Any

from schemas.pane import Pane
from streams.core.stage2.windows import Windows
from streams.runtime.checkpoint import Output
from tests.reference import Arrival, Oracle, differences
from tests.reference.contracts import SURVEYS
from tests.reference.risk import shipped_risk
from tests.reference.windows import moment_of
from tests.support.arrivals import NOON
from tests.support.stream import (
    Stage1,
    config_of,
    everything,
    new_windows,
    panes_of,
    record_of,
    settings_with,
)

Sections = dict[str, Any]


class Pipeline:
    """Takes events one by one, each a chunk with a checkpoint of its own; `results` compares with the oracle.

    Times are milliseconds; an event arrives at its own time, or at `arrival`.
    """

    def __init__(self, **sections: Sections) -> None:
        self.settings = settings_with(**{"kafka": {"partitions": 1}, **sections})
        self.stage = Stage1(0, self.settings)
        self.windows: Windows = new_windows(self.settings)
        self.panes: list[Pane] = []
        self.oracle = Oracle(config_of(self.settings), shipped_risk if self.settings.risk.enabled else None)
        self.now = NOON
        self._offsets: Counter[str] = Counter()

    def send(self, topic: str, time: int, *, arrival: int | None = None, **fields: Any) -> str:
        """One event; returns what became of it."""
        number = self._offsets[topic]
        event = {"event_id": f"{topic}-{number}", "time": moment_of(time)} | fields
        event.setdefault("record_id", event["event_id"])
        return self.deliver(topic, json.dumps(event).encode(), time if arrival is None else arrival)

    def answer(self, time: int, score: Any, *, arrival: int | None = None, **fields: Any) -> str:
        """One answer to an NPS question, unless the fields say otherwise; returns what became of it."""
        survey = {"survey": "s", "kind": "nps", "score": score}
        return self.send(SURVEYS, time, arrival=arrival, **(survey | fields))

    def deliver(self, topic: str, payload: bytes | None, arrival: int) -> str:
        """One record as it is; returns its outcome, or the reason of its reject."""
        self.now = max(self.now, arrival)
        record = Arrival(topic, 0, self._offsets[topic], arrival, payload)
        self._offsets[topic] += 1
        place, intake = (topic, 0), self.stage.state
        before = Counter(intake.progress[topic].outcomes) if topic in intake.progress else Counter[str]()
        self.stage.take(topic, [record_of(record)], self.now)
        progress = self.stage.state.progress[topic]
        [outcome] = Counter(progress.outcomes) - before
        self.oracle.feed([record], self.now)
        assert Counter(progress.outcomes) == self.oracle.outcomes[place] | Counter(dict.fromkeys(progress.outcomes, 0))
        assert Counter(progress.reasons) == self.oracle.reasons[place]
        rejects = [rejected.invalid.reason for rejected in self.stage.state.rejected]
        self.checkpoint()
        return rejects[-1] if rejects else outcome

    def checkpoint(self) -> None:
        """Make all durable and hand the panes to stage 2."""
        self._show(self.stage.checkpoint())

    def _show(self, outputs: list[Output]) -> None:
        panes = panes_of(outputs, self.settings)
        self.panes += panes
        for pane in panes:
            self.windows.apply(pane)

    def renew(self) -> None:
        """Assess everybody as of now."""
        self._show(self.stage.renew(self.now))

    def restart(self) -> None:
        """Stage 1 comes back from its changelog."""
        self.stage.restart()

    def results(self, now: int | None = None) -> list[dict[str, Any]]:
        """Every live window at `now` (at the last arrival by default); they are the oracle's."""
        self.now = max(self.now, self.now if now is None else now)
        self.renew()
        found = self.shown_by(self.windows)
        assert differences(self.oracle.live(self.now), found) == []
        return found

    def shown_by(self, windows: Windows) -> list[dict[str, Any]]:
        """Every window that is not empty, and every level that is not zero, as these windows have it."""
        windows.advance(self.now)
        return [row for row in everything(windows) if row["n"] or row["value"]]

    def result(self, score: str, window: str, cell: str = "all", now: int | None = None) -> dict[str, Any] | None:
        """One window of one cell, or None when it is empty."""
        keys = (score, window, cell)
        found = [row for row in self.results(now) if (row["score"], row["window"], row["cell"]) == keys]
        return found[0] if found else None
