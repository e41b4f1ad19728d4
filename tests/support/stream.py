"""Both stages without a broker: outputs as bytes, and a changelog that is compacted and read back."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

from schemas.catalogue import PANES, REKEYED
from schemas.pane import Pane, PaneRecord, Watermark
from schemas.score import Score
from streams.app import definition
from streams.core.stage1.definition import Definition
from streams.core.stage1.partition_state import PartitionState
from streams.core.stage2.windows import Windows
from streams.runtime import changelog
from streams.runtime.checkpoint import Output
from streams.runtime.publishing import ORIGIN, Publisher
from streams.settings import Settings
from tests.reference import Arrival, Config

DEFAULTS: dict[str, dict[str, Any]] = {
    "kafka": {"partitions": 2},
    "windows": {"lengths": ["60s", "5m", "1h", "24h", "7d"], "cuts": ["total", "touchpoint", "touchpoint+channel"]},
    "lateness": {"allowance": "2d"},
    "ledger": {"horizon": "3d"},
}

_partial = msgspec.json.Decoder(PaneRecord).decode


class Record(NamedTuple):
    """A record as the transport hands it over."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


def settings_with(**sections: dict[str, Any]) -> Settings:
    """Settings with small windows; each section is given as a dict and overrides the default."""
    raw = {name: DEFAULTS.get(name, {}) | sections.get(name, {}) for name in DEFAULTS.keys() | sections.keys()}
    return msgspec.convert(raw, Settings)


def config_of(settings: Settings) -> Config:
    """The same settings for the oracle; business hours have an oracle of their own."""
    hours = settings.business_hours()
    return Config(
        windows=tuple(settings.windows.lengths),
        cuts=tuple(settings.windows.cuts),
        allowance=settings.lateness.allowance,
        future=settings.lateness.future,
        horizon=settings.ledger.horizon,
        hours=None if hours is None else hours.between,
    )


def record_of(arrival: Arrival) -> Record:
    """The oracle's arrival as stage 1 sees it."""
    return Record(arrival.offset, arrival.arrival_ms, arrival.key, arrival.payload)


class Stage1:
    """One partition number of all sources: its state, and the changelog it comes back from."""

    def __init__(self, partition: int, settings: Settings) -> None:
        self.definition: Definition = definition(settings)
        self.partition = partition
        self.changelog: dict[bytes, bytes | None] = {}
        self.publisher = Publisher(settings)
        self.state = PartitionState(partition, self.definition)

    def take(self, topic: str, records: Sequence[Record], now: int, budget: int = 2**60) -> int:
        """Apply one chunk, as far as the budget goes; returns how many records were taken."""
        origin = None
        if topic == REKEYED.name:
            origin = dict(records[0].headers)[ORIGIN].decode().partition("|")[0]
        return self.state.apply(topic, records, now, origin, budget)

    def renew(self, now: int) -> list[Output]:
        """Assess all customers as of `now`; returns what goes out with it."""
        self.state.renew_assessments(now, 1, 2**60, 2**60)
        return self.checkpoint()

    def settle(self, at: int) -> list[Output]:
        """End of a replay: assess all customers as of `at`; returns what goes out with it."""
        while self.state.settle_assessments(at):
            pass
        return self.checkpoint()

    def checkpoint(self) -> list[Output]:
        """Make everything applied durable, in a compacted changelog; returns what goes out with it."""
        changes = self.state.drain(2**60)
        before, after = self.publisher.checkpoint(changes, self.state)
        for key, change in changelog.changelog_records(self.state, changes):
            self._write(key, change)
        return before + after

    def restart(self) -> list[Output]:
        """Lose what is in memory and come back; returns what is published again of the last checkpoint."""
        self.state, last = PartitionState(self.partition, self.definition), changelog.LastCheckpoint()
        for key, value in self.changelog.items():
            changelog.load(self.state, key, value)
            last.add(key, value)
        known = self.state.assessments.last_assessed(last.assessed(), self.state.ledger)
        return self.publisher.of_state(known, last.panes(), last.closed(), self.state)

    def _write(self, key: bytes, value: bytes | None) -> None:
        self.changelog.pop(key, None)  # the newest of a key lies where it was written
        self.changelog[key] = value


def partials_of(outputs: Iterable[Output], settings: Settings) -> list[Pane | Watermark]:
    """What stage 2 gets of these outputs, decoded from bytes, without tombstones."""
    topic = settings.topic(PANES.name)
    return [_partial(output.value) for output in outputs if output.topic == topic and output.value is not None]


def panes_of(outputs: Iterable[Output], settings: Settings) -> list[Pane]:
    """The panes among these outputs."""
    return [partial for partial in partials_of(outputs, settings) if isinstance(partial, Pane)]


def new_windows(settings: Settings) -> Windows:
    """Stage 2 under these settings, empty."""
    return Windows(settings.spans(), definition(settings).lateness, settings.owners)


def rows(results: Iterable[Score]) -> list[dict[str, Any]]:
    """Results as read from the JSON of `cx.scores.v1`."""
    return [msgspec.json.decode(msgspec.json.encode(result)) for result in results]


def everything(windows: Windows) -> list[dict[str, Any]]:
    """All windows of all resolutions as they stand, as rows."""
    return rows(result for width in (10, 300, 3600) for result in windows.final_results(width))


def key_of(row: Any) -> tuple[str, str, str, str]:
    """What a compacted `cx.scores.v1` keeps one record of."""
    return row["score"], row["cut"], row["cell"], row["window"]
