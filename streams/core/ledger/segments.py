"""How the records of one customer are laid out: short msgpack arrays, in memory as in the changelog.

A customer is one or more segments of at most `RECORDS_PER_SEGMENT` records. Why segments: a checkpoint writes a
segment whole, so one list of all records would make an append cost what the history is long; one changelog record for
each event would make a restart read them all again.
"""

from collections.abc import Iterable, Sequence

import msgspec

from streams.core.events.entry import Entry

RECORDS_PER_SEGMENT = 7
"""At most 15, so that one byte can hold the count. More make a checkpoint longer; fewer make the state larger."""

NUMBER_BYTES = 4
"""A segment in memory begins with its number in as many bytes; then comes the array."""

_EMPTY_ARRAY = 0x90
"""First byte of a msgpack array without elements; the low four bits are the count."""

_FULL = _EMPTY_ARRAY + RECORDS_PER_SEGMENT
_COUNT_BYTES = [bytes((byte,)) for byte in range(256)]

encode_entry = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Entry]).decode


class SegmentList(list[bytes]):
    """Two segments or more, with the identities of all their records side by side.

    One search in `identities` tells whether a record may be known; searching each segment took 6 % of a worker's time.
    """

    __slots__ = ("identities",)

    def __init__(self, segments: Iterable[bytes]) -> None:
        super().__init__(segments)
        self.identities = b"".join(entry.identity for segment in self for entry in entries_in(segment))

    def copy(self) -> list[bytes]:
        """The segments as they are now."""
        return list(self)


CustomerSegments = bytes | SegmentList
"""The records of one customer: one segment, or several."""


def first_segment(encoded: bytes) -> bytes:
    """Segment number 0 with one encoded entry."""
    return next_segment(-1, encoded)


def next_segment(number: int, encoded: bytes) -> bytes:
    """The segment that follows segment `number`, with one encoded entry."""
    return (number + 1).to_bytes(NUMBER_BYTES, "big") + _COUNT_BYTES[_EMPTY_ARRAY + 1] + encoded


def grown(segment: bytes, encoded: bytes) -> bytes | None:
    """The segment with one more encoded entry; None when it is full."""
    count = segment[NUMBER_BYTES]
    if count >= _FULL:
        return None
    return segment[:NUMBER_BYTES] + _COUNT_BYTES[count + 1] + segment[NUMBER_BYTES + 1 :] + encoded


def repacked(segment: bytes, entries: Sequence[Entry]) -> bytes:
    """A segment of the same number with other entries."""
    return segment[:NUMBER_BYTES] + _COUNT_BYTES[_EMPTY_ARRAY + len(entries)] + b"".join(map(encode_entry, entries))


def number_of(segment: bytes) -> int:
    """The number of a segment."""
    return int.from_bytes(segment[:NUMBER_BYTES], "big")


def count_in(segment: bytes) -> int:
    """How many records a segment has."""
    return segment[NUMBER_BYTES] - _EMPTY_ARRAY


def entries_in(segment: bytes) -> list[Entry]:
    """The records of one segment, in order of arrival."""
    return _decode(segment[NUMBER_BYTES:])


def decode_segments(segments: bytes | list[bytes] | None) -> list[Entry]:
    """All records in the segments of a customer, in order of arrival."""
    if isinstance(segments, bytes):
        return entries_in(segments)
    return [entry for segment in segments or () for entry in entries_in(segment)]
