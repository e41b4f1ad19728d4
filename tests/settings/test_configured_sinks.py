"""The settings name the sinks: ClickHouse by `clickhouse.url`, the others by `sinks.urls`."""

from typing import Any

import pytest

from sinks.clickhouse.sink import ClickHouseSink
from sinks.ndjson.sink import NdjsonSink
from streams.errors import ConfigError
from streams.settings.configured_sinks import configured_sink, configured_sinks
from tests.support.brokers import MakeSettings

FILES = "ndjson:///var/lib/cxstream/out"


def test_by_default_there_is_one_sink_with_the_options_of_clickhouse(make_settings: MakeSettings) -> None:
    settings = make_settings(
        clickhouse={"url": "http://cx:s3cret@db/cx", "flush_rows": 7, "flush_seconds": 0.5},
        metrics={"sinks_port": 9465},
    )
    (sink,) = configured_sinks(settings)
    assert (sink.sink, sink.name, sink.url) == (ClickHouseSink, "clickhouse", "http://cx:s3cret@db/cx")
    assert (sink.flush_rows, sink.flush_seconds, sink.port) == (7, 0.5, 9465)
    assert sink.address == "http://db:8123/cx"


def test_further_sinks_take_the_options_of_their_section_and_the_next_ports(make_settings: MakeSettings) -> None:
    settings = make_settings(sinks={"urls": [FILES], "flush_rows": 9}, metrics={"sinks_port": 9465})
    first, second = configured_sinks(settings)
    assert (first.name, first.flush_rows, first.port) == ("clickhouse", 20_000, 9465)
    assert (second.sink, second.flush_rows, second.flush_seconds, second.port) == (NdjsonSink, 9, 1.0, 9466)
    assert isinstance(second.build(), NdjsonSink)
    assert configured_sink(settings, "ndjson") == second


def test_each_sink_has_a_consumer_group_and_that_of_clickhouse_keeps_its_name(make_settings: MakeSettings) -> None:
    settings = make_settings(app={"id": "cxstream"}, sinks={"urls": [FILES]})
    groups = [settings.group(sink.sink.role()) for sink in configured_sinks(settings)]
    assert groups == ["cxstream-sinks", "cxstream-sinks-ndjson"]


def test_an_empty_clickhouse_url_leaves_the_other_sinks(make_settings: MakeSettings) -> None:
    settings = make_settings(clickhouse={"url": ""}, sinks={"urls": [FILES]}, metrics={"sinks_port": 9465})
    assert [(sink.name, sink.port) for sink in configured_sinks(settings)] == [("ndjson", 9465)]
    assert configured_sinks(make_settings(clickhouse={"url": ""})) == ()


def test_free_ports_stay_free_ports(make_settings: MakeSettings) -> None:
    settings = make_settings(sinks={"urls": [FILES]}, metrics={"sinks_port": 0})
    assert [sink.port for sink in configured_sinks(settings)] == [0, 0]


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"clickhouse": {"url": "mysql://x"}}, r"clickhouse\.url: no sink takes a URL that begins with 'mysql'"),
        ({"clickhouse": {"url": "http:///x"}}, r"^clickhouse\.url: not a database address; write http://user"),
        ({"clickhouse": {"url": FILES}}, r"clickhouse\.url: a ndjson sink belongs in sinks\.urls"),
        ({"sinks": {"urls": ["http://db/cx"]}}, r"sinks\.urls: a clickhouse sink belongs in clickhouse\.url"),
        (
            {"sinks": {"urls": ["ndjson://out"]}},
            r"^sinks\.urls: 'ndjson://out' is no absolute folder; write ndjson:///",
        ),
        ({"sinks": {"urls": ["s3://bucket"]}}, r"sinks\.urls: no sink takes .*ndjson:///folder \(sinks\.urls\)"),
        ({"sinks": {"urls": [FILES, "ndjson:///b"]}}, r"sinks\.urls: there are two ndjson sinks; name one"),
        ({"sinks": {"urls": [FILES]}, "metrics": {"sinks_port": 65_535}}, r"metrics\.sinks_port: 65535 leaves no port"),
    ],
)
def test_a_mistake_names_its_key_and_the_fix(
    sections: dict[str, dict[str, Any]], message: str, make_settings: MakeSettings
) -> None:
    with pytest.raises(ConfigError, match=message):
        configured_sinks(make_settings(**sections))


def test_a_sink_that_is_not_configured_is_named(make_settings: MakeSettings) -> None:
    with pytest.raises(ConfigError, match=r"no ndjson sink is configured; set its URL in .* sinks\.urls"):
        configured_sink(make_settings(), "ndjson")
