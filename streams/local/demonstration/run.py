"""The run: topics, workers and the simulated company, started together, watched, and ended in order."""

import asyncio
import signal
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from streams.errors import CxError
from streams.local.demonstration.folder import start_in
from streams.local.demonstration.scores import Scores, follow
from streams.local.demonstration.screen import Doing, Screen, View
from streams.local.demonstration.worker_metrics import WorkerMetrics
from streams.local.embedded_broker import EmbeddedBroker
from streams.local.supervision import Child, end_all
from streams.runtime.clock import monotonic
from streams.runtime.topics import create_topics
from streams.settings import Settings
from streams.simulation import Company
from streams.simulation.feed import Phase, feed

HISTORY_DAYS = 7
MEMORY_BYTES = 2 << 30
"""The embedded broker keeps all it was ever sent; a demo ends when that is so much."""

_START_SECONDS = 120.0
_SETTLE_SECONDS = 5.0
_STORE_SECONDS = 60.0
_PATIENCE_SECONDS = 10.0
_HASTE_SECONDS = 2.0  # without its broker a worker does not end by itself
_TICK_SECONDS = 0.5
_READ_SECONDS = 2.0
_FEED_SECONDS = 0.25  # the embedded broker slows down with the number of batches it holds


@dataclass(frozen=True)
class Plan:
    """What is wanted: `seconds` of live scores of this company, or until stopped; a database to be kept is complete."""

    company: Company
    window: str
    seconds: float | None = None
    keep: bool = False


