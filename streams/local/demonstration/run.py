"""The run: topics, workers and the simulated company, started together, watched, and stopped in order."""

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
from streams.local.demonstration.incident import incident_text
from streams.local.demonstration.scores import Scores, follow
from streams.local.demonstration.screen import Activity, Screen, View
from streams.local.demonstration.worker_metrics import WorkerMetrics
from streams.local.embedded_broker import EmbeddedBroker
from streams.local.supervision import Child, stop_all
from streams.runtime.clock import monotonic
from streams.runtime.progress_clock import ProgressClock
from streams.runtime.topics import create_topics
from streams.settings import Settings
from streams.simulation import Company
from streams.simulation.feed import Phase, feed

HISTORY_DAYS = 7
BROKER_MEMORY_LIMIT_BYTES = 2 << 30
"""A demo ends at this size of the broker, which keeps all records in memory."""

_START_TIMEOUT_S = 120.0
_COUNT_STALL_S = 5.0
_STORE_STALL_S = 60.0
_STOP_TIMEOUT_S = 10.0
_STOP_TIMEOUT_AFTER_FAILURE_S = 2.0  # short: a worker that has lost its broker does not end by itself
_SCREEN_INTERVAL_S = 0.5
_METRICS_INTERVAL_S = 2.0
_FEED_INTERVAL_S = 0.25  # the embedded broker slows down with the number of batches it stores


@dataclass(frozen=True)
class DemoOptions:
    """The company, the window of the table and the duration of the live scores (None: until stopped).

    With `keep` the run ends only when the database has everything.
    """

    company: Company
    window: str
    duration_s: float | None = None
    keep: bool = False


