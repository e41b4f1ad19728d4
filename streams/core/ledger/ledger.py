"""What is remembered of each customer: a bounded list of recent records, for dedupe, correction and risk."""

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from xxhash import xxh3_64_digest, xxh3_64_intdigest

from streams.core.events.fields import TICKET, RecordFields
from streams.core.ledger.retention import lasting

SEGMENT = 7
"""Records per segment, at most 15: more make a checkpoint longer, which writes what it touched whole; fewer make
the state larger."""

_NUMBER = 4
_TICKET_NUMBER = 7
_EMPTY_ARRAY = 0x90
_FULL = _EMPTY_ARRAY + SEGMENT
_FIRST = b"\0\0\0\0\x91"
_KEY_OVERHEAD = 24


class SegmentList(list[bytes]):
    """Two segments and more, and the identities in all of them one after the other: one search tells what is new."""

    __slots__ = ("identities",)

    def __init__(self, segments: Iterable[bytes]) -> None:
        super().__init__(segments)
        self.identities = b"".join(entry.identity for segment in self for entry in _decode(segment[_NUMBER:]))

    def copy(self) -> list[bytes]:
        """The segments as they are now."""
        return list(self)


CustomerSegments = bytes | SegmentList
"""What is held of a customer: one segment or several."""


class Entry(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """One record: identity (8 bytes), version, event time in ms, interned dimensions, facts."""

    identity: bytes
    version: int
    time: int
    dims: int
    fields: RecordFields


class EntryLocation(msgspec.Struct, frozen=True, gc=False):
    """Where an entry was found: index of its segment, position in it, and the entry."""

    segment: int
    position: int
    entry: Entry


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Entry]).decode


def identity_of(topic: str, *parts: str) -> bytes:
    """Eight bytes that name a record of a topic within its customer's ledger.

    >>> len(identity("cx.surveys.v1", "r-1"))
    8
    """
    return xxh3_64_digest("\0".join(parts).encode(), identity_seed(topic))


def identity_seed(topic: str) -> int:
    """The seed that tells the identities of one topic from those of the others."""
    return xxh3_64_intdigest(topic.encode())


