"""Panels of the history in ClickHouse, which Prometheus does not keep."""

from collections.abc import Iterator
from typing import NamedTuple

from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef

CLICKHOUSE = DataSourceRef(type_val="grafana-clickhouse-datasource", uid="clickhouse")


class Sql(Dataquery, Builder[Dataquery]):
    """A query of the ClickHouse data source, for which the SDK has no builder; `shape` is timeseries or table."""

    _formats = {"timeseries": 0, "table": 1}  # noqa: RUF012

    def __init__(self, sql: str, shape: str) -> None:
        self.sql = sql
        self.shape = shape

    def build(self) -> Dataquery:
        """Builds the object."""
        return self

    def to_json(self) -> dict[str, object]:
        """As the data source's query editor stores it."""
        return {
            "refId": "A",
            "editorType": "sql",
            "queryType": self.shape,
            "format": self._formats[self.shape],
            "rawSql": self.sql,
        }


class Record(NamedTuple):
    """One panel: title, description, SQL with Grafana's variables, and `shape`, timeseries or table."""

    title: str
    doc: str
    sql: str
    shape: str


HISTORY = (
    Record(
        "NPS as stored",
        "Points, of the twelve cells with the most answers",
        "SELECT `end` AS time, cell, value FROM scores_history"
        " WHERE score = 'nps' AND cut = '$cut' AND `window` = '$window' AND $__timeFilter(`end`)"
        " AND cell IN (SELECT cell FROM scores_latest WHERE score = 'nps' AND cut = '$cut'"
        " AND `window` = '$window' ORDER BY n DESC LIMIT 12) ORDER BY time",
        "timeseries",
    ),
    Record(
        "Dead letters",
        "The newest refused records, with the reason and the field",
        "SELECT published_at, topic, partition, offset, reason, field, detail FROM rejects_latest"
        " WHERE $__timeFilter(published_at) ORDER BY published_at DESC LIMIT 100",
        "table",
    ),
)


def panels() -> Iterator[TimeSeries | Table]:
    """The panels, each half as wide as the dashboard."""
    for record in HISTORY:
        panel = TimeSeries() if record.shape == "timeseries" else Table()
        panel = panel.title(record.title).description(record.doc).datasource(CLICKHOUSE).height(8).span(12)
        yield panel.with_target(Sql(record.sql, record.shape))
