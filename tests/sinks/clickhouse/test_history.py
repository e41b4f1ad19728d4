"""A fit reads from the tables what it reads from the records themselves."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from sinks.clickhouse.sink import ClickHouseSink
from streams.errors import ConfigError, StoreError
from streams.fitting.history import from_clickhouse, from_files
from tests.reference.contracts import ACCOUNTS, CALLS, SURVEYS
from tests.sinks.given import record
from tests.support.arrivals import DAY, HOUR, NOON
from tests.support.leavers import Event, company, write_events

pytestmark = pytest.mark.io


def stored(url: str, events: Sequence[Event]) -> None:
    by_topic: dict[str, list[bytes]] = defaultdict(list)
    for topic, _, fields in events:
        by_topic[topic].append(json.dumps(fields).encode())
    sink = ClickHouseSink(url, flush_rows=100_000)
    for topic, values in by_topic.items():
        sink.add(topic, 0, [record(offset, value) for offset, value in enumerate(values)])
    assert sink.flush() == []
    sink.close()


def corrected() -> list[Event]:
    """Events with everything that decides a feature: corrections, an account, a call with all durations."""
    name = {"event_id": "e", "record_id": "r", "customer": "it's Zoë", "time": "2024-01-01T12:00:00.125Z"}
    answer = name | {"survey": "s", "kind": "nps", "score": 2}
    later = answer | {"event_id": "e2", "score": 9, "updated_at": "2024-01-03T00:00:00Z"}
    call = name | {"outcome": "answered", "wait": 12.5, "talk": 60.25, "transfers": 1, "call_id": "leg"}
    account = name | {"change": "started", "value": 99.99}
    return [(SURVEYS, NOON, answer), (SURVEYS, NOON, later), (CALLS, NOON, call), (ACCOUNTS, NOON, account)]


def test_the_tables_give_the_features_of_the_records(url: str, tmp_path: Path) -> None:
    told = company(seed=8, customers=20, months=2)
    events = [*told.events, *corrected()]
    stored(url, events)
    files = from_files([word for word in write_events(events, tmp_path) if word != "--events"], 31 * DAY)
    customers = {label.customer for label in told.labels} | {"it's Zoë"}
    tables = from_clickhouse(url, customers, 31 * DAY)
    moments = [(label.customer, label.at) for label in told.labels]
    moments += [("it's Zoë", NOON + HOUR), ("it's Zoë", NOON + 5 * DAY)]
    assert [tables.features(*moment) for moment in moments] == [files.features(*moment) for moment in moments]
    assert (tables.events, tables.newest_ms) == (files.events, files.newest_ms)
    assert "days_since_detractor" in tables.features("it's Zoë", NOON + HOUR).features
    assert "days_since_promoter" in tables.features("it's Zoë", NOON + 5 * DAY).features


def test_of_customers_nobody_knows_there_is_no_history(url: str) -> None:
    with pytest.raises(ConfigError, match="no event of any labelled customer there"):
        from_clickhouse(url, {"nobody"}, DAY)


def test_tables_that_are_not_there_are_an_error_that_says_so(empty_url: str) -> None:
    with pytest.raises(StoreError, match="cxstream migrate"):
        from_clickhouse(empty_url, {"c"}, DAY)
