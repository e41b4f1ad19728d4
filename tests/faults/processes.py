"""Workers as processes of their own, as a supervisor sees them."""

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec
from prometheus_client.parser import text_string_to_metric_families

from streams.local.embedded_broker import with_parent_death_signal
from streams.settings import ENV_PREFIX, Settings
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
Part = Literal["streams", "sinks"]
Samples = list[tuple[str, dict[str, str], float]]


def until(what: str, condition: Callable[[], Any], within: float = 60.0, every: float = 0.1) -> Any:
    """What `condition` returns as soon as it is true; fails, saying what was awaited, after `within` seconds."""
    deadline = time.monotonic() + within
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}")
        time.sleep(every)
    return value


def environment(settings: Settings) -> dict[str, str]:
    """The settings as variables, on top of an environment without any of ours."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ENV_PREFIX)}
    sections: dict[str, dict[str, Any]] = msgspec.to_builtins(settings)
    return clean | {
        f"{ENV_PREFIX}{section}_{key}".upper(): ",".join(value) if isinstance(value, list) else str(value)
        for section, keys in sections.items()
        if section != "owners"
        for key, value in keys.items()
    }


class Worker:
    """One process of one part; its log lines are kept in a file."""

    def __init__(
        self,
        part: Part,
        settings: Settings,
        folder: Path,
        fault: tuple[str, int] | None = None,
        command: list[str] | None = None,
    ) -> None:
        self.part: Part = part
        self.port = free_port()
        self.log = folder / f"{part}-{len(list(folder.glob('*.log')))}.log"
        ports = {f"{ENV_PREFIX}METRICS_{part.upper()}_PORT": str(self.port)}
        arguments = [part, *([fault[0], str(fault[1])] if fault else [])]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(
                with_parent_death_signal(command or [sys.executable, "-m", "tests.faults.run_worker", *arguments]),
                cwd=ROOT, env=environment(settings) | ports, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip

    @property
    def code(self) -> int | None:
        """Its exit code, negative for a signal; None while it runs."""
        return self.process.poll()

    @property
    def said(self) -> str:
        """All of its log."""
        return self.log.read_text(errors="replace")

    @property
    def last_words(self) -> str:
        """The last lines of its log."""
        return " | ".join(self.said.splitlines()[-4:])

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once, as kill −9 does."""
        self.process.kill()
        self.process.wait()

    def wait(self, within: float = 60.0) -> int:
        """Its exit code; fails when it goes on for longer."""
        until(f"the end of {self.log.name}: {self.last_words}", lambda: self.code is not None, within)
        return int(self.code or 0)

    def stop(self, within: float = 30.0) -> int:
        """End it as a supervisor does, by SIGTERM."""
        if self.code is None:
            self.signal(signal.SIGTERM)
        return self.wait(within)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of its HTTP listener; status 0 while nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    def wait_ready(self, within: float = 60.0) -> None:
        """Until it answers for its partitions."""

        def ready() -> bool:
            assert self.code is None, f"{self.log.name} ended with {self.code}: {self.last_words}"
            return self.get("/readyz")[0] == 200

        until(f"{self.log.name} ready", ready, within)

    def samples(self, name: str) -> Samples:
        """The samples of one metric; none while nobody listens."""
        # a worker shows thousands of samples, and parsing all of them for one metric takes a second
        lines = self.get("/metrics")[1].splitlines(keepends=True)
        own = "".join(line for line in lines if line.startswith((f"{name} ", f"{name}{{")))
        families = text_string_to_metric_families(own)
        return [(s.name, s.labels, s.value) for family in families for s in family.samples if s.name == name]

    def total(self, name: str, **labels: str) -> int:
        """The sum of a metric's samples that have these labels."""
        return int(sum(value for _, found, value in self.samples(name) if labels.items() <= found.items()))


def traceback_in(worker: Worker) -> str:
    """The first traceback of a worker's log, if there is one."""
    found = re.search(r"Traceback \(most recent call last\).*?\n(?=\S)(.*)", worker.said, re.DOTALL)
    return found[0][:3000] if found else ""
