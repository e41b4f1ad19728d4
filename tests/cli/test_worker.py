"""`cxstream worker` runs all parts as one: when one ends, all end, and no process is left behind."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient

from streams.local.embedded_broker import EmbeddedBroker, free_port
from tests.support.commands import own_process, refusal
from tests.support.processes import mentioning, wait_until

pytestmark = [pytest.mark.broker, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
WITHIN = 90.0
COMMAND = [sys.executable, "-m", "streams.cli.main"]
GROUP = "cxstream-sinks"
SURVEY = (
    b'{"event_id":"e","record_id":"r","time":"2026-03-01T12:00:00Z","survey":"s","kind":"nps","score":9,"our_own":true}'
)


class Supervisor:
    """`cxstream worker` on an empty broker and database; its settings file tells its processes from others."""

    def __init__(
        self, folder: Path, broker: EmbeddedBroker, streams_port: int = 0, more: str = "", only: str = ""
    ) -> None:
        self.file, self._log = folder / "cxstream.toml", folder / "log"
        self.file.write_text(
            f'[kafka]\nbrokers = "{broker.address}"\nsession_timeout = 2\npartitions = 1\n'
            f'[clickhouse]\nurl = "chdb://{folder}/chdb"\n'
            f"[metrics]\nstreams_port = {streams_port}\nsinks_port = 0\n{more}"
        )
        self._command = COMMAND
        self._options = ["--config", str(self.file)]
        env = {name: value for name, value in os.environ.items() if not name.startswith("CXSTREAM_")}
        self._env = env | {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder)}
        for setup in ("topics", "migrate"):
            subprocess.run([*self._command, setup, *self._options], env=self._env, check=True, capture_output=True)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*self._command, "worker", *(["--only", only] if only else []), *self._options],
                env=self._env,
                stdout=log,
                stderr=log,
            )

    @property
    def log(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def parts(self) -> dict[str, int]:
        """The process ids of its children, by part."""
        lines = {pid: line for pid, line in mentioning(str(self.file)).items() if pid != self.process.pid}
        return {line.split("--only ")[-1].split()[0]: pid for pid, line in lines.items() if "--only" in line}

    def work(self) -> None:
        """Wait until the streams own their partitions and both parts are there."""
        wait_until("streams", lambda: "0 cells" in self.log, WITHIN)
        wait_until("two processes", lambda: set(self.parts) == {"streams", "clickhouse"}, WITHIN)

    def is_gone(self) -> bool:
        return not mentioning(str(self.file))


@contextmanager
def supervised(folder: Path, broker: EmbeddedBroker, streams_port: int = 0, **options: str) -> Iterator[Supervisor]:
    supervisor = Supervisor(folder, broker, streams_port, **options)
    try:
        yield supervisor
    finally:
        supervisor.process.kill()
        supervisor.process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_both_parts(tmp_path: Path, fresh_broker: EmbeddedBroker, number: signal.Signals) -> None:
    with supervised(tmp_path, fresh_broker) as supervisor:
        supervisor.work()
        supervisor.process.send_signal(number)
        assert supervisor.process.wait(WITHIN) == 0
        assert supervisor.is_gone()
    assert "\x1b" not in supervisor.log
    assert "Traceback" not in supervisor.log


def test_one_part_that_ends_takes_the_other_with_it(tmp_path: Path, fresh_broker: EmbeddedBroker) -> None:
    with supervised(tmp_path, fresh_broker) as supervisor:
        supervisor.work()
        os.kill(supervisor.parts["clickhouse"], signal.SIGKILL)
        assert supervisor.process.wait(WITHIN) == 128 + signal.SIGKILL
        assert supervisor.is_gone()


def test_killed_it_leaves_no_part_behind(tmp_path: Path, fresh_broker: EmbeddedBroker) -> None:
    with supervised(tmp_path, fresh_broker) as supervisor:
        supervisor.work()
        supervisor.process.kill()
        wait_until("the end of both parts", supervisor.is_gone)


def test_each_configured_sink_is_a_process_with_a_group_of_its_own(
    tmp_path: Path, fresh_broker: EmbeddedBroker
) -> None:
    files = f'[sinks]\nurls = ["ndjson://{tmp_path}/out"]\nflush_seconds = 0.1\n'
    with supervised(tmp_path, fresh_broker, more=files, only="sinks") as supervisor:
        wait_until("two processes", lambda: set(supervisor.parts) == {"clickhouse", "ndjson"}, WITHIN)
        send(fresh_broker.address, "cx.surveys.v1", [b'{"not":"a survey"}', SURVEY])
        (line,) = wait_for_lines(tmp_path / "out" / "cx.surveys.v1" / "0" / "000001.ndjson", 1)
        assert {key: line[key] for key in ("topic", "partition", "offset")} == {
            "topic": "cx.surveys.v1",
            "partition": 0,
            "offset": 1,
        }
        assert line["record"] == json.loads(SURVEY)
        wait_until("both groups", lambda: committed(fresh_broker.address) == {GROUP: 2, f"{GROUP}-ndjson": 2}, WITHIN)
        supervisor.process.send_signal(signal.SIGTERM)
        assert supervisor.process.wait(WITHIN) == 0
        assert supervisor.is_gone()
    assert "Traceback" not in supervisor.log


def test_a_sink_that_is_not_configured_is_one_line_and_exit_code_2(fresh_broker: EmbeddedBroker) -> None:
    address = fresh_broker.address
    line = refusal("worker", "--create-topics", "--only", "ndjson", CXSTREAM_KAFKA_BROKERS=address)
    assert line == "cxstream: no ndjson sink is configured; set its URL in clickhouse.url or sinks.urls"


def test_a_taken_port_is_one_line_and_exit_code_2(tmp_path: Path, fresh_broker: EmbeddedBroker) -> None:
    with supervised(tmp_path, fresh_broker, streams_port=fresh_broker.port) as supervisor:
        assert supervisor.process.wait(WITHIN) == 2
        assert supervisor.is_gone()
    assert f"worker ends: metrics: cannot listen on 127.0.0.1:{fresh_broker.port}" in supervisor.log
    assert "Traceback" not in supervisor.log


def send(broker: str, topic: str, values: list[bytes]) -> None:
    with KafkaProducer(bootstrap_servers=broker) as producer:
        for value in values:
            producer.send(topic, value, partition=0).get(WITHIN)


def committed(broker: str) -> dict[str, int]:
    """The offset each sink's group has committed in the surveys' partition."""
    with KafkaAdminClient(bootstrap_servers=broker) as client:
        groups = client.list_group_offsets({GROUP: None, f"{GROUP}-ndjson": None})
    return {
        group: found.offset
        for group, offsets in groups.items()
        for partition, found in offsets.items()
        if partition.topic == "cx.surveys.v1"
    }


def wait_for_lines(path: Path, number: int) -> list[dict[str, Any]]:
    wait_until(path.name, lambda: path.exists() and path.read_bytes().count(b"\n") >= number, WITHIN)
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_an_unreachable_broker_is_reported_once_and_not_by_each_part(tmp_path: Path) -> None:
    variables = {"CXSTREAM_KAFKA_BROKERS": "127.0.0.1:1"}
    ended = own_process("worker", folder=tmp_path, timeout_s=WITHIN, variables=variables)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "cxstream: no broker at 127.0.0.1:1: start it or set kafka.brokers\n"


@pytest.mark.parametrize("arguments", [(), ("--only", "sinks")], ids=["both", "sinks"])
def test_an_unreachable_database_at_the_start_is_one_line_and_exit_code_2(
    fresh_broker: EmbeddedBroker, arguments: tuple[str, ...]
) -> None:
    url = f"http://default@127.0.0.1:{free_port()}/cx"
    variables = {"CXSTREAM_KAFKA_BROKERS": fresh_broker.address, "CXSTREAM_CLICKHOUSE_URL": url}
    line = refusal("worker", "--create-topics", *arguments, **variables)
    assert re.fullmatch(
        r"cxstream: http://127.0.0.1:\d+/cx: not available; start it, or correct clickhouse.url \(.+\)", line
    )


def test_a_second_worker_on_one_chdb_path_is_one_line_and_exit_code_2(
    tmp_path: Path, fresh_broker: EmbeddedBroker
) -> None:
    with supervised(tmp_path, fresh_broker) as first:
        first.work()
        (tmp_path / "second").mkdir()
        own = {"CXSTREAM_APP_ID": "second", "CXSTREAM_METRICS_STREAMS_PORT": "0"}
        options = ["--config", str(first.file)]
        ended = own_process("worker", *options, folder=tmp_path / "second", timeout_s=WITHIN, variables=own)
        assert first.process.poll() is None
    assert ended.returncode == 2
    (message,) = (line for line in ended.stderr.splitlines() if "chDB allows one process per path" in line)
    assert "stop the other process, or give this one another, writable, folder" in message
    assert "Traceback" not in ended.stderr
