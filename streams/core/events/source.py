"""What the core knows of one source of events: a declaration, and the functions that follow from it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any

from xxhash import xxh3_64_digest

from schemas.catalogue import Topic
from schemas.decoding import EventDecoder
from streams.core.events.entry import Entry
from streams.core.events.evidence import Evidence
from streams.core.events.identity import identity_of, identity_seed
from streams.core.events.record_fields import RecordFields
from streams.core.time.instants import to_ms

Keep = Callable[[Sequence[Entry], int, bool], frozenset[bytes]]
"""Returns the identities of entries that are kept although they are older than the floor.

It is given the entries of one customer and source, the floor of the source (ms), and whether the customer has younger
entries of another source."""

Observe = Callable[[Entry, Evidence], None]


@dataclass(frozen=True, kw_only=True)
class EventSource:
    """The declaration of a source: everything that differs from one source to the next.

    `code` is permanent and never given to another source: it is the first of all `fields` in the state. `read` makes
    those fields of an event, in the order of `fields`; the last may be missing. `each_event_is_a_record` says that
    every event counts by itself (changes of tickets and accounts); otherwise a record is one thing whose newest
    version counts. `version_rank` orders events of equal revision, as a number below `ranks`. `has_derived_records`
    says that more follows from a customer's records together than from each alone (`streams/core/derived/`).

    `keep` names what outlives the ledger's horizon. `observe` says which evidence of churn an entry is, and
    `observe_expired` what it still is beyond the horizon; a source without `observe` feeds no churn feature. Background
    evidence counts at any age, but is not enough to state a risk.
    """

    code: int
    topic: Topic
    fields: tuple[str, ...]
    read: Callable[[Any], RecordFields]
    each_event_is_a_record: bool = False
    version_rank: Callable[[Any], int] | None = None
    ranks: int = 1
    has_derived_records: bool = False
    keep: Keep | None = None
    observe: Observe | None = None
    observe_expired: Observe | None = None
    is_background: bool = False

    def decoder(self) -> EventDecoder[Any]:
        """A new decoder of this topic's records."""
        return EventDecoder(self.topic.record)

    @cached_property
    def identify(self) -> Callable[[Any], bytes]:
        """Gives the identity of an event's record within its customer's ledger, as `identity_of` makes it."""
        seed = identity_seed(self.topic.name)

        def of_event(event: Any) -> bytes:
            return xxh3_64_digest(f"{event.record_id}\0{event.event_id}".encode(), seed)

        def of_record(event: Any) -> bytes:
            return xxh3_64_digest(event.record_id.encode(), seed)

        return of_event if self.each_event_is_a_record else of_record

    def anonymous_key(self, event: Any, identity: bytes) -> bytes:
        """The ledger key of a record without a customer: its own, which all events about one thing share."""
        return b"n" + (identity_of(self.topic.name, event.record_id) if self.each_event_is_a_record else identity)

    def version(self, event: Any, time_ms: int) -> int:
        """Orders the versions of one record: revision, else updated_at, else time; then the rank."""
        if event.revision is not None:
            number: int = event.revision
        else:
            number = time_ms if event.updated_at is None else to_ms(event.updated_at)
        return number if self.version_rank is None else number * self.ranks + self.version_rank(event)

    def dimensions(self, names: Sequence[str]) -> Callable[[Any], tuple[str, ...]]:
        """A function that reads these dimensions of an event, empty where its source has none."""
        own = self.topic.record.__struct_fields__
        if len(names) > 1 and all(name in own for name in names):
            return attrgetter(*names)
        return lambda event: tuple(getattr(event, name, "") for name in names)
