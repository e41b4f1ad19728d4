"""Which partitions this worker owns: opened on assignment, let go on revocation."""

import asyncio
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping
from typing import Any, Generic, Protocol, TypeVar

from faust.types import TP

from streams.errors import FencedError
from streams.runtime.fatal import OnFatal

log = logging.getLogger(__name__)

DRAIN_SECONDS = 3.0
"""How long a checkpoint in flight may hold up a rebalance."""


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

    A rebalance revokes everything and assigns anew: what stays here keeps its state, what goes is
    dropped, what comes is opened in the background; `get` waits for it.
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
        """A runner cannot go on: so the worker cannot, unless a rebalance is about to take its partition away."""
        if isinstance(error, FencedError) and not self._assignment_known.is_set():
            log.info("%s; a rebalance is under way", error)
        else:
            self._on_fatal(error)

    @property
    def running(self) -> Mapping[int, R]:
        """The runners that are open now."""
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
        """The runner of a partition, when its state is there; None when the partition is not ours."""
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
        """A rebalance has begun: write nothing until it is known what stays."""
        self._assignment_known.clear()
        await asyncio.gather(*(runner.suspend(DRAIN_SECONDS) for runner in self.running.values()))

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
        """Let everything go."""
        for partition in list(self._tasks):
            await self._release(partition)

    async def _release(self, partition: int) -> None:
        task = self._tasks.pop(partition)
        if not task.done():
            task.cancel()
        elif not task.cancelled() and task.exception() is None:
            await task.result().close(DRAIN_SECONDS)
        log.info("partition %d let go", partition)

    async def _open_runner(self, partition: int) -> R:
        runner = await self._open(partition, self.runner_failed)
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # a client that was just closing may have swallowed it
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
            log.info("a partition was let go while it was opened, which ended with: %s", error)
