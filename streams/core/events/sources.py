"""How the records of each source topic are read: decoder, identity, version, dimensions, facts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from operator import attrgetter
from typing import Any

from xxhash import xxh3_64_digest

from schemas.account import Account
from schemas.call import Call
from schemas.catalogue import ACCOUNTS, CALLS, SURVEYS, TICKETS
from schemas.decoding import EventDecoder
from schemas.survey import Survey
from schemas.ticket import Ticket
from streams.core.events import fields as facts
from streams.core.ledger.ledger import identity_of, identity_seed

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
_STATE_RANK = {"invited": 0, "declined": 1, "answered": 2}


def to_ms(moment: datetime) -> int:
    """Whole milliseconds since 1970 UTC, rounded down.

    >>> milliseconds(datetime(1970, 1, 1, 0, 0, 1, 999, tzinfo=UTC))
    1000
    """
    return (moment - EPOCH) // MILLISECOND


def to_datetime(ms: int) -> datetime:
    """The UTC time of milliseconds since 1970."""
    return EPOCH + timedelta(milliseconds=ms)


@dataclass(frozen=True)
class Source:
    """One source topic and the functions that read its events.

    `by_event` says that every event is a record of its own (changes of tickets and accounts);
    otherwise a record is one thing whose newest version counts. `cased` says that more follows from a
    customer's records than from each alone.
    """

    topic: str
    record: type[Any]
    by_event: bool
    facts: Callable[[Any], tuple[int, ...]]
    cased: bool = False

    def decoder(self) -> EventDecoder[Any]:
        """A new decoder of this topic's records."""
        return EventDecoder(self.record)

    @cached_property
    def identify(self) -> Callable[[Any], bytes]:
        """Gives the identity of an event's record within its customer's ledger, as `identity` makes it."""
        seed = identity_seed(self.topic)

        def of_event(event: Any) -> bytes:
            return xxh3_64_digest(f"{event.record_id}\0{event.event_id}".encode(), seed)

        def of_record(event: Any) -> bytes:
            return xxh3_64_digest(event.record_id.encode(), seed)

        return of_event if self.by_event else of_record

    def nobody(self, event: Any, record: bytes) -> bytes:
        """The ledger of a record of nobody: its own, which all changes of one thing share."""
        return b"n" + (identity_of(self.topic, event.record_id) if self.by_event else record)

    def version(self, event: Any, time: int) -> int:
        """Orders the versions of one record: revision, else updated_at, else time."""
        if event.revision is not None:
            number: int = event.revision
        else:
            number = time if event.updated_at is None else to_ms(event.updated_at)
        return number * 4 + _STATE_RANK[event.state] if self.record is Survey else number

    def dimensions(self, fields: Sequence[str]) -> Callable[[Any], tuple[str, ...]]:
        """A function that reads these dimensions of an event, empty where its kind has none."""
        own = self.record.__struct_fields__
        if len(fields) > 1 and all(field in own for field in fields):
            return attrgetter(*fields)
        return lambda event: tuple(getattr(event, field, "") for field in fields)


SOURCES = (
    Source(TICKETS.name, Ticket, True, facts.ticket_facts, cased=True),
    Source(CALLS.name, Call, False, facts.call_facts, cased=True),
    Source(SURVEYS.name, Survey, False, facts.survey_facts),
    Source(ACCOUNTS.name, Account, True, facts.account_facts, cased=True),
)
"""Every source; the position is the source's code in the facts."""
