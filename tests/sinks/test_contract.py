"""What holds for every sink in `SINKS`, on real stores."""

import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from sinks.errors import SinkError, SinkUnavailable
from sinks.registry import SINKS, sink_for
from sinks.sink import PUBLIC_TOPICS, Sink
from streams.settings import Settings
from tests.sinks.given import NOON_MS, record, survey, surveys
from tests.sinks.stores import FIXTURES, FOR_OTHER_PROCESSES, Address, Store

ROOT = Path(__file__).parents[2]
EVERY = pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.name)
TOPIC = "cx.surveys.v1"
Make = Callable[..., Sink]


@pytest.fixture(params=[fixture for sink in SINKS for fixture in FIXTURES.get(sink.name, ())])
def store(request: pytest.FixtureRequest) -> Store:
    made: Store = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def make(store: Store) -> Make:
    def made(flush_rows: int = 1_000) -> Sink:
        return sink_for(store.url)(store.url, flush_rows=flush_rows)

    return made


def expected(partition: int, begin: int, end: int) -> list[Address]:
    return [(partition, offset, f"r-{offset}") for offset in range(begin, end)]


def deliver(make: Make, *chunks: tuple[int, int], flush_rows: int = 1_000) -> None:
    """Store chunks of partition 0, given by their first offset and the one after the last, and stop."""
    sink = make(flush_rows)
    sink.warm()
    for begin, end in chunks:
        sink.add(TOPIC, 0, surveys(begin, end))
        assert sink.flush() == []
    sink.close()


def test_every_sink_is_covered_here() -> None:
    names = [sink.name for sink in SINKS]
    assert sorted(FIXTURES) == sorted(FOR_OTHER_PROCESSES) == sorted(names), "add the sink to tests/sinks/stores.py"


@EVERY
def test_what_a_sink_declares_fits(sink: type[Sink]) -> None:
    assert re.fullmatch("[a-z]+", sink.name)
    assert sink.name not in ("streams", "sinks"), "`cxstream worker --only` gives these another meaning"
    assert [other for other in SINKS if other.name == sink.name or set(other.schemes) & set(sink.schemes)] == [sink]
    assert set(re.findall(r"(\w+)://", sink.url_example)) <= set(sink.schemes)
    assert set(sink.topics) <= set(PUBLIC_TOPICS)
    section, key = sink.setting.split(".")
    assert hasattr(getattr(Settings(), section), key)
    assert sink.role().startswith("sinks")


@EVERY
def test_the_packages_of_a_sink_are_declared(sink: type[Sink]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [name for extra in project["optional-dependencies"].values() for name in extra]
    declared = {re.split(r"[<>=~]", name)[0] for name in [*project["dependencies"], *extras]}
    assert set(sink.packages) <= declared, "name the package, or an extra with it, in pyproject.toml"


@pytest.mark.io
def test_importing_the_sinks_imports_no_client() -> None:
    program = (
        "import sys; before = set(sys.modules); import sinks.registry\n"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names))"
    )
    found = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    light = {"msgspec", "typing_extensions", "schemas", "sinks"}
    assert set(found.stdout.split()) - light == set(), "import a client where the connection is made"


@EVERY
def test_a_sink_is_found_by_each_of_its_schemes(sink: type[Sink]) -> None:
    for scheme in sink.schemes:
        assert sink_for(f"{scheme}://x/y") is sink


@pytest.mark.parametrize("url", ["mysql://u:secret@h/db", "", "/folder", "ndjsonx:///folder"])
def test_a_url_that_no_sink_takes_is_answered_with_the_forms_there_are(url: str) -> None:
    with pytest.raises(SinkError, match="no sink takes a URL that begins with") as refused:
        sink_for(url)
    assert [sink.url_example in str(refused.value) for sink in SINKS] == [True] * len(SINKS)
    assert "secret" not in str(refused.value)


@EVERY
@pytest.mark.parametrize("rest", ["", "://", "://relative"])
def test_a_malformed_url_is_refused_with_the_setting_and_the_right_form(sink: type[Sink], rest: str) -> None:
    for use in (sink.address, sink.check, sink.require):
        with pytest.raises(SinkError, match=re.escape(sink.setting)) as refused:
            use(sink.schemes[-1] + rest)
        assert f"{sink.schemes[-1]}:///folder" in str(refused.value)


@pytest.mark.io
def test_a_prepared_store_is_ready_and_says_so_in_one_line(store: Store) -> None:
    sink = sink_for(store.url)
    assert sink.migrate(store.url) in ([], None), "everything is applied"
    sink.require(store.url)
    ready, text = sink.check(store.url)
    assert ready
    assert sink.address(store.url) in text
    assert "\n" not in text


@pytest.mark.io
def test_add_stores_nothing_and_flush_stores_everything_added(make: Make, store: Store) -> None:
    sink = make()
    sink.warm()
    sink.add(TOPIC, 0, surveys(0, 10))
    sink.add(TOPIC, 1, surveys(0, 5))
    assert store.surveys() == []
    assert sink.flush() == []
    assert store.surveys() == [*expected(0, 0, 10), *expected(1, 0, 5)]
    assert sink.writes == 2
    sink.close()


@pytest.mark.io
def test_every_topic_a_sink_declares_is_taken(make: Make, store: Store) -> None:
    sink = make()
    sink.warm()
    for topic in sink.topics:
        sink.add(topic, 0, [record(0, None)])
    assert sink.flush() == []
    sink.close()