class Demo:
    """One run in `folder`, on a broker that answers; `run` is called once, `view` says what is known.

    `streams` is the worker, started already: it takes longest.
    """

    def __init__(self, plan: Plan, settings: Settings, folder: Path, broker: EmbeddedBroker, streams: Child) -> None:
        self.scores, self.machine = Scores(), WorkerMetrics(settings)
        self.sent: Mapping[str, int] = Counter()
        self.doing: Doing = "starting"
        self.remark = ""
        self._plan, self._settings, self._folder, self._broker = plan, settings, folder, broker
        self._stop, self._hurry, self._enough = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._children = [streams]
        self._workers = [streams]
        self._tasks: list[asyncio.Task[None]] = []
        self._began = self._past_until = monotonic()
        self._live_since: float | None = None

    async def run(self, screen: Screen) -> View:
        """Start all, show it until it is over, end all; returns the last view.

        Raises `CxError` when a part ends by itself.
        """
        self._listen()
        try:
            await asyncio.to_thread(create_topics, self._settings)
            work = (self._feed(), follow(self._settings, self.scores), self._read())
            self._tasks += [asyncio.create_task(part) for part in work]
            await self._watch(screen)
            if self._live_since is not None:
                await self._settle(screen)
            return self.view()
        except CxError:
            await self._end(_HASTE_SECONDS)
            raise
        finally:
            await self._end(_PATIENCE_SECONDS)

    def view(self) -> View:
        """What is known now."""
        since = self._began if self._live_since is None else self._live_since
        return View(datetime.now(UTC), self.scores, self.machine, self._plan.window, self.doing,
                    monotonic() - since, sum(self.sent.values()), self._incident())  # fmt: skip

    def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._signalled)

    def _signalled(self) -> None:
        """The first signal ends the demo, the second one the waiting for its end."""
        (self._hurry if self._stop.is_set() else self._stop).set()

    def _start(self, *arguments: str) -> Child:
        self._children.append(start_in(self._folder, *arguments))
        return self._children[-1]

    async def _feed(self) -> None:
        await feed(self._settings, self._plan.company, HISTORY_DAYS, self._enough, tick=_FEED_SECONDS,
                   progress=self._fed)  # fmt: skip

    def _fed(self, phase: Phase, counts: Mapping[str, int]) -> None:
        self.sent = dict(counts)
        if phase == "history":
            self._past_until = monotonic()
        if self.doing == "starting":
            self.doing = "loading"

    async def _read(self) -> None:
        while True:
            await self.machine.read()
            await asyncio.sleep(_READ_SECONDS)

    async def _store(self) -> None:
        """Start the database, which takes the processor for seconds, once there is something to see."""
        migrating = self._start("migrate")
        while migrating.exit_code is None:  # noqa: ASYNC110 - another process sets no event
            await asyncio.sleep(0.05)
        if migrating.exit_code:
            raise _ended(migrating)
        self._workers.append(self._start("worker", "--only", "sinks"))

    async def _watch(self, screen: Screen) -> None:
        while not self._stop.is_set():
            self._check()
            self._advance()
            screen.show(self.view())
            await _pause(self._stop, _TICK_SECONDS)

    def _check(self) -> None:
        """Raise what has ended by itself."""
        self._broker.check()
        for worker in self._workers:
            if worker.exit_code is not None:
                raise _ended(worker)
        for task in self._tasks:
            if task.done():
                task.result()
        if self._live_since is None and monotonic() - self._began > _START_SECONDS:
            raise CxError(f"no scores within {_START_SECONDS:g} s: see {self._folder}/*.log, "
                          "and whether this machine has anything to spare")  # fmt: skip

    def _advance(self) -> None:
        now = monotonic()
        if self._live_since is None and self.scores.find("nps", "total", "all", self._plan.window):
            self._live_since, self.doing = now, "live"
            self._tasks.append(asyncio.create_task(self._store()))
        over = self._plan.seconds is not None and self._live_since is not None
        if over and now - (self._live_since or now) >= (self._plan.seconds or 0):
            self._stop.set()
        if _resident_bytes(self._broker.pid) > MEMORY_BYTES:
            self.remark = f"the broker keeps all in memory, now {MEMORY_BYTES >> 30} GiB: a lower --rate runs longer"
            self._stop.set()

    def _incident(self) -> str:
        incident = self._plan.company.incident
        if incident is None or self.doing == "starting":
            return ""
        where = f"staged incident ({', '.join(incident.touchpoints)})"
        since = monotonic() - self._past_until - incident.offset
        if since < 0:
            return f"{where}: in {-since:.0f} s"
        over = since - incident.length
        return f"{where}: over for {over:.0f} s" if over > 0 else f"{where}: under way for {since:.0f} s"

    async def _settle(self, screen: Screen) -> None:
        """Let all that was sent be counted and, where it is kept, be stored, as long as that goes on.

        A second signal ends the waiting.
        """
        self.doing = "ending"
        self._enough.set()
        moved, before = monotonic(), -1.0
        while not self._is_settled() and not self._hurry.is_set():
            self._check()
            await self.machine.read()
            screen.show(self.view())
            done = self.machine.received + sum(self.machine.stored.values())
            if done != before:
                moved, before = monotonic(), done
            elif monotonic() > moved + (_STORE_SECONDS if self._plan.keep else _SETTLE_SECONDS):
                self.remark = "not everything was counted and stored: this machine is too busy"
                break
            await _pause(self._hurry, 0.2)
        await _pause(self._hurry, _TICK_SECONDS)  # the last windows are on their way

    def _is_settled(self) -> bool:
        machine, feeding = self.machine, self._tasks[0]
        counted = feeding.done() and machine.received >= sum(self.sent.values()) and not machine.waiting
        stored = all(machine.stored.get(topic, 0) >= number for topic, number in self.sent.items())
        return counted and (not self._plan.keep or (stored and not machine.to_store))

    async def _end(self, patience: float) -> None:
        for task in self._tasks:
            task.cancel()
        with suppress(TimeoutError):  # a client may wait long for a broker that is gone
            await asyncio.wait_for(asyncio.gather(*self._tasks, return_exceptions=True), patience)
        end_all(self._children, patience)


def _ended(child: Child) -> CxError:
    """Why it has ended, and where it says more: the folder stays."""
    reason = child.failure()
    error = CxError(f"{reason}; its log: {child.log}")
    error.exit_code = reason.exit_code
    return error


async def _pause(until: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(until.wait(), seconds)


def _resident_bytes(pid: int | None) -> int:
    """Memory a process holds; 0 where the system does not say."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    except OSError:
        return 0
