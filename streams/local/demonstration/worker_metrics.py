"""What the workers say of themselves on /metrics, as Prometheus would read it."""

from collections import defaultdict, deque
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from schemas.catalogue import EVENTS
from streams.runtime.clock import monotonic
from streams.settings import Settings

Sums = Mapping[str, float]
"""By topic, outcome, reason or stage, summed over the rest."""

_SOURCES = frozenset(topic.name for topic in EVENTS)
_RECENT_SECONDS = 10.0
_WANTED = (
    "cxstream_received_total",
    "cxstream_outcomes_total",
    "cxstream_rejected_total",
    "cxstream_lag_records",
    "cxstream_stage_latency_seconds_sum",
    "cxstream_stage_latency_seconds_count",
    "cxstream_sink_inserted_total",
    "cxstream_sink_pending_records",
)
_KINDS = ("outcome", "reason", "stage", "topic")
_PATIENCE = aiohttp.ClientTimeout(total=2)


class _Moment(NamedTuple):
    """What the rates are computed from."""

    at: float
    received: float
    spent: Sums
    passed: Sums


class WorkerMetrics:
    """The latest reading of both workers; zeros before the first one. Counts are of the source topics."""

    def __init__(self, settings: Settings) -> None:
        host, metrics = settings.metrics.host, settings.metrics
        self.addresses = [f"http://{host}:{port}" for port in (metrics.streams_port, metrics.sinks_port)]
        self.received = 0.0
        self.outcomes: Sums = {}
        self.reasons: Sums = {}
        self.waiting = 0.0
        self.stored: Sums = {}
        self.to_store = 0.0
        self._recent: deque[_Moment] = deque()

    async def read(self) -> None:
        """Ask both; who does not answer yet, or not now, is left as it was."""
        async with aiohttp.ClientSession(timeout=_PATIENCE) as session:
            for address in self.addresses:
                try:
                    async with session.get(f"{address}/metrics") as response:
                        self.take(await response.text(), monotonic())
                except (aiohttp.ClientError, TimeoutError):
                    continue

    def take(self, exposition: str, now: float) -> None:
        """One worker's metrics, read at `now` (s)."""
        totals = _totals(exposition)
        if "cxstream_received_total" in totals:
            self.received = sum(totals["cxstream_received_total"].values())
            self.outcomes = totals["cxstream_outcomes_total"]
            self.reasons = totals["cxstream_rejected_total"]
            self.waiting = sum(totals["cxstream_lag_records"].values())
            self._remember(now, totals)
        if "cxstream_sink_pending_records" in totals:
            self.stored = totals["cxstream_sink_inserted_total"]
            self.to_store = sum(totals["cxstream_sink_pending_records"].values())

    @property
    def per_second(self) -> float:
        """Events received a second, over the last ten."""
        if len(self._recent) < 2:
            return 0.0
        first, last = self._recent[0], self._recent[-1]
        return (last.received - first.received) / (last.at - first.at)

    @property
    def latency(self) -> float | None:
        """Mean seconds from an event's arrival to its published window, over the last ten; None without any."""
        if len(self._recent) < 2:
            return None
        first, last = self._recent[0], self._recent[-1]
        passed = {stage: last.passed[stage] - first.passed[stage] for stage in last.passed}
        if not passed or not all(passed.values()):
            return None
        return sum((last.spent[stage] - first.spent[stage]) / number for stage, number in passed.items())

    def _remember(self, now: float, totals: Mapping[str, Sums]) -> None:
        spent, passed = (totals[f"cxstream_stage_latency_seconds_{part}"] for part in ("sum", "count"))
        self._recent.append(_Moment(now, self.received, spent, passed))
        while now - self._recent[0].at > _RECENT_SECONDS:
            self._recent.popleft()


def _totals(exposition: str) -> defaultdict[str, dict[str, float]]:
    wanted = "\n".join(line for line in exposition.splitlines() if line.startswith(_WANTED))
    totals: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for family in text_string_to_metric_families(wanted + "\n"):
        for sample in family.samples:
            labels = sample.labels
            if "partition" not in labels or labels["topic"] in _SOURCES:
                of = next((labels[name] for name in _KINDS if name in labels), "")
                totals[sample.name][of] = totals[sample.name].get(of, 0.0) + sample.value
    return totals
