"""While the database is away, nothing is lost, nothing is asked of it too often, and add goes on."""

from contextlib import closing

import pytest

from sinks.breaker import Breaker
from sinks.clickhouse.migrate import migrate
from sinks.clickhouse.sink import ClickHouseSink
from sinks.errors import SinkError, SinkUnavailable
from tests.sinks.conftest import Ask
from tests.sinks.given import record, score, surveys
from tests.support.clickhouse_front import ClickHouseFront


@pytest.mark.io
def test_what_is_added_during_an_outage_is_stored_after_it(front: ClickHouseFront, http_url: str, ask: Ask) -> None:
    now = [0.0]
    with closing(ClickHouseSink(http_url, flush_rows=100, now_s=lambda: now[0])) as sink:
        sink.add("cx.surveys.v1", 0, surveys(0, 100))
        sink.flush()
        with front.down():
            for begin in range(100, 500, 100):
                sink.add("cx.surveys.v1", 0, surveys(begin, begin + 100))
                with pytest.raises(SinkUnavailable, match="not available; start it, or correct clickhouse.url") as away:
                    sink.flush()
                now[0] += away.value.retry_after
            assert sink.pending == 400
        sink.add("cx.scores.v1", 0, [record(0, score())])
        assert sink.flush() == []
        assert sink.pending == 0
    assert ask("SELECT count(), uniqExact(offset), max(offset) FROM surveys") == [(500, 500, 499)]
    assert ask("SELECT count() FROM scores") == [(1,)]


@pytest.mark.io
def test_a_sink_may_start_before_its_database(front: ClickHouseFront, http_url: str, ask: Ask) -> None:
    now = [0.0]
    with closing(ClickHouseSink(http_url, now_s=lambda: now[0])) as sink:
        with front.down():
            with pytest.raises(SinkUnavailable):
                sink.warm()
            sink.add("cx.surveys.v1", 0, surveys(0, 10))
            with pytest.raises(SinkUnavailable):
                sink.flush()
        now[0] = 60.0
        sink.flush()
    assert ask("SELECT count() FROM surveys") == [(10,)]


@pytest.mark.io
def test_a_database_that_answers_503_is_left_alone_during_the_pause(front: ClickHouseFront, http_url: str) -> None:
    now = [0.0]
    with closing(ClickHouseSink(http_url, now_s=lambda: now[0])) as sink:
        sink.add("cx.surveys.v1", 0, surveys(0, 10))
        front.fail_next_inserts("answers_503")
        for _ in range(5):
            with pytest.raises(SinkUnavailable, match="503") as away:
                sink.flush()
        assert len(front.attempts) == 1
        now[0] += away.value.retry_after
        sink.flush()
        assert len(front.attempts) == 2


@pytest.mark.io
def test_tables_that_are_missing_are_no_outage_but_a_matter_for_a_person(
    front: ClickHouseFront, database: str, ask: Ask
) -> None:
    migrate(front.url(database))
    ask("DROP TABLE surveys")
    with closing(ClickHouseSink(front.url(database))) as sink:
        sink.add("cx.surveys.v1", 0, surveys(0, 10))
        with pytest.raises(SinkError, match="tables are not those of this version; run `cxstream migrate`") as refused:
            sink.flush()
        assert not isinstance(refused.value, SinkUnavailable)
        assert sink.pending == 10


def test_pauses_double_up_to_a_bound_and_start_again_after_a_success() -> None:
    now = [100.0]
    breaker = Breaker(lambda: now[0], first_s=0.5, longest_s=15.0)
    pauses = []
    for _ in range(7):
        pauses.append(breaker.failed("away").retry_after)
        with pytest.raises(SinkUnavailable, match="away"):
            breaker.check()
        now[0] += pauses[-1]
        breaker.check()
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]
    breaker.succeeded()
    assert breaker.failed("away").retry_after == 0.5
