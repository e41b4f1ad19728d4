"""The metrics of both workers, read from /metrics as Prometheus does."""

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from schemas.catalogue import SOURCE_TOPICS
from streams.runtime.clock import monotonic
from streams.settings import Settings

Totals = Mapping[str, float]
"""Values by topic, outcome, reason or stage, each summed over all other labels."""

_SOURCE_NAMES = frozenset(topic.name for topic in SOURCE_TOPICS)
_RATE_SPAN_S = 10.0
_METRICS = (
    "cxstream_received_total",
    "cxstream_outcomes_total",
    "cxstream_rejected_total",
    "cxstream_lag_records",
    "cxstream_stage_latency_seconds_sum",
    "cxstream_stage_latency_seconds_count",
    "cxstream_sink_inserted_total",
    "cxstream_sink_pending_records",
)
_GROUP_LABELS = ("outcome", "reason", "stage", "topic")
_TIMEOUT = aiohttp.ClientTimeout(total=2)


class _Reading(NamedTuple):
    """The values at one time that rates are computed from; latencies are sums in seconds by stage."""

    at_s: float
    received: float
    latency_sum_s: Totals
    latency_count: Totals


class WorkerMetrics:
    """The latest values of both workers, zeros before the first reading. Counts are of the source topics."""

    def __init__(self, settings: Settings) -> None:
        host, metrics = settings.metrics.host, settings.metrics
        self.addresses = [f"http://{host}:{port}" for port in (metrics.streams_port, metrics.sinks_port)]
        self.received = 0.0
        self.count_by_outcome: Totals = {}
        self.count_by_reason: Totals = {}
        self.lag_records = 0.0
        self.stored_by_topic: Totals = {}
        self.pending_records = 0.0
        self._recent: deque[_Reading] = deque()

    async def read(self) -> None:
        """Read both workers; the values of a worker that does not answer stay as they are."""
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            for address in self.addresses:
                try:
                    async with session.get(f"{address}/metrics") as response:
                        self.update(await response.text(), monotonic())
                except (aiohttp.ClientError, TimeoutError):
                    continue

    def update(self, exposition: str, now_s: float) -> None:
        """Take over the metrics of one worker, read at `now_s` of a monotonic clock."""
        totals = _totals(exposition)
        if "cxstream_received_total" in totals:
            self.received = sum(totals["cxstream_received_total"].values())
            self.count_by_outcome = totals["cxstream_outcomes_total"]
            self.count_by_reason = totals["cxstream_rejected_total"]
            self.lag_records = sum(totals["cxstream_lag_records"].values())
            self._remember(now_s, totals)
        if "cxstream_sink_pending_records" in totals:
            self.stored_by_topic = totals["cxstream_sink_inserted_total"]
            self.pending_records = sum(totals["cxstream_sink_pending_records"].values())

    @property
    def events_per_second(self) -> float:
        """Events received a second, over the last ten seconds."""
        if len(self._recent) < 2:
            return 0.0
        first, last = self._recent[0], self._recent[-1]
        return (last.received - first.received) / (last.at_s - first.at_s)

    @property
    def latency_s(self) -> float | None:
        """Mean seconds from an event's arrival to its published window, over the last ten seconds; None without any."""
        if len(self._recent) < 2:
            return None
        first, last = self._recent[0], self._recent[-1]
        counts = {stage: last.latency_count[stage] - first.latency_count[stage] for stage in last.latency_count}
        if not counts or not all(counts.values()):
            return None
        return sum((last.latency_sum_s[stage] - first.latency_sum_s[stage]) / n for stage, n in counts.items())

    def _remember(self, now_s: float, totals: Mapping[str, Totals]) -> None:
        sums, counts = (totals[f"cxstream_stage_latency_seconds_{part}"] for part in ("sum", "count"))
        self._recent.append(_Reading(now_s, self.received, sums, counts))
        while now_s - self._recent[0].at_s > _RATE_SPAN_S:
            self._recent.popleft()


def _totals(exposition: str) -> defaultdict[str, dict[str, float]]:
    lines = "\n".join(line for line in exposition.splitlines() if line.startswith(_METRICS))
    totals: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for family in text_string_to_metric_families(lines + "\n"):
        for sample in family.samples:
            labels = sample.labels
            if "partition" not in labels or labels["topic"] in _SOURCE_NAMES:
                group = next((labels[name] for name in _GROUP_LABELS if name in labels), "")
                totals[sample.name][group] = totals[sample.name].get(group, 0.0) + sample.value
    return totals
