"""The naive oracle: what every window should be, from plain lists, written from docs/semantics.md alone.

Slow and obvious on purpose. It shares no code with the stream: JSON is read by the standard library,
intervals come from scipy, and a window is computed by looking at every record that survived.
Ledgers know no `max_records` here, cells are unbounded, and every record lies where its customer belongs.
"""

from tests.reference.comparison import differences
from tests.reference.events import Arrival, Event, decode
from tests.reference.oracle import Config, Oracle
from tests.reference.scores import SUMMARIES, Summary
from tests.reference.windows import Row

__all__ = ["SUMMARIES", "Arrival", "Config", "Event", "Oracle", "Row", "Summary", "decode", "differences"]
