"""Writes the Grafana dashboard; `make dashboard` runs it and a test fails when the file is not its output."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

from grafana_foundation_sdk.builders.dashboard import Dashboard, QueryVariable, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.timeseries import Panel
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataSourceRef,
    DynamicConfigValue,
    VariableOption,
    VariableRefresh,
)

from deploy.grafana import clickhouse

OUTPUT = Path(__file__).parent / "dashboards" / "cxstream.json"
PROMETHEUS = DataSourceRef(type_val="prometheus", uid="prometheus")
CUT = 'cut="$cut",cell=~"$cell",window="$window"'


class Query(NamedTuple):
    """A PromQL expression and the legend of its series."""

    expr: str
    legend: str


class Chart(NamedTuple):
    """One panel: title, Grafana's unit, description and queries; the width is in 24ths of the dashboard."""

    title: str
    unit: str
    doc: str
    queries: Sequence[Query]
    width: int = 8


def _score(score: str) -> tuple[Query, ...]:
    selector = f'score="{score}",{CUT}'
    return tuple(
        Query(f"max by (cell) (cxstream_score_{part}{{{selector}}})", "{{cell}}" + suffix)
        for part, suffix in (("value", ""), ("lower", " lower"), ("upper", " upper"))
    )


def _quantile(quantile: float, histogram: str, by: str = "") -> str:
    labels = f"le,{by}" if by else "le"
    return f"histogram_quantile({quantile}, sum by ({labels}) (rate({histogram}_bucket[$__rate_interval])))"


SCORES = (
    Chart("NPS", "none", "Points, with the 95 % interval; a gap means no answers", _score("nps"), 12),
    Chart("Easy (CES 2.0)", "percentunit", "Share of answers 5 to 7, with the 95 % interval", _score("ces2_easy"), 12),
    Chart("Satisfied (CSAT)", "percentunit", "Share of answers 4 and 5, with the 95 % interval", _score("csat"), 12),
    Chart(
        "High churn risk",
        "percentunit",
        "Share of the assessed customers whose risk is high, with the 95 % interval",
        _score("churn_risk_high"),
        12,
    ),
    Chart(
        "Response rate",
        "percentunit",
        "Answered surveys of all invitations",
        _score("response_rate"),
        12,
    ),
    Chart(
        "Answers behind the scores",
        "none",
        "n of each score in the selected cells",
        (Query(f"sum by (score) (max by (score, cell) (cxstream_score_n{{{CUT}}}))", "{{score}}"),),
        12,
    ),
)

FLOW = (
    Chart(
        "Received",
        "cps",
        "Records a second, by source topic",
        (Query("sum by (topic) (rate(cxstream_received_total[$__rate_interval]))", "{{topic}}"),),
    ),
    Chart(
        "Outcomes",
        "cps",
        "Received records a second, by outcome",
        (Query("sum by (outcome) (rate(cxstream_outcomes_total[$__rate_interval]))", "{{outcome}}"),),
    ),
    Chart(
        "Rejected",
        "cps",
        "Refused records a second, by reason; each record is in the topic of dead letters",
        (Query("sum by (topic, reason) (rate(cxstream_rejected_total[$__rate_interval]))", "{{topic}} {{reason}}"),),
    ),
    Chart(
        "Lag",
        "s",
        "Age of the oldest waiting record",
        (Query("max by (topic) (cxstream_lag_seconds)", "{{topic}}"),),
    ),
    Chart(
        "Waiting records",
        "none",
        "Records between the position and the end of each partition",
        (Query("sum by (topic) (max by (topic, partition) (cxstream_lag_records))", "{{topic}}"),),
    ),
    Chart(
        "Age of the newest event",
        "s",
        "A source without events may be quiet or broken: compare with its usual pace",
        (Query("time() - max by (topic) (cxstream_last_event_timestamp_seconds)", "{{topic}}"),),
    ),
    Chart(
        "Latency p99",
        "s",
        "99th percentile of each stage",
        (Query(_quantile(0.99, "cxstream_stage_latency_seconds", "stage"), "{{stage}}"),),
    ),
    Chart(
        "Checkpoint time",
        "s",
        "From the first record sent until the checkpoint is durable",
        (
            Query(_quantile(0.5, "cxstream_checkpoint_seconds"), "p50"),
            Query(_quantile(0.99, "cxstream_checkpoint_seconds"), "p99"),
        ),
    ),
    Chart(
        "Checkpoint size",
        "bytes",
        "Grows with the load: more events share one checkpoint",
        (
            Query(_quantile(0.5, "cxstream_checkpoint_bytes"), "p50"),
            Query(_quantile(0.99, "cxstream_checkpoint_bytes"), "p99"),
        ),
    ),
    Chart(
        "Unaccounted records",
        "none",
        "Received minus the sum of all outcomes; a value other than 0 is a defect",
        (Query("max by (topic, partition) (abs(cxstream_reconciliation_difference))", "{{topic}}/{{partition}}"),),
    ),
    Chart(
        "Stored records",
        "cps",
        "Stored by each sink, by topic",
        (Query("sum by (sink, topic) (rate(cxstream_sink_inserted_total[$__rate_interval]))", "{{sink}} {{topic}}"),),
    ),
    Chart(
        "Waiting for the sink",
        "none",
        "Records read and not yet stored",
        (Query("sum by (sink) (cxstream_sink_pending_records)", "{{sink}}"),),
    ),
)


def _panel(chart: Chart) -> Panel:
    panel = Panel().title(chart.title).description(chart.doc).unit(chart.unit).datasource(PROMETHEUS)
    panel = panel.height(8).span(chart.width).fill_opacity(0).span_nulls(False)
    for query in chart.queries:
        panel = panel.with_target(Dataquery().expr(query.expr).legend_format(query.legend))
    thin = [DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [4, 4]})]
    return panel.override_by_regexp("/ (lower|upper)$/", thin)


def _selected(text: str, value: str = "") -> VariableOption:
    return VariableOption(selected=True, text=text, value=value or text)


def _variable(name: str, label: str, query: str, selected: VariableOption) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(label)
        .datasource(PROMETHEUS)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .current(selected)
    )


def _variables() -> tuple[QueryVariable, ...]:
    metric = "cxstream_score_n"
    cells = _variable("cell", "Cell", f'label_values({metric}{{cut="$cut"}}, cell)', _selected("All", "$__all"))
    return (
        _variable("window", "Window", f"label_values({metric}, window)", _selected("24h")),
        _variable("cut", "Cut", f"label_values({metric}, cut)", _selected("total")),
        cells.multi(True).include_all(True).all_value(".*"),
    )


def build() -> str:
    """The dashboard as JSON, the same on every call."""
    dashboard = Dashboard("cxstream").uid("cxstream").tags(["cxstream"]).readonly().timezone("utc")
    dashboard = dashboard.time("now-6h", "now").refresh("10s").tooltip(DashboardCursorSync.CROSSHAIR)
    for variable in _variables():
        dashboard = dashboard.with_variable(variable)
    number = count(1)
    for title, charts in (("Satisfaction", SCORES), ("Pipeline", FLOW)):
        dashboard = dashboard.with_row(Row(title).id(next(number)))
        for chart in charts:
            dashboard = dashboard.with_panel(_panel(chart).id(next(number)))
    dashboard = dashboard.with_row(Row("History").id(next(number)))
    for panel in clickhouse.panels():
        dashboard = dashboard.with_panel(panel.id(next(number)))
    return JSONEncoder(sort_keys=True, indent=2).encode(dashboard.build()) + "\n"


if __name__ == "__main__":
    OUTPUT.write_text(build())
