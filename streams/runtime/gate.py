"""Whether the runner of a partition may write: it may not during a rebalance."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """Lets the writes of one runner through, one at a time, unless it is suspended. A new gate is open.

    A rebalance may give the partition to another worker. The runner is suspended when the rebalance begins:
    no further write starts, and the one in flight gets some time to finish, so that its records need not be
    read again. It is resumed if the partition stays here.
    """

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._writing = asyncio.Lock()

    @asynccontextmanager
    async def open_for_write(self) -> AsyncIterator[None]:
        """Wait until the gate is open and no other write is in flight; `suspend` waits for the end of this one."""
        while True:
            await self._open.wait()
            async with self._writing:
                if self._open.is_set():  # a suspension may have come between the two waits
                    yield
                    return

    async def suspend(self, patience_s: float) -> bool:
        """Let no further write begin; returns whether the one in flight, if any, ended within `patience_s` seconds."""
        self._open.clear()
        try:
            async with asyncio.timeout(patience_s), self._writing:
                return True
        except TimeoutError:
            return False

    def resume(self) -> None:
        """Let writes through again."""
        self._open.set()
