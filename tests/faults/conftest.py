"""Workers that never outlive their test, and settings under which a dead worker is noticed quickly."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from streams.settings import Settings
from tests.faults.processes import Part, Worker
from tests.faults.traffic import CUTS, WINDOWS
from tests.support.brokers import make_settings

Start = Callable[..., Worker]
"""Starts a worker: `start(part, settings)`, with `fault` or `command` where wished."""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as running:

        def begin(part: Part, settings: Settings, **how: Any) -> Worker:
            worker = Worker(part, settings, tmp_path, **how)
            running.callback(worker.kill)
            return worker

        yield begin


@pytest.fixture
def seed() -> int:
    """`CXSTREAM_TEST_SEED`, or 1; printed, so that a failure can be repeated."""
    number = int(os.environ.get("CXSTREAM_TEST_SEED", "1"))
    print(f"seed {number}")
    return number


@pytest.fixture
def fault_settings() -> Callable[..., Settings]:
    """Settings of a worker under fault: three partitions, windows in which nothing moves for half an hour."""

    def build(brokers: str, **sections: dict[str, Any]) -> Settings:
        base: dict[str, dict[str, Any]] = {
            "kafka": {"partitions": 3, "session_timeout": 2},
            "windows": {"lengths": WINDOWS, "cuts": CUTS},
            "clickhouse": {"flush_rows": 1_000, "flush_seconds": 0.3},
        }
        return make_settings(brokers, **{n: base.get(n, {}) | sections.get(n, {}) for n in base | sections})

    return build
