"""What every sink is: it declares which URLs it takes, and stores records by `add`, `flush` and `close`."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from schemas.catalogue import TOPICS
from schemas.reject import Reject

PUBLIC_TOPICS = tuple(topic.name for topic in TOPICS if topic.role != "internal")
"""Names of the topics that can be stored, without a prefix."""

BUFFERED_FLUSHES = 5
"""A sink buffers up to this many times its `flush_rows` before `add` refuses more."""


class SinkRecord(NamedTuple):
    """One record of a topic as it lies on the broker.

    `timestamp_ms` is the broker's, since 1970 UTC. A `value` of None is a tombstone.
    """

    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None


class SinkStatus(NamedTuple):
    """The state of a store in one line, and whether the sink could start storing there now."""

    ready: bool
    text: str


class Sink(ABC):
    """A place where records are stored. `sinks.registry.SINKS` lists all of them.

    The class methods answer for a URL without keeping a connection; `cxstream check`, `doctor`, `migrate` and
    `worker` call them. An instance belongs to one worker, which may call `add` while a `flush` runs in another
    thread. Acknowledge the records of an `add` only after a `flush` that started after that `add` has
    returned.

    The module of a sink must be cheap to import: every command imports all of them, so a client library is
    imported where the first connection is made.
    """

    name: ClassVar[str]
    """Names it in `cxstream worker --only NAME`, in metrics and in its consumer group; lower-case letters."""
    schemes: ClassVar[tuple[str, ...]]
    """The URL schemes it takes; no other sink takes the same."""
    url_example: ClassVar[str]
    """A URL of the right form, for error messages."""
    setting: ClassVar[str] = "sinks.urls"
    """The setting that holds its URL."""
    topics: ClassVar[tuple[str, ...]] = PUBLIC_TOPICS
    """The topics it stores, by their names in the catalogue."""
    packages: ClassVar[tuple[str, ...]] = ()
    """The Python packages it needs, which `cxstream doctor` lists with their versions."""

    writes: int
    """Rises with everything that has been stored: a long `flush` during which it does not rise is stuck."""

    @abstractmethod
    def __init__(self, url: str, *, flush_rows: int) -> None:
        """Prepare to store at `url`, without I/O. Raises `SinkError` where the URL is malformed.

        `flush_rows` is the size of one write, at most.
        """

    @classmethod
    def role(cls) -> str:
        """The suffix of its consumer group's name, `<app.id>-<role>`."""
        return f"sinks-{cls.name}"

    @classmethod
    @abstractmethod
    def address(cls, url: str) -> str:
        """The URL in a form to print, without a password. Raises `SinkError` where it is malformed; no I/O."""

    @classmethod
    @abstractmethod
    def check(cls, url: str) -> SinkStatus:
        """Look at the store, changing nothing. Raises `SinkError`, with the fix, where it cannot be used."""

    @classmethod
    @abstractmethod
    def require(cls, url: str) -> None:
        """Raise `SinkError`, with the fix, unless storing can begin; called once before a worker starts."""

    @classmethod
    def migrate(cls, url: str) -> list[str] | None:
        """Apply the pending migrations and return their names; None for a sink that has none.

        Raises `SinkError`. Running it again is harmless.
        """
        return None

    @abstractmethod
    def warm(self) -> None:
        """Connect and check the store before the first record; blocking. Raises `SinkError`."""

    @abstractmethod
    def add(self, topic: str, partition: int, records: Sequence[SinkRecord]) -> None:
        """Buffer records, without I/O; `topic` is the catalogue's name, without a prefix.

        Raises `SinkUnavailable` when the buffer is full; then none of these records was buffered.
        """

    @abstractmethod
    def flush(self) -> list[Reject]:
        """Store everything that was added, blocking; returns the rejects of what can never be stored.

        Records that are delivered again must not be stored twice. Raises `SinkUnavailable`, keeping
        everything, when it should be called again later, and `SinkError` when only a person can help.
        """

    @abstractmethod
    def close(self) -> None:
        """Close the connection and drop what was not flushed. May be called twice."""