@pytest.mark.io
def test_a_flush_of_nothing_writes_nothing(make: Make, store: Store) -> None:
    sink = make()
    assert sink.flush() == []
    sink.add(TOPIC, 0, [])
    assert sink.flush() == []
    assert sink.writes == 0
    sink.close()
    assert store.surveys() == []


@pytest.mark.io
def test_close_may_be_called_twice_and_before_any_flush(make: Make) -> None:
    sink = make()
    sink.close()
    sink.close()


@pytest.mark.io
def test_a_full_buffer_refuses_records_and_takes_none_of_them(make: Make, store: Store) -> None:
    sink = make(flush_rows=10)
    sink.warm()
    for begin in range(0, 50, 10):
        sink.add(TOPIC, 0, surveys(begin, begin + 10))
    with pytest.raises(SinkUnavailable, match="50 records are waiting") as refused:
        sink.add(TOPIC, 0, surveys(50, 60))
    assert refused.value.retry_after > 0
    sink.flush()
    sink.add(TOPIC, 0, surveys(50, 60))
    sink.flush()
    sink.close()
    assert store.surveys() == expected(0, 0, 60)


@pytest.mark.io
def test_a_topic_that_is_not_public_is_refused_by_name(make: Make) -> None:
    sink = make()
    with pytest.raises(SinkError, match=r"cx\.rekeyed\.v1: not a topic that is stored; a sink takes cx\.tickets\.v1"):
        sink.add("cx.rekeyed.v1", 0, surveys(0, 1))


@pytest.mark.io
def test_records_that_are_delivered_again_are_stored_once(make: Make, store: Store) -> None:
    for _ in range(3):
        deliver(make, (0, 250), flush_rows=100)
    assert store.surveys() == expected(0, 0, 250)


@pytest.mark.io
def test_records_that_are_delivered_again_in_other_chunks_are_stored_once(make: Make, store: Store) -> None:
    deliver(make, (0, 100))
    deliver(make, (0, 130), flush_rows=70)
    deliver(make, (50, 90), (90, 150))
    assert store.surveys() == expected(0, 0, 150)


@pytest.mark.io
def test_a_partition_that_was_taken_away_and_came_back_before_a_flush_is_stored_once(make: Make, store: Store) -> None:
    sink = make()
    sink.warm()
    sink.add(TOPIC, 0, surveys(100, 200))
    sink.add(TOPIC, 0, surveys(100, 250))
    assert sink.flush() == []
    sink.close()
    assert store.surveys() == expected(0, 100, 250)


@pytest.mark.io
@pytest.mark.parametrize("flushes", [1, 2])
def test_records_of_a_topic_created_anew_are_stored_beside_the_old_ones(make: Make, store: Store, flushes: int) -> None:
    sink = make()
    sink.warm()
    sink.add(TOPIC, 0, surveys(0, 100))
    if flushes == 2:
        sink.flush()
    sink.add(TOPIC, 0, [record(offset, survey(offset, record_id=f"new-{offset}")) for offset in range(60)])
    sink.flush()
    sink.close()
    deliver(make, (100, 110))
    new = [(0, offset, f"new-{offset}") for offset in range(60)]
    assert store.surveys() == sorted([*expected(0, 0, 110), *new])


@pytest.mark.io
def test_what_is_no_record_of_its_topic_becomes_a_reject_and_bad_events_do_not(make: Make, store: Store) -> None:
    sink = make()
    sink.warm()
    sink.add("cx.scores.v1", 3, [record(7, b"{"), record(8, None)])
    sink.add(TOPIC, 0, [record(0, b"{"), record(1, None), record(2, survey(2)), record(3, b'{"event_id":"e"}')])
    (reject,) = sink.flush()
    assert (reject.topic, reject.partition, reject.offset, reject.reason) == ("cx.scores.v1", 3, 7, "not_storable")
    assert sink.flush() == []
    assert store.surveys() == expected(0, 2, 3)
    sink.close()


@pytest.mark.io
@pytest.mark.parametrize("timestamp_ms", [-1, 0, 2**62, NOON_MS])
def test_a_broker_time_outside_the_calendar_is_stored(timestamp_ms: int, make: Make, store: Store) -> None:
    sink = make()
    sink.warm()
    sink.add(TOPIC, 0, [record(0, survey(0), timestamp_ms)])
    assert sink.flush() == []
    assert store.surveys() == expected(0, 0, 1)
    sink.close()


_KILLED = """
import os, signal, sys
from sinks.registry import sink_for
from tests.sinks.given import surveys
url, begin, end, killed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "killed"
sink = sink_for(url)(url, flush_rows=100)
sink.warm()
sink.add("cx.surveys.v1", 0, surveys(begin, end))
sink.flush()
if killed:
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.io
@pytest.mark.parametrize("sink", SINKS, ids=lambda sink: sink.name)
def test_records_survive_a_kill_right_after_the_flush_and_are_not_doubled(
    sink: type[Sink], request: pytest.FixtureRequest
) -> None:
    store: Store = request.getfixturevalue(FOR_OTHER_PROCESSES[sink.name])
    for begin, end, fate in ((0, 500, "killed"), (0, 500, "killed"), (400, 700, "stopped")):
        arguments = [sys.executable, "-c", _KILLED, store.url, str(begin), str(end), fate]
        ended = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == (-signal.SIGKILL if fate == "killed" else 0), ended.stderr
    assert store.surveys() == expected(0, 0, 700)
