"""The sources of events; a new one is a file here and a line in `EVENTS`."""

from streams.core.events import accounts, calls, surveys, tickets
from streams.core.events.source import EventSource

EVENTS: tuple[EventSource, ...] = (tickets.SOURCE, calls.SOURCE, surveys.SOURCE, accounts.SOURCE)
"""Every source, explicitly. Codes 4 to 8 belong to derived records (`derived_kinds.py`), so the next is 9."""

SOURCE_BY_CODE = {source.code: source for source in EVENTS}
"""The source of an entry, by the first of its fields."""
