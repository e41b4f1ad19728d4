"""What holds for every sink in `SINKS`."""

from collections.abc import Callable

import pytest

from sinks.errors import SinkError, SinkUnavailable
from sinks.registry import SINKS
from sinks.sink import Sink
from tests.sinks.conftest import Ask
from tests.sinks.given import surveys

pytestmark = pytest.mark.io
Make = Callable[..., Sink]


@pytest.fixture(params=SINKS, ids=lambda sink: sink.__name__)
def make(request: pytest.FixtureRequest) -> Make:
    made: Make = request.param
    return made


def test_add_stores_nothing_and_flush_stores_everything_added(make: Make, url: str, ask: Ask) -> None:
    sink = make(url)
    sink.warm()
    sink.add("cx.surveys.v1", 0, surveys(0, 10))
    sink.add("cx.surveys.v1", 1, surveys(0, 5))
    assert ask("SELECT count() FROM surveys") == [(0,)]
    assert sink.flush() == []
    assert ask("SELECT partition, count() FROM surveys GROUP BY partition ORDER BY partition") == [(0, 10), (1, 5)]
    sink.close()


def test_a_flush_of_nothing_is_no_insert(make: Make, url: str, ask: Ask) -> None:
    sink = make(url)
    assert sink.flush() == []
    sink.add("cx.surveys.v1", 0, [])
    assert sink.flush() == []
    sink.close()
    assert ask("SELECT count() FROM surveys") == [(0,)]


def test_close_may_be_called_twice_and_before_any_flush(make: Make, url: str) -> None:
    sink = make(url)
    sink.close()
    sink.close()


def test_a_full_buffer_refuses_records_and_takes_none_of_them(make: Make, url: str, ask: Ask) -> None:
    sink = make(url, flush_rows=10)
    for begin in range(0, 50, 10):
        sink.add("cx.surveys.v1", 0, surveys(begin, begin + 10))
    with pytest.raises(SinkUnavailable, match="50 records are waiting") as refused:
        sink.add("cx.surveys.v1", 0, surveys(50, 60))
    assert refused.value.retry_after > 0
    sink.flush()
    sink.add("cx.surveys.v1", 0, surveys(50, 60))
    sink.flush()
    sink.close()
    assert ask("SELECT count(), uniqExact(offset) FROM surveys") == [(60, 60)]


def test_a_topic_without_a_table_is_refused_by_name(make: Make, url: str) -> None:
    sink = make(url)
    with pytest.raises(SinkError, match=r"cx\.rekeyed\.v1: no table is for it; a sink takes cx\.tickets\.v1"):
        sink.add("cx.rekeyed.v1", 0, surveys(0, 1))


def test_warming_up_demands_migrated_tables(make: Make, empty_url: str, database: str) -> None:
    sink = make(empty_url.replace(database, "default"))
    with pytest.raises(SinkError, match="0001_tables is not applied; run `cxstream migrate`"):
        sink.warm()
    sink.close()
