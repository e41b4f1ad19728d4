"""A worker that gets a signal stops within a time limit, even if a part of it never answers."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STUCK = """
import asyncio
import mode
from streams.runtime import fatal
from streams.runtime.faust_app import batch_app
from tests.support.brokers import make_settings

class Stuck(mode.Service):
    async def on_start(self):
        print("up", flush=True)
        await asyncio.Event().wait()

    async def stop(self):
        await asyncio.Event().wait()

fatal.STOP_SECONDS = 0.5
app = batch_app(make_settings(), "streams", before=[Stuck()])
app.conf.Worker(app, loglevel="INFO").execute_from_commandline()
"""


@pytest.mark.io
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_that_is_blocked_exits_at_the_time_limit(number: signal.Signals) -> None:
    command = [sys.executable, "-c", STUCK]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as worker:
        try:
            assert worker.stdout is not None
            assert worker.stdout.readline() == "up\n"
            worker.send_signal(number)
            _, said = worker.communicate(timeout=60)
        finally:
            worker.kill()
    assert worker.returncode == 0
    assert "not everything stopped within 0.5 s" in said
