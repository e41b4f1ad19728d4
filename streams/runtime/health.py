"""The answers of a streams worker to /healthz and /readyz, and the ends of its logs that they depend on."""

from collections.abc import Mapping
from typing import Any, cast

from faust.types import TP

from streams.runtime.faust_app import BatchApp
from streams.runtime.partitions import Partitions
from streams.runtime.telemetry import Telemetry
from streams.runtime.transport import BatchConsumer


class StreamsHealth:
    """Whether a streams worker works: it may stand still for at most `limit_s` seconds while input waits."""

    def __init__(self, telemetry: Telemetry, stage1: Partitions[Any], stage2: Partitions[Any], limit_s: float) -> None:
        self._telemetry = telemetry
        self._stage1 = stage1
        self._stage2 = stage2
        self._limit_s = limit_s

    def unhealthy(self) -> str | None:
        """Why this worker should be restarted; None if it should not."""
        stalled = self._telemetry.stalled(self._limit_s)
        where = ", ".join(f"stage {stage} of partition {partition}" for stage, partition in stalled)
        return f"{where}: input waits and nothing has moved for {self._limit_s:g} s" if stalled else None

    def unready(self) -> str | None:
        """Why this worker does not yet work on its partitions; None if it does."""
        loading = sorted({*self._stage1.loading, *self._stage2.loading})
        if loading:
            return f"reading the state of partitions {loading}"
        return None if self._stage1.running else "no partitions assigned"


def high_watermarks(app: BatchApp, topics: Mapping[str, str]) -> dict[TP, int]:
    """Where the logs of the assigned partitions end, as the last fetch saw it.

    `topics` maps names on the broker to names in the catalogue, which the answer uses.
    """
    ends = cast(BatchConsumer, app.consumer).ends() if app.started else {}
    return {TP(topics[tp.topic], tp.partition): end for tp, end in ends.items() if tp.topic in topics}
