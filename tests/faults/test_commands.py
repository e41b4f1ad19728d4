"""`cxstream worker` and `faust worker` as processes: what they listen on, and what signals do to them."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.local.embedded_broker import EmbeddedBroker
from streams.runtime.topics import create_topics
from streams.settings import Settings
from tests.faults.agreement import now_ms, received
from tests.faults.conftest import Start
from tests.faults.processes import Worker, until
from tests.faults.traffic import Traffic, send

pytestmark = [pytest.mark.faults, pytest.mark.broker, pytest.mark.timeout(120)]

OURS = [sys.executable, "-m", "streams.cli.main", "worker", "--only", "streams"]
FAUST = [sys.executable, "-m", "faust", "-A", "streams.app", "worker", "-l", "info"]
BY_NAME = pytest.mark.parametrize("command", [OURS, FAUST, [*FAUST, "--without-web"]], ids=["ours", "faust", "no-web"])


@pytest.fixture
def settings(fresh_broker: EmbeddedBroker, fault_settings: Callable[..., Settings]) -> Settings:
    made = fault_settings(fresh_broker.address, kafka={"session_timeout": 4})
    create_topics(made)
    return made


def listened_on(worker: Worker) -> set[str]:
    """The addresses a process listens on, as `host:port`."""
    inodes = {link.readlink().name for link in Path(f"/proc/{worker.process.pid}/fd").iterdir() if link.is_symlink()}
    tables = [Path(f"/proc/net/{name}").read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    sockets = [line.split() for table in tables for line in table]
    return {_address(fields[1]) for fields in sockets if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes}


def _address(hexadecimal: str) -> str:
    host, port = hexadecimal.split(":")
    shown = socket.inet_ntoa(bytes.fromhex(host)[::-1]) if len(host) == 8 else f"[{host}]"
    return f"{shown}:{int(port, 16)}"


@BY_NAME
def test_it_listens_on_loopback_only_survives_debugging_signals_and_ends_in_order(
    settings: Settings, start: Start, seed: int, command: list[str]
) -> None:
    worker = start("streams", settings, command=command)
    worker.wait_ready()
    assert listened_on(worker) == {f"127.0.0.1:{worker.port}"}
    worker.signal(signal.SIGUSR1)
    worker.signal(signal.SIGUSR2)
    records = Traffic(seed, now_ms(), settings.kafka.partitions).take(100)
    send(settings.kafka.brokers, records)
    until("all is counted", lambda: received([worker]) >= len(records), 60)
    assert worker.stop(20) == 0


def test_asked_twice_it_ends_all_the_same(settings: Settings, start: Start) -> None:
    worker = start("streams", settings, command=OURS)
    worker.wait_ready()
    worker.signal(signal.SIGTERM)
    worker.signal(signal.SIGTERM)
    assert worker.wait(20) in (0, -signal.SIGTERM)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"CXSTREAM_KAFKA_BROKER": "127.0.0.1:1"}, "Error: CXSTREAM_KAFKA_BROKER: there is no setting kafka.broker"),
        ({"CXSTREAM_KAFKA_BROKERS": "127.0.0.1:1"}, "worker ends: no broker at 127.0.0.1:1: start it or set kafka"),
    ],
)
def test_fausts_command_says_what_is_wrong_without_a_traceback(
    tmp_path: Path, variables: dict[str, str], said: str
) -> None:
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])} | variables
    ended = subprocess.run(FAUST, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 2
    assert said in ended.stderr + ended.stdout
    assert "Traceback" not in ended.stderr + ended.stdout
