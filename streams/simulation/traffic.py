"""The times of contacts: a Poisson process with the rhythm of day and week, and one staged incident."""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import NamedTuple

from streams.simulation.touchpoints import TOUCHPOINTS, Touchpoint, hourly

HOUR_MS = 3_600_000
WEEK_HOURS = 168
_FIRST_MONDAY_HOUR = 96  # hours from 1970-01-01, a Thursday, to the first Monday


@dataclass(frozen=True)
class Incident:
    """A staged outage of the live stream: it begins `offset_s` after the stream and lasts `length_s`.

    At its `touchpoints`, contacts are multiplied by `volume`, waiting times by `load`, and satisfaction falls by
    `shock` standard deviations. Callers of other touchpoints share the lines, so their waits grow half as much.
    """

    offset_s: float = 20.0
    length_s: float = 60.0
    touchpoints: tuple[str, ...] = ("billing", "app")
    volume: float = 3.0
    load: float = 4.0
    shock: float = 1.6


class Contact(NamedTuple):
    """A customer gets in touch at `time_ms`; `load` multiplies the waits, `shock` is subtracted from satisfaction."""

    time_ms: int
    touchpoint: Touchpoint
    load: float
    shock: float


class _Mix(NamedTuple):
    """The demand of one hour: its total (1 on average over a week) and the cumulative shares of the touchpoints."""

    total: float
    edges: list[float]


def _mix(weights: list[float]) -> _Mix:
    return _Mix(sum(weights), list(accumulate(weights)))


def _flat() -> list[list[float]]:
    whole = sum(touchpoint.weight for touchpoint in TOUCHPOINTS)
    return [[touchpoint.weight / whole for touchpoint in TOUCHPOINTS]]


def _week() -> list[list[float]]:
    (usual,), demand = _flat(), [hourly(touchpoint.rhythm) for touchpoint in TOUCHPOINTS]
    return [[share * by[hour] for share, by in zip(usual, demand, strict=True)] for hour in range(WEEK_HOURS)]


class Traffic:
    """Contacts at `per_second` on average; with `rhythm` the demand follows the hours of the week, in UTC."""

    def __init__(self, per_second: float, rhythm: bool, incident: Incident | None, start_ms: int) -> None:
        hours = _week() if rhythm else _flat()
        self._usual = [_mix(hour) for hour in hours]
        self._incident = incident
        boost = [incident.volume if incident and t.name in incident.touchpoints else 1.0 for t in TOUCHPOINTS]
        self._hit = [_mix([w * b for w, b in zip(hour, boost, strict=True)]) for hour in hours]
        self._incident_start_ms = start_ms + int(incident.offset_s * 1000) if incident else 0
        self._incident_end_ms = self._incident_start_ms + int(incident.length_s * 1000) if incident else 0
        self._per_ms = per_second / 1000

    def contacts(self, rng: Random, start_ms: int, end_ms: int | None) -> Iterator[Contact]:
        """All contacts from `start_ms` to `end_ms`, in order of time; without `end_ms` they never end."""
        peak = max(mix.total for mix in (*self._usual, *self._hit))
        time_ms = float(start_ms)
        while True:
            time_ms += rng.expovariate(self._per_ms * peak)
            if end_ms is not None and time_ms >= end_ms:
                return
            contact = self._thin(rng, int(time_ms), peak)
            if contact:
                yield contact

    def _thin(self, rng: Random, time_ms: int, peak: float) -> Contact | None:
        """Keep a candidate with the probability of its hour's demand (thinning of a Poisson process)."""
        hit = self._incident_start_ms <= time_ms < self._incident_end_ms
        mixes = self._hit if hit else self._usual
        mix = mixes[(time_ms // HOUR_MS - _FIRST_MONDAY_HOUR) % WEEK_HOURS % len(mixes)]
        at = rng.random() * peak
        if at >= mix.total:
            return None
        return self._contact(time_ms, TOUCHPOINTS[bisect(mix.edges, at, hi=len(TOUCHPOINTS) - 1)], mix.total, hit)

    def _contact(self, time_ms: int, touchpoint: Touchpoint, total: float, hit: bool) -> Contact:
        load = 0.4 + 0.6 * total if len(self._usual) > 1 else 1.0
        if not (hit and self._incident):
            return Contact(time_ms, touchpoint, load, 0.0)
        if touchpoint.name in self._incident.touchpoints:
            return Contact(time_ms, touchpoint, self._incident.load, self._incident.shock)
        return Contact(time_ms, touchpoint, (1 + self._incident.load) / 2, 0.0)
