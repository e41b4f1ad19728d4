"""Writes docs/metrics.md from the declarations of the metrics: `python -m tests.docs.metrics_page`."""

from collections.abc import Iterable, Iterator
from typing import get_args

from schemas.reject import Reason
from streams.core.stage1.outcomes import RECORD_OUTCOMES
from streams.runtime.metric_catalogue import STAGES, STORED_STAGE, MetricFamily, Worker, families
from tests.docs.commands import ROOT

OUTPUT = ROOT / "docs" / "metrics.md"

_WORKERS: dict[Worker, str] = {
    "streams": "Stream worker, at `http://host:9464/metrics` (`metrics.streams_port`)",
    "sinks": "Sink worker, at `http://host:9465/metrics` (`metrics.sinks_port`; each further sink has the next port)",
}
_LABELS = {
    "topic": "name of a topic in the catalogue, without `kafka.prefix`",
    "partition": "number of a partition",
    "score": "name of a score, see [semantics](semantics.md#scores)",
    "cut": "one of `windows.cuts`",
    "cell": "a value of the cut; `all` of the cut `total`",
    "window": "one of `windows.lengths`",
    "outcome": ", ".join(f"`{outcome}`" for outcome in RECORD_OUTCOMES),
    "reason": ", ".join(f"`{reason}`" for reason in get_args(Reason)),
    "stage": ", ".join(f"`{stage}`" for stage in STAGES)
    + " in the stream worker: from arrival to applied, from applied to durable, from partial to published window; "
    + f"`{STORED_STAGE}` in a sink worker: from arrival to stored",
    "model": "version and digest of the churn model",
    "sink": "name of the sink",
}
_HEAD = """\
# Metrics

<!-- Written by `make metrics-doc` from streams/runtime/metric_catalogue.py; a test compares it. Do not edit. -->

Every metric that the workers export for Prometheus. A histogram `x` is queried as `x_bucket`, `x_sum` and `x_count`.
A worker exports the partitions it owns, so sum over workers.
Records received, outcomes, rejects and the ledger's overflow are counted in the state:
they continue after a restart and move to another worker with their partition.
All other counters and histograms begin at 0 with the process.
A window without a value has no sample of value and interval.

`/healthz` fails while a worker should be restarted, and `/readyz` until it has read its state.
Alerts on these metrics are in `deploy/prometheus/rules`, what to do in the [runbook](runbook.md).
"""


def build() -> str:
    """The text of the page."""
    return "\n".join([_HEAD, *_tables(), *_label_table()]) + "\n"


def _tables() -> Iterator[str]:
    for worker, title in _WORKERS.items():
        yield from (f"## {title}", "", "| metric | type | labels | meaning |", "|---|---|---|---|")
        yield from (_row(family) for family in families() if worker in family.workers)
        yield ""


def _row(family: MetricFamily) -> str:
    labels = ", ".join(f"`{label}`" for label in family.labels) or "none"
    return f"| `{family.name}` | {family.kind} | {labels} | {family.help} |"


def _label_table() -> Iterator[str]:
    yield from ("## Labels", "", "| label | values |", "|---|---|")
    yield from (f"| `{label}` | {_LABELS[label]} |" for label in _used(families()))


def _used(declared: Iterable[MetricFamily]) -> list[str]:
    return list(dict.fromkeys(label for family in declared for label in family.labels))


if __name__ == "__main__":
    OUTPUT.write_text(build())
