"""A real worker that ends itself at a fail-point: `python -m tests.faults.run_worker streams "after outputs" 3`.

Settings come from the environment, as always. Without a point it runs as `cxstream worker --only` does.
"""

import os
import signal
import sys
from itertools import count

from streams.runtime import failpoints
from streams.runtime.worker_process import run_worker
from streams.settings import load
from streams.settings.configured_sinks import configured_sinks


def kill_at(point: str, time: int) -> None:
    """Have this process killed the `time`-th time it passes the point."""
    if point not in failpoints.POINTS:
        raise SystemExit(f"{point!r} is no fail-point; there are {failpoints.POINTS}")
    passed = count(1)

    def hook(reached: str) -> None:
        if reached == point and next(passed) == time:
            os.kill(os.getpid(), signal.SIGKILL)

    failpoints.hook = hook


def main() -> None:
    """Run the worker named first; the point and the number of times are optional."""
    part, *fault = sys.argv[1:]
    if fault:
        kill_at(fault[0], int(fault[1]))
    from streams import app

    settings = load()
    worker = app.streams(settings) if part == "streams" else app.sink(settings, configured_sinks(settings)[0])
    run_worker(worker.app, settings)


if __name__ == "__main__":
    main()
