"""Our own commands as child processes: started together, stopped together, never left behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from streams.errors import CxError
from streams.local.embedded_broker import with_parent_death_signal
from streams.runtime.clock import monotonic

STOP_TIMEOUT_S = 20.0
"""A child that has not ended so long after SIGTERM is killed."""

_POLL_S = 0.1
_TAIL_BYTES = 65_536
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Child:
    """One `cxstream` command in a process of its own, started at once; the kernel kills it when this process ends.

    It runs in a session of its own, so that Ctrl-C reaches only this process, which then stops its children in order.
    With `log` both its outputs go to that file. Start it from a thread that lives as long as the child may.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], *, env: Mapping[str, str] | None = None, log: Path | None = None
    ) -> None:
        self.name = name
        self.log = log
        command = with_parent_death_signal([sys.executable, "-m", "streams.cli.main", *arguments])
        out = None if log is None else log.open("ab")
        try:
            self._process = subprocess.Popen(
                command,
                env=None if env is None else dict(env),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        finally:
            if out is not None:
                out.close()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; 128 + n when signal n ended it, as in a shell."""
        code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    def terminate(self) -> None:
        """Send SIGTERM if it still runs."""
        if self.exit_code is None:
            self._process.terminate()

    def wait(self, timeout_s: float) -> None:
        """Return when it has ended; it is killed after `timeout_s`."""
        try:
            self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def failure(self) -> CxError:
        """An error with the last line of its log and its exit code (1 where that is 0)."""
        reason = _last_line(self.log) if self.log else "see above"
        error = CxError(f"{self.name} ended with {self.exit_code}: {reason}")
        error.exit_code = self.exit_code or 1
        return error


def supervise(children: Mapping[str, Sequence[str]]) -> int:
    """Run the commands, given as arguments by name, until one ends or SIGINT or SIGTERM arrives; then stop them all.

    Returns 0 after a signal, else the exit code of the command that ended first. Installs handlers for both signals.
    """
    received: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, frame: received.append(number))
    running = [Child(name, arguments) for name, arguments in children.items()]
    while not received and all(child.exit_code is None for child in running):
        time.sleep(_POLL_S)
    first_exit_code = next((child.exit_code for child in running if child.exit_code is not None), 0)
    stop_all(running)
    return 0 if received else first_exit_code


def stop_all(children: Sequence[Child], timeout_s: float = STOP_TIMEOUT_S) -> None:
    """Send SIGTERM to all, then wait for all; a child that still runs after `timeout_s` is killed."""
    for child in children:
        child.terminate()
    deadline = monotonic() + timeout_s
    for child in children:
        child.wait(max(0.0, deadline - monotonic()))


def child_environment(folder: Path) -> dict[str, str]:
    """For children whose settings come from a file: our environment without settings, temporary files in `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CXSTREAM_")}
    return kept | {"TMPDIR": str(folder)}


def _last_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        text = _ESCAPES.sub("", file.read().decode(errors="replace"))
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it wrote no message"
