"""The embedded broker answers once it has started, is not shared, and leaves no process behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from streams.errors import BrokerError
from streams.local.embedded_broker import BINARY, EmbeddedBroker, answers, free_port

pytestmark = pytest.mark.broker


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while is_running(pid):
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


async def test_it_takes_records_as_soon_as_it_has_started() -> None:
    async with (
        EmbeddedBroker() as broker,
        AIOKafkaProducer(bootstrap_servers=broker.address, acks="all") as producer,
    ):
        assert (await producer.send_and_wait("topic", b"value")).offset == 0


def test_it_listens_on_the_loopback_interface_only() -> None:
    with EmbeddedBroker() as broker:
        listening = {
            line.split()[1]
            for table in ("tcp", "tcp6")
            for line in Path(f"/proc/{broker.pid}/net/{table}").read_text().splitlines()[1:]
            if line.split()[3] == "0A" and line.split()[1].endswith(f":{broker.port:04X}")
        }
        assert listening == {f"0100007F:{broker.port:04X}"}


def test_it_ends_with_its_context() -> None:
    with EmbeddedBroker() as broker:
        assert broker.pid
        pid = broker.pid
    assert not is_running(pid)
    assert not answers(broker.port)


def test_a_ctrl_c_in_the_terminal_does_not_reach_it() -> None:
    with EmbeddedBroker() as broker:
        assert broker.pid
        assert os.getpgid(broker.pid) != os.getpgid(0)


def test_a_broker_that_has_ended_by_itself_is_noticed() -> None:
    with EmbeddedBroker() as broker:
        broker.check()
        assert broker.pid
        os.kill(broker.pid, signal.SIGKILL)
        os.waitid(os.P_PID, broker.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(BrokerError, match="ended with -9"):
            broker.check()


def test_it_dies_with_the_process_that_started_it() -> None:
    script = (
        "from streams.local.embedded_broker import EmbeddedBroker; "
        "print(EmbeddedBroker().start().pid, flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert is_running(pid)
        parent.send_signal(signal.SIGKILL)
    wait_until_gone(pid)


def test_a_chosen_port_is_used_and_a_taken_one_refused() -> None:
    port = free_port()
    with EmbeddedBroker(port) as broker:
        assert broker.address == f"127.0.0.1:{port}"
        with pytest.raises(BrokerError, match=f"port {port} is taken by another process"):
            EmbeddedBroker(port).start()


def test_another_binary_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "tansu"
    broken.write_text("#!/bin/sh\necho no such luck\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv(BINARY, str(broken))
    with pytest.raises(BrokerError, match=rf"ended with 3: no such luck; name a working Tansu binary in {BINARY}"):
        EmbeddedBroker().start()


def test_a_binary_that_cannot_be_executed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BINARY, "/no/such/tansu")
    with pytest.raises(BrokerError, match=f"{BINARY}: /no/such/tansu is not executable"):
        EmbeddedBroker().start()
