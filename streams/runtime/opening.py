"""Opening a partition: its runner is built, loads its state, and is compared with the logs."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import TopicPartition

from schemas.catalogue import REKEYED, SOURCE_TOPICS
from streams.core.stage1.definition import Definition
from streams.core.stage2.cell_state import SourcePartition
from streams.errors import HoleError
from streams.runtime.connection import aiokafka_options, transactions_supported
from streams.runtime.fatal import OnFatal
from streams.runtime.faust_app import BatchApp
from streams.runtime.holes import LogPosition
from streams.runtime.offsets import OffsetReader
from streams.runtime.partitions import Runner
from streams.runtime.publishing import Publisher
from streams.runtime.stage1_runner import Stage1Runner
from streams.runtime.stage2_runner import Stage2Runner
from streams.runtime.telemetry import Telemetry
from streams.settings import Settings

log = logging.getLogger(__name__)

Ends = Mapping[SourcePartition, int]
"""Where a replay ends: the offset after the last record of each source partition that has any."""

CommittedOffsets = Callable[[Collection[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]]


class PartitionOpener:
    """Opens partitions of both stages for one worker.

    `committed` returns the offsets that the worker's group has committed, -1 for none. `ends` and `hold_results`
    are those of `Stage2Runner`. `definition` holds for partitions that are opened from now on.
    """

    def __init__(
        self,
        settings: Settings,
        definition: Definition,
        telemetry: Telemetry,
        committed: CommittedOffsets,
        ends: Ends | None,
        hold_results: Callable[[], bool],
    ) -> None:
        self.definition = definition
        self._settings = settings
        self._telemetry = telemetry
        self._committed = committed
        self._ends = ends
        self._hold_results = hold_results
        self._options = aiokafka_options(settings)
        self._publisher = Publisher(settings)
        self._transactional: bool | None = None
        self._probing = asyncio.Lock()

    async def open_stage1(self, partition: int, on_fatal: OnFatal) -> Stage1Runner:
        """The runner of a source partition, with its state. Raises what `Stage1Runner.open` raises."""
        runner = Stage1Runner(
            partition,
            self.definition,
            self._settings,
            self._options,
            self._publisher,
            self._telemetry,
            await self._is_transactional(),
            on_fatal,
        )
        async with _closed_on_error(runner):
            await runner.open(PartitionLogs(self._options, self._source_topics(partition), self._committed))
        return runner

    async def open_stage2(self, partition: int, on_fatal: OnFatal) -> Stage2Runner:
        """The runner of a partition of cells, with its windows. Raises what `Stage2Runner.open` raises."""
        runner = Stage2Runner(
            partition,
            self.definition,
            self._settings,
            self._options,
            self._publisher,
            self._telemetry,
            await self._is_transactional(),
            on_fatal,
            self._ends,
            self._hold_results,
        )
        async with _closed_on_error(runner):
            await runner.open()
        return runner

    def _source_topics(self, partition: int) -> dict[TopicPartition, str]:
        topics = (*SOURCE_TOPICS, REKEYED)
        return {TopicPartition(self._settings.topic(topic.name), partition): topic.name for topic in topics}

    async def _is_transactional(self) -> bool:
        async with self._probing:  # partitions are opened concurrently, and one answer serves all
            if self._transactional is None:
                self._transactional = await transactions_supported(self._settings)
                if not self._transactional:
                    log.warning("the broker has no transactions: this must be the only worker")
            return self._transactional


class PartitionLogs:
    """The source topics in one partition number; see `SourceLogs`.

    Each question has a connection of its own: the changelog is read between the two, which may take minutes, and a
    connection that is idle for so long may be gone without a word.
    """

    def __init__(
        self, options: Mapping[str, Any], topics: Mapping[TopicPartition, str], committed: CommittedOffsets
    ) -> None:
        self._options = options
        self._topics = topics
        self._committed = committed

    async def positions(self) -> dict[str, LogPosition]:
        """Where the logs start and what the group has committed, as of now."""
        async with OffsetReader(self._options) as reader:
            starts = await reader.starts(self._topics)
        committed = await self._committed(self._topics)
        return {topic: LogPosition(starts[tp], committed[tp]) for tp, topic in self._topics.items()}

    async def ends(self) -> dict[str, int]:
        """The offset after the last record of each log, as of now."""
        async with OffsetReader(self._options) as reader:
            ends = await reader.ends(self._topics, "read_uncommitted")
        return {topic: ends[tp] for tp, topic in self._topics.items()}


async def committed_offsets(app: BatchApp, tps: Collection[TopicPartition]) -> dict[TopicPartition, int]:
    """The offsets that the app's group has committed, -1 for none.

    The app's own consumer is asked, in its thread: another client in the group would cause a rebalance.
    Raises `HoleError` if the app is stopping and has no consumer any more.
    """
    thread = getattr(app.consumer, "_thread", None) if app.started else None
    consumer = getattr(thread, "_consumer", None)
    if thread is None or consumer is None:
        raise HoleError("the consumer is gone; its offsets cannot be compared with the state")
    found = {tp: await thread.call_thread(consumer.committed, tp) for tp in tps}
    return {tp: -1 if offset is None else offset for tp, offset in found.items()}


@asynccontextmanager
async def _closed_on_error(runner: Runner) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        await runner.close(0.0)
        raise