class Demo:
    """One run in `folder` on a broker that has started; call `run` once. `view` is the state at any time.

    `streams` is the stream worker, started before this module was imported because it takes longest.
    """

    def __init__(
        self, options: DemoOptions, settings: Settings, folder: Path, broker: EmbeddedBroker, streams: Child
    ) -> None:
        self.scores, self.worker_metrics = Scores(), WorkerMetrics(settings)
        self.sent_by_topic: Mapping[str, int] = Counter()
        self.activity: Activity = "starting"
        self.remark = ""
        self._options, self._settings, self._folder, self._broker = options, settings, folder, broker
        self._stop, self._skip_waiting, self._stop_feed = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._children = [streams]
        self._workers = [streams]
        self._tasks: list[asyncio.Task[None]] = []
        self._started_s = self._history_ended_s = monotonic()
        self._live_since_s: float | None = None

    async def run(self, screen: Screen) -> View:
        """Start all parts, show them until the end, stop all parts; returns the last view.

        Raises `CxError` when a part ends by itself.
        """
        self._install_signal_handlers()
        try:
            await asyncio.to_thread(create_topics, self._settings)
            work = (self._feed(), follow(self._settings, self.scores), self._read_metrics())
            self._tasks += [asyncio.create_task(part) for part in work]
            await self._watch(screen)
            if self._live_since_s is not None:
                await self._settle(screen)
            return self.view()
        except CxError:
            await self._end(_STOP_TIMEOUT_AFTER_FAILURE_S)
            raise
        finally:
            await self._end(_STOP_TIMEOUT_S)

    def view(self) -> View:
        """The state now."""
        since_s = self._started_s if self._live_since_s is None else self._live_since_s
        return View(
            at=datetime.now(UTC),
            scores=self.scores,
            worker_metrics=self.worker_metrics,
            window=self._options.window,
            activity=self.activity,
            elapsed_s=monotonic() - since_s,
            sent=sum(self.sent_by_topic.values()),
            incident=self._incident_text(),
        )

    def _install_signal_handlers(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        """The first signal ends the demo; the second one ends the waiting for what is still under way."""
        (self._skip_waiting if self._stop.is_set() else self._stop).set()

    def _start(self, *arguments: str) -> Child:
        self._children.append(start_in(self._folder, *arguments))
        return self._children[-1]

    async def _feed(self) -> None:
        company, stop = self._options.company, self._stop_feed
        await feed(self._settings, company, HISTORY_DAYS, stop, tick_s=_FEED_INTERVAL_S, progress=self._on_sent)

    def _on_sent(self, phase: Phase, counts: Mapping[str, int]) -> None:
        self.sent_by_topic = dict(counts)
        if phase == "history":
            self._history_ended_s = monotonic()
        if self.activity == "starting":
            self.activity = "loading"

    async def _read_metrics(self) -> None:
        while True:
            await self.worker_metrics.read()
            await asyncio.sleep(_METRICS_INTERVAL_S)

    async def _start_storing(self) -> None:
        """Migrate the database and start its worker; both take the processor for seconds, so scores come first."""
        migrating = self._start("migrate")
        while migrating.exit_code is None:  # noqa: ASYNC110 - another process sets no event
            await asyncio.sleep(0.05)
        if migrating.exit_code:
            raise _failure(migrating)
        self._workers.append(self._start("worker", "--only", "sinks"))

    async def _watch(self, screen: Screen) -> None:
        while not self._stop.is_set():
            self._check()
            self._advance()
            screen.show(self.view())
            await _sleep_unless(self._stop, _SCREEN_INTERVAL_S)

    def _check(self) -> None:
        """Raise the error of a part that has ended by itself."""
        self._broker.check()
        for worker in self._workers:
            if worker.exit_code is not None:
                raise _failure(worker)
        for task in self._tasks:
            if task.done():
                task.result()
        if self._live_since_s is None and monotonic() - self._started_s > _START_TIMEOUT_S:
            raise CxError(
                f"no scores within {_START_TIMEOUT_S:g} s: see {self._folder}/*.log, "
                "and whether this machine is busy with something else"
            )

    def _advance(self) -> None:
        now_s, duration_s = monotonic(), self._options.duration_s
        if self._live_since_s is None and self.scores.find("nps", "total", "all", self._options.window):
            self._live_since_s, self.activity = now_s, "live"
            self._tasks.append(asyncio.create_task(self._start_storing()))
        if self._live_since_s is not None and duration_s is not None and now_s - self._live_since_s >= duration_s:
            self._stop.set()
        if _resident_bytes(self._broker.pid) > BROKER_MEMORY_LIMIT_BYTES:
            self.remark = (
                f"the broker keeps all records in memory and has reached {BROKER_MEMORY_LIMIT_BYTES >> 30} GiB: "
                "a lower --rate runs longer"
            )
            self._stop.set()

    def _incident_text(self) -> str:
        incident = self._options.company.incident
        if incident is None or self.activity == "starting":
            return ""
        return incident_text(incident, monotonic() - self._history_ended_s)

    async def _settle(self, screen: Screen) -> None:
        """Wait until all events sent are counted and, with `keep`, stored, as long as there is progress.

        A second signal ends the waiting.
        """
        self.activity = "ending"
        self._stop_feed.set()
        metrics, progress = self.worker_metrics, ProgressClock(monotonic)
        while not self._is_settled() and not self._skip_waiting.is_set():
            self._check()
            await metrics.read()
            screen.show(self.view())
            progress.moved_to(int(metrics.received + sum(metrics.stored_by_topic.values())))
            if progress.still_s > (_STORE_STALL_S if self._options.keep else _COUNT_STALL_S):
                self.remark = "not everything was counted and stored: this machine is too busy"
                break
            await _sleep_unless(self._skip_waiting, 0.2)
        await _sleep_unless(self._skip_waiting, _SCREEN_INTERVAL_S)  # the last windows are still to be published

    def _is_settled(self) -> bool:
        metrics, feeding = self.worker_metrics, self._tasks[0]
        counted = feeding.done() and metrics.received >= sum(self.sent_by_topic.values()) and not metrics.lag_records
        stored = all(metrics.stored_by_topic.get(topic, 0) >= count for topic, count in self.sent_by_topic.items())
        return counted and (not self._options.keep or (stored and not metrics.pending_records))

    async def _end(self, timeout_s: float) -> None:
        for task in self._tasks:
            task.cancel()
        with suppress(TimeoutError):  # a client may wait long for a broker that has ended
            await asyncio.wait_for(asyncio.gather(*self._tasks, return_exceptions=True), timeout_s)
        stop_all(self._children, timeout_s)


def _failure(child: Child) -> CxError:
    """The child's error with the path of its log, which stays."""
    reason = child.failure()
    error = CxError(f"{reason}; its log: {child.log}")
    error.exit_code = reason.exit_code
    return error


async def _sleep_unless(event: asyncio.Event, duration_s: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), duration_s)


def _resident_bytes(pid: int | None) -> int:
    """Resident memory of a process; 0 where the system does not report it."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
    except OSError:
        return 0
