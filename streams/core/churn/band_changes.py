"""When a customer came to be at high risk, and when no longer: the bands at each of its events, one after the other."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from streams.core.churn.churn_model import ChurnModel
from streams.core.events.entry import Entry


class BandChange(NamedTuple):
    """A band that became high, or ceased to be, at `time` (ms), where the customer's newest event lay."""

    into_high: bool
    time_ms: int
    dims: int


def band_changes(
    model: ChurnModel, entries: Sequence[Entry], at_ms: int, horizon_ms: int, span_ms: int
) -> Iterator[BandChange]:
    """The changes within `span` ms up to `at`: as found at each time something happened, and at `at`.

    Who becomes unknown has not recovered, and who comes back from there at high risk is newly so.
    """
    ordered = sorted((e for e in entries if e.time_ms <= at_ms), key=lambda e: (e.time_ms, e.identity))
    start = at_ms - span_ms
    band = model.assess(ordered, start, horizon_ms).band
    newest = {entry.time_ms: entry for entry in ordered if entry.time_ms > start}
    for time, entry in [*newest.items(), *([(at_ms, ordered[-1])] if ordered else [])]:
        before, band = band, model.assess(ordered, time, horizon_ms).band
        if (band == "high") != (before == "high") and band != "unknown":
            yield BandChange(band == "high", time, entry.dims)