class Ledger:
    """The records of all customers of one source partition.

    In memory and in the changelog a customer is one or more segments of at most `SEGMENT` records:
    four bytes of segment number, then a msgpack array of entries. So an append rewrites one short
    segment, and a lookup of an unknown record is one search in a few bytes. Held per customer: at
    most `max_records`, the oldest segments go first and are counted in `overflow`.
    """

    def __init__(self, max_records: int, sweep_every: int = 0) -> None:
        self.customers: dict[bytes, CustomerSegments] = {}
        self.overflow = 0
        self.pending_bytes = 0
        self._max_segments = max(1, max_records // SEGMENT)
        self._touched: dict[bytes, None] = {}
        self._changed: dict[tuple[bytes, int], bytes | None] = {}
        self._sweep: Iterator[bytes] = iter(())
        self._sweep_every = sweep_every
        self._swept: Sequence[int] = ()

    def find(self, customer: bytes, record: bytes) -> EntryLocation | None:
        """The entry of this record, if the ledger has it."""
        for index, segment in enumerate(self._segments(customer)):
            if record in segment:  # the eight bytes may also stand inside something else
                for position, entry in enumerate(_decode(segment[_NUMBER:])):
                    if entry.identity == record:
                        return EntryLocation(index, position, entry)
        return None

    def entries(self, customer: bytes) -> list[Entry]:
        """All entries of one customer, in order of arrival."""
        return decode_segments(self.customers[customer])

    def append(
        self, customer: bytes, held: CustomerSegments | None, entry: tuple[bytes, int, int, int, RecordFields]
    ) -> None:
        """Remember a record not yet known, given as the fields of its entry; `held` is what `customers` has."""
        encoded = _encode(entry)
        if held is None:
            self._store(customer, _FIRST + encoded)
            return
        tail = held if isinstance(held, bytes) else held[-1]
        if tail[_NUMBER] < _FULL:
            grown = tail[:_NUMBER] + _COUNTS[tail[_NUMBER] + 1] + tail[_NUMBER + 1 :] + encoded
            if isinstance(held, bytes):
                self.customers[customer] = grown
            else:
                held[-1] = grown
                held.identities += entry[0]
            self._touch(customer, grown, len(encoded))
        else:
            self._start_segment(customer, held, entry[0], encoded)

    def _start_segment(self, customer: bytes, held: CustomerSegments, record: bytes, encoded: bytes) -> None:
        segments = SegmentList((held,)) if isinstance(held, bytes) else held
        self._seal(customer, segments[-1])
        number = _number(segments[-1]) + 1
        segments.append(number.to_bytes(_NUMBER, "big") + _COUNTS[_EMPTY_ARRAY + 1] + encoded)
        segments.identities += record
        surplus = len(segments) - self._max_segments
        for dropped in segments[: max(surplus, 0)]:
            self.overflow += dropped[_NUMBER] - _EMPTY_ARRAY
            self._note(customer, dropped, None)
        if surplus > 0:
            self._put(customer, segments[surplus:])
        else:
            self.customers[customer] = segments
        self._touch(customer, segments[-1], len(encoded))

    def replace(self, customer: bytes, found: EntryLocation, entry: Entry) -> None:
        """Put a newer version of a record in the place of the older."""
        segment = self._segments(customer)[found.segment]
        entries = _decode(segment[_NUMBER:])
        entries[found.position] = entry
        renewed, held = _pack(segment[:_NUMBER], entries), self.customers[customer]
        if isinstance(held, SegmentList):
            held[found.segment] = renewed
        else:
            self.customers[customer] = renewed
        self._note(customer, renewed, renewed)

    def forget_before(self, customer: bytes, floors: Sequence[int]) -> bool:
        """Drop entries older than their source's floor (ms); True when something was dropped.

        The changes of a ticket are as old as its newest, and of an account what still holds is kept.
        """
        segments, kept = self._segments(customer), []
        held = [entry for segment in segments for entry in _decode(segment[_NUMBER:])]
        ages, holding = _newest_changes(held), lasting(((e.time, e.identity, e.fields) for e in held), floors)
        for segment in segments:
            entries = _decode(segment[_NUMBER:])
            fresh = [e for e in entries if ages.get(_ticket(e), e.time) >= floors[e.fields[0]] or e.identity in holding]
            remaining = segment if len(fresh) == len(entries) else _pack(segment[:_NUMBER], fresh)
            if remaining is not segment:
                self._note(customer, segment, remaining if fresh else None)
            if fresh:
                kept.append(remaining)
        if kept:
            self._put(customer, kept)
        else:
            del self.customers[customer]
            self._touched.pop(customer, None)
        return len(kept) < len(segments) or any(a is not b for a, b in zip(segments, kept, strict=False))

    def sweep(self, floors: Sequence[int], limit: int, budget: int = 2**60) -> None:
        """Go on around all customers and forget what is too old: `limit` customers a call, and about `budget` bytes.

        A round begins when some floor (ms) has moved on by `sweep_every` since the last began.
        """
        enough = self.pending_bytes + budget
        for _ in range(limit):
            if self.pending_bytes > enough:
                return
            customer = next(self._sweep, None)
            if customer is None:
                self._begin_round(floors)
                return
            if customer in self.customers:
                self.forget_before(customer, floors)

    def _begin_round(self, floors: Sequence[int]) -> None:
        moved = (now - then for now, then in zip(floors, self._swept, strict=False))
        if not self._swept or any(by >= self._sweep_every for by in moved):
            self._sweep, self._swept = iter(list(self.customers)), tuple(floors)

    def drain(self) -> list[tuple[bytes, bytes | None]]:
        """What changed since the last call, as changelog keys and values (None deletes)."""
        changes = [(_key(customer, number), value) for (customer, number), value in self._changed.items()]
        for customer in self._touched:
            held = self.customers[customer]
            tail = held if isinstance(held, bytes) else held[-1]
            changes.append((tail[:_NUMBER] + customer, tail[_NUMBER:]))
        self._touched, self._changed, self.pending_bytes = {}, {}, 0
        return changes

    def load(self, key: bytes, value: bytes) -> None:
        """Take one changelog record back in; segments of a customer may come in any order."""
        segment, customer = key[:_NUMBER] + value, key[_NUMBER:]
        others = [s for s in self._segments(customer) if s[:_NUMBER] != segment[:_NUMBER]]
        self._put(customer, sorted([*others, segment]))  # by number, which stands first

    def unload(self, key: bytes) -> None:
        """Take back a deletion from the changelog."""
        customer = key[_NUMBER:]
        rest = [s for s in self._segments(customer) if s[:_NUMBER] != key[:_NUMBER]]
        if rest:
            self._put(customer, rest)
        else:
            self.customers.pop(customer, None)

    def _segments(self, customer: bytes) -> Sequence[bytes]:
        held = self.customers.get(customer)
        if held is None:
            return ()
        return (held,) if isinstance(held, bytes) else held

    def _put(self, customer: bytes, segments: Sequence[bytes]) -> None:
        self.customers[customer] = segments[0] if len(segments) == 1 else SegmentList(segments)

    def _store(self, customer: bytes, segment: bytes) -> None:
        self.customers[customer] = segment
        self._touch(customer, segment, len(segment))

    def _touch(self, customer: bytes, tail: bytes, grown: int) -> None:
        if customer in self._touched:
            self.pending_bytes += grown
        else:
            self._touched[customer] = None
            self.pending_bytes += len(tail) + len(customer) + _KEY_OVERHEAD

    def _seal(self, customer: bytes, tail: bytes) -> None:
        if customer in self._touched:
            del self._touched[customer]
            self._note(customer, tail, tail)

    def _note(self, customer: bytes, segment: bytes, value: bytes | None) -> None:
        self._changed[customer, _number(segment)] = None if value is None else value[_NUMBER:]
        self.pending_bytes += len(segment) + len(customer) + _KEY_OVERHEAD


_COUNTS = [bytes((byte,)) for byte in range(256)]


def _ticket(entry: Entry) -> int | None:
    return entry.fields[_TICKET_NUMBER] if entry.fields[0] == TICKET else None


def _newest_changes(entries: Iterable[Entry]) -> dict[int | None, int]:
    newest: dict[int | None, int] = {}
    for entry in entries:
        ticket = _ticket(entry)
        if ticket is not None:
            newest[ticket] = max(entry.time, newest.get(ticket, entry.time))
    return newest


def decode_segments(held: bytes | list[bytes] | None) -> list[Entry]:
    """All entries in what is held of a customer, in order of arrival."""
    if isinstance(held, bytes):
        return _decode(held[_NUMBER:])
    return [entry for segment in held or () for entry in _decode(segment[_NUMBER:])]


def _number(segment: bytes) -> int:
    return int.from_bytes(segment[:_NUMBER], "big")


def _pack(number: bytes, entries: Sequence[Entry]) -> bytes:
    return number + bytes((_EMPTY_ARRAY + len(entries),)) + b"".join(map(_encode, entries))


def _key(customer: bytes, number: int) -> bytes:
    return number.to_bytes(_NUMBER, "big") + customer
