"""Speed guard: are customers being rushed off the phone?"""

from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple

from streams.core.cells.cuts import Cut
from streams.core.scores.base import Accumulator, Result, Unit
from streams.core.scores.compared import CellName, ComparedScore, WindowPair
from streams.core.scores.durations import HIGH, LOW, buckets_of, squares_of
from streams.core.scores.handle_time import PARTS, HandleTime
from streams.core.scores.repeat_contact import RepeatContact
from streams.core.scores.short_calls import ShortCalls
from streams.core.statistics.quantiles import Z95_ONE_SIDED
from streams.core.statistics.stratified import Stratum, mantel_haenszel_odds, mantel_haenszel_z
from streams.core.statistics.two_groups import Moments, two_proportion_z, welch_z

FEWEST = 30
"""Calls, contacts and calls of peers below which nothing is judged."""

PPM = 1_000_000
_CALLS, _HANDLE_MS, _SHORT, _CONTACTS, _REPEATED = range(5)
_TEAM, _QUEUE, _BOTH = "team", "queue", "team+queue"
_BY_BOTH = Cut.parse(_BOTH)
_MOST_ODDS = 1e3


class _Calls(NamedTuple):
    """What an accumulator says of calls and contacts."""

    handled: Moments
    short: int
    contacts: int
    repeated: int


class SpeedGuard(ComparedScore):
    """1 where a team or queue seems to hurry its callers, 0 where it was looked for and not found.

    Either its handle time is down against the time before while repeat contacts are up, or its share of
    calls under 10 s is above that of its peers, compared within queues: what sort of calls a team takes
    is not its doing. All tests are one-sided at 5 %, and none is made of fewer than 30.
    """

    name = "speed_guard"
    unit: Unit = "count"
    code = 42
    derived = True
    comparison_group: ClassVar[str] = "speed_guard"
    cuts: ClassVar[tuple[str, ...]] = (_TEAM, _QUEUE, _BOTH)
    needs_previous_window: ClassVar[bool] = True
    reads = (HandleTime(), ShortCalls(), RepeatContact())

    def comparison_input(self, accs: Mapping[int, Mapping[int, int]]) -> Accumulator:
        """Calls with their handle time and its square, those under 10 s, contacts, and those repeated."""
        handle_time, short_calls, contacts = (accs.get(score.code, {}) for score in self.reads)
        gathered = {
            _CALLS: sum(buckets_of(handle_time).values()),
            _HANDLE_MS: sum(handle_time.get(slot, 0) for slot in PARTS),
            LOW: handle_time.get(LOW, 0),
            HIGH: handle_time.get(HIGH, 0),
            _SHORT: short_calls.get(1, 0),
            _CONTACTS: sum(contacts.values()),
            _REPEATED: contacts.get(1, 0),
        }
        return {slot: count for slot, count in gathered.items() if count}

    def compare(self, cells: Mapping[CellName, WindowPair]) -> dict[CellName, Result]:
        """Every cell of which one of the two can be judged."""
        now = {name: _calls(sides.current) for name, sides in cells.items()}
        strata = _strata(now)
        judged = ((name, _judge(now[name], _calls(sides.previous), strata[name])) for name, sides in cells.items())
        return {name: result for name, result in judged if result is not None}


def _calls(acc: Mapping[int, int]) -> _Calls:
    handled = Moments(acc.get(_CALLS, 0), acc.get(_HANDLE_MS, 0), squares_of(acc))
    return _Calls(handled, *(acc.get(slot, 0) for slot in (_SHORT, _CONTACTS, _REPEATED)))


def _strata(cells: Mapping[CellName, _Calls]) -> dict[CellName, list[Stratum]]:
    """The peers of each cell: for a queue all other queues, for a team the other teams, queue by queue."""
    strata: dict[CellName, list[Stratum]] = {name: [] for name in cells}
    for group in _groups(cells).values():
        n = sum(cells[name].handled.n for name in group)
        short = sum(cells[name].short for name in group)
        for name in group:
            own = cells[name]
            misses, peer_hits = own.handled.n - own.short, short - own.short
            stratum = Stratum(own.short, misses, peer_hits, n - own.handled.n - peer_hits)
            team = _team(name)
            for member in (name, team):
                if member in strata and stratum.is_informative:
                    strata[member].append(stratum)
    return strata


def _groups(cells: Iterable[CellName]) -> dict[str | None, list[CellName]]:
    """Cells that are each other's peers: all queues, and the teams of each queue."""
    groups: dict[str | None, list[CellName]] = {}
    for cut, cell in cells:
        if cut == _QUEUE:
            groups.setdefault(None, []).append((cut, cell))
        elif cut == _BOTH and (values := _BY_BOTH.values(cell)):
            groups.setdefault(values[1], []).append((cut, cell))
    return groups


def _team(name: CellName) -> CellName | None:
    values = _BY_BOTH.values(name[1]) if name[0] == _BOTH else None
    return None if values is None else (_TEAM, values[0])


def _judge(now: _Calls, before: _Calls, strata: list[Stratum]) -> Result | None:
    verdicts = {"rushed": _is_rushed(now, before), "cut_short": _is_cut_short(strata)}
    judged = {rule: int(fired) for rule, fired in verdicts.items() if fired is not None}
    if not judged or not now.handled.n:
        return None
    counts = _evidence(now, before, strata) | judged
    return Result(float(any(judged.values())), None, None, now.handled.n, counts)


def _is_rushed(now: _Calls, before: _Calls) -> bool | None:
    """Whether handle time is down and repeat contact up; None where there is too little to tell."""
    if min(now.handled.n, before.handled.n, now.contacts, before.contacts) < FEWEST:
        return None
    faster = welch_z(before.handled, now.handled) > Z95_ONE_SIDED
    again = two_proportion_z((now.repeated, now.contacts), (before.repeated, before.contacts)) > Z95_ONE_SIDED
    return faster and again


def _is_cut_short(strata: list[Stratum]) -> bool | None:
    """Whether more calls last less than 10 s than among the peers; None where there is too little to tell."""
    own, peers = (sum(sum(stratum[at : at + 2]) for stratum in strata) for at in (0, 2))
    return None if min(own, peers) < FEWEST else mantel_haenszel_z(strata) > Z95_ONE_SIDED


def _evidence(now: _Calls, before: _Calls, strata: list[Stratum]) -> dict[str, int]:
    odds = mantel_haenszel_odds(strata)
    counts = {
        "handle_ms": now.handled.total,
        "handle_ms_before": before.handled.total,
        "calls_before": before.handled.n,
        "contacts": now.contacts,
        "contacts_before": before.contacts,
        "repeated": now.repeated,
        "repeated_before": before.repeated,
        "short": now.short,
        "peers": sum(s.peer_hits + s.peer_misses for s in strata),
        "peers_short": sum(s.peer_hits for s in strata),
    }
    if odds is not None:
        ratio, (lower, upper) = odds
        counts |= {"odds_ppm": _ppm(ratio), "odds_lower_ppm": _ppm(lower), "odds_upper_ppm": _ppm(upper)}
    return counts


def _ppm(ratio: float) -> int:
    return round(min(ratio, _MOST_ODDS) * PPM)
