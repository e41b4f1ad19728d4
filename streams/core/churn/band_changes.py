"""The times at which a customer came to be at high risk or ceased to be: its band is computed at each of its events."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from streams.core.churn.churn_model import ChurnModel
from streams.core.events.entry import Entry


class BandChange(NamedTuple):
    """A band that became high, or ceased to be, with the dimensions of the customer's newest event then."""

    into_high: bool
    time_ms: int
    dims: int


def band_changes(
    model: ChurnModel, entries: Sequence[Entry], at_ms: int, horizon_ms: int, span_ms: int
) -> Iterator[BandChange]:
    """The changes within `span_ms` up to `at_ms`, with the band computed at each event and at `at_ms`.

    A customer whose risk becomes unknown has not recovered; one that returns from there to high risk is newly at risk.
    """
    ordered = sorted((e for e in entries if e.time_ms <= at_ms), key=lambda e: (e.time_ms, e.identity))
    start_ms = at_ms - span_ms
    band = model.assess(ordered, start_ms, horizon_ms).band
    newest = {entry.time_ms: entry for entry in ordered if entry.time_ms > start_ms}
    for time_ms, entry in [*newest.items(), *([(at_ms, ordered[-1])] if ordered else [])]:
        before, band = band, model.assess(ordered, time_ms, horizon_ms).band
        if (band == "high") != (before == "high") and band != "unknown":
            yield BandChange(band == "high", time_ms, entry.dims)
