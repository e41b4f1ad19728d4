"""Where a partition's log really starts and ends; recovery and the detection of holes depend on it.

The answer to "latest offset" is not the end of the log on every broker: the embedded one answers the base offset of
the last batch plus 1. The high watermark that comes with every fetch is the end on every broker.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from types import TracebackType
from typing import Any, Literal

import aiokafka.errors
from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.offset import OffsetRequest, OffsetResetStrategy

from streams.errors import BrokerError
from streams.runtime.clock import monotonic
from streams.runtime.connection import connected

Isolation = Literal["read_committed", "read_uncommitted"]
OffsetsByPartition = dict[TopicPartition, int]

_FETCH_WAIT_MS = 20  # without any, the embedded broker leaves empty partitions out of its answer
_RETRY_S = 0.05
_TRANSIENT = (
    aiokafka.errors.OffsetOutOfRangeError,
    aiokafka.errors.UnknownError,
)


async def high_watermarks(
    options: Mapping[str, Any], partitions: Collection[TopicPartition], isolation: Isolation, within_s: float = 10.0
) -> OffsetsByPartition:
    """The offset after the last record (or transaction marker) of each partition.

    With `read_committed` it is the last stable offset: how far a reader of that isolation can get now, before the
    first open transaction. A reader that has consumed everything stands exactly here.
    Raises `BrokerError` if there is no answer for a partition within `within_s` seconds.
    """
    async with OffsetReader(options, within_s) as reader:
        return await reader.ends(partitions, isolation)


class OffsetReader:
    """One connection for repeated questions; `options` are those of any aiokafka client.

    Every question is answered within `within_s` seconds or raises `BrokerError`. The connection may be idle between
    questions: it is made again if the broker has closed it.
    """

    def __init__(self, options: Mapping[str, Any], within_s: float = 10.0) -> None:
        self._options = options
        self._within_s = within_s

    async def __aenter__(self) -> "OffsetReader":
        self._client = AIOKafkaClient(**self._options, request_timeout_ms=round(self._within_s * 1000))
        try:
            async with asyncio.timeout(self._within_s):
                await connected(self._client.bootstrap())
        except BaseException as error:
            await self._client.close()
            if isinstance(error, (TimeoutError, aiokafka.errors.KafkaConnectionError)):
                raise BrokerError(f"no broker at {self._brokers}: start it or set kafka.brokers") from None
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.close()

    async def ends(self, partitions: Collection[TopicPartition], isolation: Isolation) -> OffsetsByPartition:
        """See `high_watermarks`."""

        async def ask(missing: Collection[TopicPartition]) -> OffsetsByPartition:
            return await self._fetch_ends(await self._list_offsets(missing, OffsetResetStrategy.LATEST), isolation)

        return await self._ask_until_complete("end", partitions, ask)

    async def starts(self, partitions: Collection[TopicPartition]) -> OffsetsByPartition:
        """The first offset that each partition still has; raises `BrokerError` after `within_s` seconds."""

        async def ask(missing: Collection[TopicPartition]) -> OffsetsByPartition:
            return await self._list_offsets(missing, OffsetResetStrategy.EARLIEST)

        return await self._ask_until_complete("start", partitions, ask)

    async def wait_for_transactions(self, partitions: Collection[TopicPartition], patience_s: float) -> None:
        """Return once no transaction is open in the partitions.

        Kafka confirms the commit of a transaction before its partitions have the marker, so a reader may still be
        held back. Raises `BrokerError` if a transaction stays open for `patience_s` seconds.
        """
        deadline = monotonic() + patience_s
        while await self.ends(partitions, "read_committed") != await self.ends(partitions, "read_uncommitted"):
            if monotonic() > deadline:
                names = ", ".join(sorted({tp.topic for tp in partitions}))
                raise BrokerError(
                    f"{names}: a transaction stays open for {patience_s:g} s; is another replay of this name running?"
                )
            await asyncio.sleep(_RETRY_S)

    @property
    def _brokers(self) -> str:
        return ",".join(self._options["bootstrap_servers"])

    async def _ask_until_complete(
        self,
        what: str,
        partitions: Collection[TopicPartition],
        ask: Callable[[Collection[TopicPartition]], Awaitable[OffsetsByPartition]],
    ) -> OffsetsByPartition:
        found: OffsetsByPartition = {}
        missing = set(partitions)
        self._last_error = "no answer"
        try:
            async with asyncio.timeout(self._within_s):
                await self._client.set_topics({tp.topic for tp in partitions})
                while True:
                    found |= await self._attempt(ask, missing)
                    missing -= found.keys()
                    if not missing:
                        return found
                    await asyncio.sleep(_RETRY_S)
                    await self._client.force_metadata_update()
        except TimeoutError:
            names = ", ".join(sorted(f"{tp.topic}/{tp.partition}" for tp in missing))
            raise BrokerError(
                f"{self._brokers} did not report the {what} of {names} "
                f"within {self._within_s:g} s ({self._last_error}): "
                "see `cxstream doctor`, and whether every partition has a leader"
            ) from None

    async def _attempt(
        self,
        ask: Callable[[Collection[TopicPartition]], Awaitable[OffsetsByPartition]],
        missing: Collection[TopicPartition],
    ) -> OffsetsByPartition:
        try:
            return await ask(missing)
        except aiokafka.errors.KafkaError as error:
            self._last_error = type(error).__name__
            return {}

    async def _list_offsets(self, partitions: Collection[TopicPartition], timestamp: int) -> OffsetsByPartition:
        found: OffsetsByPartition = {}
        for leader, topics in self._by_leader(dict.fromkeys(partitions, (timestamp,))).items():
            response = await self._client.send(leader, OffsetRequest(-1, 0, topics))
            for topic, answers in response.topics:
                for partition, code, _, offset in answers:
                    if self._is_answer(topic, code):
                        found[TopicPartition(topic, partition)] = offset
        return found

    async def _fetch_ends(self, positions: Mapping[TopicPartition, int], isolation: Isolation) -> OffsetsByPartition:
        committed = isolation == "read_committed"
        found: OffsetsByPartition = {}
        for leader, topics in self._by_leader({tp: (offset, 1) for tp, offset in positions.items()}).items():
            response = await self._client.send(leader, FetchRequest(_FETCH_WAIT_MS, 0, 1, int(committed), topics))
            for topic, answers in response.topics:
                for partition, code, high_watermark, last_stable, *_ in answers:
                    if self._is_answer(topic, code):
                        found[TopicPartition(topic, partition)] = last_stable if committed else high_watermark
        return found

    def _by_leader(
        self, asked: Mapping[TopicPartition, tuple[int, ...]]
    ) -> dict[int, list[tuple[str, list[tuple[int, ...]]]]]:
        leaders: dict[int, dict[str, list[tuple[int, ...]]]] = defaultdict(lambda: defaultdict(list))
        for tp, arguments in asked.items():
            leader = self._client.cluster.leader_for_partition(tp)
            if leader is None or leader < 0:
                self._last_error = f"{tp.topic}/{tp.partition} has no leader or does not exist"
            else:
                leaders[leader][tp.topic].append((tp.partition, *arguments))
        return {leader: list(topics.items()) for leader, topics in leaders.items()}

    def _is_answer(self, topic: str, code: int) -> bool:
        kind = aiokafka.errors.for_code(code)
        if kind is aiokafka.errors.NoError:
            return True
        self._last_error = kind.__name__
        if kind in _TRANSIENT or kind.retriable:
            return False
        raise BrokerError(f"{self._brokers} refuses offsets of {topic}: {kind.__name__}; see the rights on that topic")
