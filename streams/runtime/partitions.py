"""Which partitions this worker owns: opened when they are assigned, released when another worker gets them."""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, Generic, Protocol, TypeVar

from faust.types import TP

from streams.errors import FencedError
from streams.runtime.fatal import OnFatal

log = logging.getLogger(__name__)

SUSPEND_PATIENCE_S = 3.0
"""How long a checkpoint in flight may delay a rebalance."""


class Runner(Protocol):
    """The owner of one partition number of one stage."""

    async def suspend(self, patience_s: float) -> None:
        """Write nothing more until `resume`: the partition may belong to another worker now."""
        ...

    def resume(self) -> None:
        """Write again: the partition still belongs to this worker."""
        ...

    async def close(self, patience_s: float) -> None:
        """Release everything: the partition belongs to another worker."""
        ...


R = TypeVar("R", bound=Runner)


class Partitions(Generic[R]):
    """The runners of one stage, by partition number.

    A rebalance first revokes all partitions and then assigns some. A partition that stays here keeps its runner and
    its state, one that goes elsewhere is released, and a new one is opened in the background; `get` waits for it.
    `on_fatal` is called with an error after which the worker cannot go on.
    """

    def __init__(
        self,
        topics: Collection[str],
        open_runner: Callable[[int, OnFatal], Coroutine[Any, Any, R]],
        on_fatal: OnFatal,
    ) -> None:
        self._topics = topics
        self._open = open_runner
        self._on_fatal = on_fatal
        self._tasks: dict[int, asyncio.Task[R]] = {}
        self._assignment_known = asyncio.Event()

    def runner_failed(self, error: BaseException) -> None:
        """End the worker because a runner cannot go on, unless it was fenced during a rebalance.

        Its partition then belongs to another worker already, and the coming assignment will say so.
        """
        if isinstance(error, FencedError) and not self._assignment_known.is_set():
            log.info("%s; a rebalance is under way", error)
        else:
            self._on_fatal(error)

    @property
    def running(self) -> Mapping[int, R]:
        """The open runners, by partition number."""
        return {
            p: task.result()
            for p, task in self._tasks.items()
            if task.done() and not task.cancelled() and task.exception() is None
        }

    @property
    def loading(self) -> list[int]:
        """Partitions whose state is still being read."""
        return [p for p, task in self._tasks.items() if not task.done()]

    async def get(self, partition: int) -> R | None:
        """The runner of a partition, once its state is loaded; None if this worker does not own the partition."""
        await self._assignment_known.wait()
        opening = self._tasks.get(partition)
        if opening is None:
            return None
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            if opening.cancelled():
                return None
            raise

    async def revoked(self) -> None:
        """A rebalance has begun: write nothing until the new assignment is known."""
        self._assignment_known.clear()
        await asyncio.gather(*(runner.suspend(SUSPEND_PATIENCE_S) for runner in self.running.values()))

    async def assigned(self, tps: Collection[TP]) -> None:
        """A rebalance has ended with this assignment."""
        mine = {tp.partition for tp in tps if tp.topic in self._topics}
        for partition in set(self._tasks) - mine:
            await self._release(partition)
        for runner in self.running.values():
            runner.resume()
        for partition in mine - set(self._tasks):
            self._tasks[partition] = asyncio.create_task(self._open_runner(partition), name=f"open-{partition}")
            self._tasks[partition].add_done_callback(self._on_task_done)
        self._assignment_known.set()

    async def close(self) -> None:
        """Release all partitions."""
        for partition in list(self._tasks):
            await self._release(partition)

    async def _release(self, partition: int) -> None:
        task = self._tasks.pop(partition)
        if not task.done():
            task.cancel()
        elif not task.cancelled() and task.exception() is None:
            await task.result().close(SUSPEND_PATIENCE_S)
        log.info("partition %d released", partition)

    async def _open_runner(self, partition: int) -> R:
        runner = await self._open(partition, self.runner_failed)
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # a client that was closing may have swallowed the cancellation
            await runner.close(0.0)
            raise asyncio.CancelledError
        if not self._assignment_known.is_set():
            await runner.suspend(0.0)
        return runner

    def _on_task_done(self, task: "asyncio.Task[Any]") -> None:
        error = None if task.cancelled() else task.exception()
        if error is None:
            return
        if task in self._tasks.values():
            self.runner_failed(error)
        else:
            log.info("a partition was released while it was being opened, which ended with: %s", error)
