"""Our own commands as child processes: started together, ended together, never left behind."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from streams.errors import CxError
from streams.local.embedded_broker import dying_with_us
from streams.runtime.clock import monotonic

PATIENCE = 20.0
"""Seconds a child gets to end by itself before it is killed."""

_TAIL_BYTES = 65_536
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Child:
    """One `cxstream` command in a process of its own, started at once; the kernel kills it when this process ends.

    It is in a session of its own, so that Ctrl-C reaches only us, who then end it in order. With `log` both its
    outputs go to that file. Start it from a thread that lives as long as the child may.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], *, env: Mapping[str, str] | None = None, log: Path | None = None
    ) -> None:
        self.name = name
        self.log = log
        command = dying_with_us([sys.executable, "-m", "streams.cli.main", *arguments])
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
        """Process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; 128 + n when signal n ended it, as a shell would say."""
        code = self._process.poll()
        return 128 - code if code is not None and code < 0 else code

    def terminate(self) -> None:
        """Ask it to end."""
        if self.exit_code is None:
            self._process.terminate()

    def wait(self, patience: float) -> None:
        """Return when it has ended, which after `patience` seconds it has to."""
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def failure(self) -> CxError:
        """Why it has ended, in the last line of its log; carries its exit code, or 1 where that was 0."""
        said = _last_line(self.log) if self.log else "see above"
        error = CxError(f"{self.name} ended with {self.exit_code}: {said}")
        error.exit_code = self.exit_code or 1
        return error


def end_all(children: Sequence[Child], patience: float = PATIENCE) -> None:
    """Ask all to end, then wait for all; who has not ended after `patience` seconds is killed."""
    for child in children:
        child.terminate()
    deadline = monotonic() + patience
    for child in children:
        child.wait(max(0.0, deadline - monotonic()))


def environment(folder: Path) -> dict[str, str]:
    """For children that are told all by a file: our environment without settings, temporary files in `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CXSTREAM_")}
    return kept | {"TMPDIR": str(folder)}


def _last_line(log: Path) -> str:
    with log.open("rb") as lines:
        lines.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        text = _ESCAPES.sub("", lines.read().decode(errors="replace"))
    said = [line.strip() for line in text.splitlines() if line.strip()]
    return said[-1] if said else "it said nothing"
