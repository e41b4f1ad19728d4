"""One cxstream worker on job J1, measured from within: `python -m bench.j1_worker` prints its figures.

It runs both stages as `cxstream replay` does, with durable checkpoints; settings come from the environment. Time is
measured from the first applied record until the last window is published.
"""

import asyncio
import json
import resource
import time
from functools import partial

from streams import app
from streams.runtime.replay import replay
from streams.runtime.replay_extent import extent_of
from streams.settings import Settings, load


async def measure(settings: Settings) -> dict[str, float]:
    """Events per second, CPU seconds per million events, peak memory in MB, and the outcomes of the records."""
    extent = await extent_of(settings)
    first: list[tuple[float, float, int]] = []

    def report(applied: int) -> None:
        if applied and not first:
            first.append((time.perf_counter(), time.process_time(), applied))

    counted = await replay(partial(app.streams, settings), extent, report)
    began, cpu, before = first[0]
    events = sum(one.received for one in counted.values()) - before
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    return {
        "events_per_s": events / seconds,
        "cpu_s_per_million": used / events * 1e6,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        **{
            outcome: sum(one.outcomes[outcome] for one in counted.values())
            for outcome in ("accepted", "duplicate", "corrected", "late")
        },
    }


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(load()))))
