"""Every metric the workers export, declared once: name, type, labels and help.

Telemetry and the sink worker make their instruments from these declarations; `docs/metrics.md` is generated from
`families`. A new metric is a declaration here, an entry in `_FAMILIES` and its call site.
"""

from dataclasses import dataclass
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

Kind = Literal["counter", "gauge", "histogram"]
Worker = Literal["streams", "sinks"]

STAGES = ("arrival", "checkpoint", "windows")
"""Values of the label `stage` in the streams worker: from arrival at the broker to applied, from applied to durable,
and from a partial's arrival to the published window."""

STORED_STAGE = "stored"
"""Value of the label `stage` in the sink worker: from arrival at the broker to stored."""

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_BYTES = tuple(4.0**n for n in range(5, 14))

_PLACE = ("topic", "partition")
_PARTITION = ("partition",)
_WINDOW = ("score", "cut", "cell", "window")


@dataclass(frozen=True)
class MetricFamily:
    """One metric, under the name by which it is queried: a counter's ends in `_total`."""

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    workers: tuple[Worker, ...] = ("streams",)
    buckets: tuple[float, ...] = ()

    def gauge(self, registry: CollectorRegistry) -> Gauge:
        """A gauge that is set when its value changes."""
        return Gauge(self.name, self.help, self.labels, registry=registry)

    def counter(self, registry: CollectorRegistry) -> Counter:
        """A counter that is increased when something happens."""
        return Counter(self.name, self.help, self.labels, registry=registry)

    def histogram(self, registry: CollectorRegistry) -> Histogram:
        """A histogram of observations in the unit that the name ends with."""
        return Histogram(self.name, self.help, self.labels, registry=registry, buckets=self.buckets)

    def at_scrape(self) -> CounterMetricFamily | GaugeMetricFamily:
        """An empty set of samples, for a collector that reads the values from the state when Prometheus asks."""
        made = CounterMetricFamily if self.kind == "counter" else GaugeMetricFamily
        return made(self.name, self.help, labels=self.labels)


STAGE_LATENCY = MetricFamily(
    "cxstream_stage_latency_seconds", "histogram", "Time spent in a stage", ("stage",), ("streams", "sinks"), _SECONDS
)
CHECKPOINT_BYTES = MetricFamily("cxstream_checkpoint_bytes", "histogram", "Size of a checkpoint", buckets=_BYTES)
CHECKPOINT_SECONDS = MetricFamily(
    "cxstream_checkpoint_seconds", "histogram", "Time to write a checkpoint", buckets=_SECONDS
)

SCORE_VALUE = MetricFamily("cxstream_score_value", "gauge", "Score of a window", _WINDOW)
SCORE_LOWER = MetricFamily("cxstream_score_lower", "gauge", "Lower end of the score's 95 % interval", _WINDOW)
SCORE_UPPER = MetricFamily("cxstream_score_upper", "gauge", "Upper end of the score's 95 % interval", _WINDOW)
SCORE_N = MetricFamily("cxstream_score_n", "gauge", "Number of answers or customers behind the score", _WINDOW)
SCORE_AGE = MetricFamily("cxstream_score_age_seconds", "gauge", "Age of the newest event in the window", _WINDOW)

RECEIVED = MetricFamily("cxstream_received_total", "counter", "Records received", _PLACE)
OUTCOMES = MetricFamily("cxstream_outcomes_total", "counter", "Records by outcome", (*_PLACE, "outcome"))
REJECTED = MetricFamily("cxstream_rejected_total", "counter", "Records rejected", (*_PLACE, "reason"))
RECONCILIATION_DIFFERENCE = MetricFamily(
    "cxstream_reconciliation_difference",
    "gauge",
    "Records received minus the sum of all outcomes; any value but 0 is a bug",
    _PLACE,
)
LAG_RECORDS = MetricFamily("cxstream_lag_records", "gauge", "Records waiting to be processed", _PLACE)
LAG_SECONDS = MetricFamily(
    "cxstream_lag_seconds", "gauge", "Age of the newest processed record while others wait; 0 when none waits", _PLACE
)
PARTIALS = MetricFamily("cxstream_partials_total", "counter", "Partials whose windows are published", _PLACE)

LAST_EVENT = MetricFamily(
    "cxstream_last_event_timestamp_seconds",
    "gauge",
    "Time of the newest event read that was not rejected, since 1970 UTC",
    ("topic",),
)
CUSTOMERS = MetricFamily("cxstream_customers", "gauge", "Customers in the state", _PARTITION)
LEDGER_OVERFLOW = MetricFamily(
    "cxstream_ledger_overflow_total",
    "counter",
    "Records forgotten before the horizon because their customer had too many",
    _PARTITION,
)
CELLS_OVERFLOW = MetricFamily(
    "cxstream_cells_overflow_total",
    "counter",
    "New combinations of dimensions that were counted as (other) because there were too many cells",
    _PARTITION,
)
RISK_MODEL_INFO = MetricFamily("cxstream_risk_model_info", "gauge", "The churn model in use; always 1", ("model",))
RISK_MODEL_REFUSED = MetricFamily(
    "cxstream_risk_model_refused_total", "counter", "Changes of the churn model's file that could not be used"
)

SINK_UP = MetricFamily("cxstream_sink_up", "gauge", "1 if the last flush was stored, else 0", ("sink",), ("sinks",))
SINK_PENDING = MetricFamily(
    "cxstream_sink_pending_records", "gauge", "Records read and not yet stored", ("sink",), ("sinks",)
)
SINK_INSERTED = MetricFamily("cxstream_sink_inserted_total", "counter", "Records stored", ("sink", "topic"), ("sinks",))
SINK_REJECTED = MetricFamily(
    "cxstream_sink_rejected_total", "counter", "Records that can never be stored", ("topic", "reason"), ("sinks",)
)
SINK_OLDEST_PENDING = MetricFamily(
    "cxstream_sink_oldest_pending_seconds", "gauge", "Age of the oldest record not yet stored", (), ("sinks",)
)
SINK_LAG = MetricFamily(
    "cxstream_sink_lag_records", "gauge", "Records in a topic that are not read yet", ("topic",), ("sinks",)
)

_FAMILIES = (
    STAGE_LATENCY,
    CHECKPOINT_BYTES,
    CHECKPOINT_SECONDS,
    SCORE_VALUE,
    SCORE_LOWER,
    SCORE_UPPER,
    SCORE_N,
    SCORE_AGE,
    RECEIVED,
    OUTCOMES,
    REJECTED,
    RECONCILIATION_DIFFERENCE,
    LAG_RECORDS,
    LAG_SECONDS,
    PARTIALS,
    LAST_EVENT,
    CUSTOMERS,
    LEDGER_OVERFLOW,
    CELLS_OVERFLOW,
    RISK_MODEL_INFO,
    RISK_MODEL_REFUSED,
    SINK_UP,
    SINK_PENDING,
    SINK_INSERTED,
    SINK_REJECTED,
    SINK_OLDEST_PENDING,
    SINK_LAG,
)


def families() -> list[MetricFamily]:
    """All metrics in the order of this file; needs no running worker."""
    return list(_FAMILIES)
