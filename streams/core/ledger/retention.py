"""Which entries outlive the ledger's horizon."""

from collections.abc import Mapping, Sequence

from streams.core.events import EVENTS
from streams.core.events.entry import Entry

Floors = Mapping[int, int]
"""By source code, the oldest event time (ms) that is still within the horizon of that source."""

_KEEPING = tuple((source.code, source.keep) for source in EVENTS if source.keep is not None)


def kept_identities(entries: Sequence[Entry], floors: Floors) -> frozenset[bytes]:
    """Identities of the entries of one customer that are kept at any age, as their sources declare."""
    own: dict[int, list[Entry]] = {}
    for entry in entries:
        own.setdefault(entry.fields[0], []).append(entry)
    young = {code for code, some in own.items() if any(entry.time_ms >= floors[code] for entry in some)}
    kept = [keep(own[code], floors[code], bool(young - {code})) for code, keep in _KEEPING if code in own]
    return frozenset().union(*kept)
