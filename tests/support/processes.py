"""Processes of this machine, as a test sees them."""

import os
import time
from collections.abc import Callable
from pathlib import Path


def wait_until(what: str, condition: Callable[[], object], within: float = 60.0) -> None:
    """Return once `condition` holds; fails, saying what was awaited, after `within` seconds."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, f"not within {within:g} s: {what}"
        time.sleep(0.05)


def mentioning(text: str) -> dict[int, str]:
    """Command lines that contain `text`, by process id; without this process, and without those that have ended."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (ProcessLookupError, FileNotFoundError):
            continue
        if text in line and int(process.name) != os.getpid():
            found[int(process.name)] = line
    return found


def is_stopped(pid: int) -> bool:
    """Whether every thread of a process has been stopped by a signal."""
    states = [(task / "stat").read_text().rpartition(")")[2].split()[0] for task in Path(f"/proc/{pid}/task").iterdir()]
    return set(states) == {"T"}
