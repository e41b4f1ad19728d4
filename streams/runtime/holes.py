"""Whether records are missing between the state of a source partition and its logs."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from streams.core.stage1.partition_state import PartitionState
from streams.errors import HoleError


class LogPosition(NamedTuple):
    """Where a source partition's log starts, and the group's committed offset (-1 for none)."""

    start: int
    committed: int


class SourceLogs(Protocol):
    """The logs of all source topics in one partition number, by the topic's name in the catalogue."""

    async def positions(self) -> dict[str, LogPosition]:
        """Where the logs start and what the group has committed, as of now."""
        ...

    async def ends(self) -> dict[str, int]:
        """The offset after the last record of each log, as of now."""
        ...


def refuse_holes(state: PartitionState, positions: Mapping[str, LogPosition], ends: Mapping[str, int]) -> None:
    """Compare a state that was just loaded with its logs.

    `positions` must be from before the state was read, and `ends` from after it: see `Stage1Runner.open`. The
    start of a log matters only for a topic that the state knows; a new topic begins wherever its log starts.
    Raises `HoleError` if records were deleted or acknowledged before they were applied, or if a topic was
    recreated since the state was written.
    """
    for topic, position in positions.items():
        applied, is_known = state.applied(topic), topic in state.progress
        first = max(position.start if is_known else 0, position.committed)
        if first > applied + 1:
            raise _records_gone(state, topic, applied + 1, first)
        if applied >= ends[topic]:
            raise _topic_recreated(state, topic, applied, ends[topic])


def hole_of_deletion(state: PartitionState, topic: str, position: int, start: int) -> HoleError | None:
    """The error of a topic that was to be read on at `position`, but whose log now starts at `start`.

    None if the state has applied all the records that are gone.
    """
    first = max(position, state.applied(topic) + 1)
    if start > first:
        return _records_gone(state, topic, first, start)
    if start < position:
        return _topic_recreated(state, topic, position - 1, start)
    return None


def _records_gone(state: PartitionState, topic: str, first: int, start: int) -> HoleError:
    return HoleError(
        f"{topic}/{state.partition}: records {first} to {start - 1} are gone or were acknowledged "
        "without being in the state; restore the changelog, or set a new app.id and a new kafka.prefix "
        "to count what is left"
    )


def _topic_recreated(state: PartitionState, topic: str, applied: int, end: int) -> HoleError:
    return HoleError(
        f"{topic}/{state.partition}: the state has applied record {applied}, but the log ends at "
        f"{end}: the topic was recreated; restore it, or set a new app.id and a new kafka.prefix "
        "to start with the new one"
    )
