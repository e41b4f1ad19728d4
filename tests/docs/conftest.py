"""Workers that never outlive their test."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from streams.settings import Settings
from tests.docs.deployments import Start
from tests.faults.processes import Part, Worker


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as running:

        def begin(settings: Settings, part: Part = "streams") -> Worker:
            worker = Worker(part, settings, tmp_path)
            running.callback(worker.kill)
            return worker

        yield begin
