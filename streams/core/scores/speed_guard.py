"""Speed guard: finds teams and queues that rush customers off the phone."""

from collections.abc import Iterable, Mapping
from typing import ClassVar, NamedTuple

from streams.core.cells.cuts import Cut
from streams.core.scores.base import Accumulator, Result, Unit
from streams.core.scores.compared import CellName, ComparedScore, WindowPair
from streams.core.scores.durations import SQUARES_HIGH, SQUARES_LOW, histogram_of, sum_of_squares
from streams.core.scores.handle_time import PARTS, HandleTime
from streams.core.scores.repeat_contact import RepeatContact
from streams.core.scores.short_calls import ShortCalls
from streams.core.statistics.quantiles import Z95_ONE_SIDED
from streams.core.statistics.stratified import Stratum, mantel_haenszel_odds, mantel_haenszel_z
from streams.core.statistics.two_groups import Moments, two_proportion_z, welch_z

MIN_SAMPLE = 30
"""A test is made only with at least so many calls or contacts on each side."""

PPM = 1_000_000
_CALLS, _HANDLE_MS, _SHORT, _CONTACTS, _REPEATED = range(5)
_TEAM, _QUEUE, _BOTH = "team", "queue", "team+queue"
_BY_BOTH = Cut.parse(_BOTH)
_MAX_ODDS = 1e3


class _CellCounts(NamedTuple):
    """The calls and contacts of a cell: handle times (ms), calls under 10 s, contacts, and repeated contacts."""

    handle_ms: Moments
    short: int
    contacts: int
    repeated: int


class SpeedGuard(ComparedScore):
    """1 if a team or queue seems to rush its callers, 0 if it does not.

    It is 1 if the handle time is significantly down against the previous window and repeat contacts are significantly
    up. It is also 1 if the share of calls under 10 s is significantly above that of the peers. Teams are compared
    within queues, because a team does not choose the kind of calls it takes. All tests are one-sided at 5 % and need at
    least 30 calls or contacts on each side.
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
        """Calls, their handle time and its square, calls under 10 s, contacts, and repeated contacts."""
        handle_time, short_calls, contacts = (accs.get(score.code, {}) for score in self.reads)
        counts = {
            _CALLS: sum(histogram_of(handle_time).values()),
            _HANDLE_MS: sum(handle_time.get(slot, 0) for slot in PARTS),
            SQUARES_LOW: handle_time.get(SQUARES_LOW, 0),
            SQUARES_HIGH: handle_time.get(SQUARES_HIGH, 0),
            _SHORT: short_calls.get(1, 0),
            _CONTACTS: sum(contacts.values()),
            _REPEATED: contacts.get(1, 0),
        }
        return {slot: count for slot, count in counts.items() if count}

    def compare(self, cells: Mapping[CellName, WindowPair]) -> dict[CellName, Result]:
        """Every cell with enough data for at least one of the two rules."""
        current = {name: _cell_counts(pair.current) for name, pair in cells.items()}
        strata = _strata(current)
        results = {
            name: _result(current[name], _cell_counts(pair.previous), strata[name]) for name, pair in cells.items()
        }
        return {name: result for name, result in results.items() if result is not None}


def _cell_counts(acc: Mapping[int, int]) -> _CellCounts:
    handle_ms = Moments(acc.get(_CALLS, 0), acc.get(_HANDLE_MS, 0), sum_of_squares(acc))
    return _CellCounts(handle_ms, *(acc.get(slot, 0) for slot in (_SHORT, _CONTACTS, _REPEATED)))


def _strata(cells: Mapping[CellName, _CellCounts]) -> dict[CellName, list[Stratum]]:
    """Each cell against its peers: a queue against all other queues, a team against the other teams of each queue."""
    strata: dict[CellName, list[Stratum]] = {name: [] for name in cells}
    for group in _peer_groups(cells).values():
        n = sum(cells[name].handle_ms.n for name in group)
        short = sum(cells[name].short for name in group)
        for name in group:
            own = cells[name]
            misses, peer_hits = own.handle_ms.n - own.short, short - own.short
            stratum = Stratum(own.short, misses, peer_hits, n - own.handle_ms.n - peer_hits)
            team = _team(name)
            for member in (name, team):
                if member in strata and stratum.is_informative:
                    strata[member].append(stratum)
    return strata


def _peer_groups(cells: Iterable[CellName]) -> dict[str | None, list[CellName]]:
    """The groups of cells that are each other's peers: all queues (None), and the teams of each queue."""
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


def _result(current: _CellCounts, previous: _CellCounts, strata: list[Stratum]) -> Result | None:
    verdicts = {"rushed": _is_rushed(current, previous), "cut_short": _is_cut_short(strata)}
    decided = {rule: int(verdict) for rule, verdict in verdicts.items() if verdict is not None}
    if not decided or not current.handle_ms.n:
        return None
    counts = _evidence(current, previous, strata) | decided
    return Result(float(any(decided.values())), None, None, current.handle_ms.n, counts)


def _is_rushed(current: _CellCounts, previous: _CellCounts) -> bool | None:
    """Whether handle time is down and repeat contact up; None if there is too little data."""
    if min(current.handle_ms.n, previous.handle_ms.n, current.contacts, previous.contacts) < MIN_SAMPLE:
        return None
    shares = (current.repeated, current.contacts), (previous.repeated, previous.contacts)
    is_faster = welch_z(previous.handle_ms, current.handle_ms) > Z95_ONE_SIDED
    return is_faster and two_proportion_z(*shares) > Z95_ONE_SIDED


def _is_cut_short(strata: list[Stratum]) -> bool | None:
    """Whether more calls last less than 10 s than among the peers; None if there is too little data."""
    own = sum(stratum.hits + stratum.misses for stratum in strata)
    peers = sum(stratum.peer_hits + stratum.peer_misses for stratum in strata)
    return None if min(own, peers) < MIN_SAMPLE else mantel_haenszel_z(strata) > Z95_ONE_SIDED


def _evidence(current: _CellCounts, previous: _CellCounts, strata: list[Stratum]) -> dict[str, int]:
    odds = mantel_haenszel_odds(strata)
    counts = {
        "handle_ms": current.handle_ms.total,
        "handle_ms_before": previous.handle_ms.total,
        "calls_before": previous.handle_ms.n,
        "contacts": current.contacts,
        "contacts_before": previous.contacts,
        "repeated": current.repeated,
        "repeated_before": previous.repeated,
        "short": current.short,
        "peers": sum(s.peer_hits + s.peer_misses for s in strata),
        "peers_short": sum(s.peer_hits for s in strata),
    }
    if odds is not None:
        ratio, (lower, upper) = odds
        counts |= {"odds_ppm": _ppm(ratio), "odds_lower_ppm": _ppm(lower), "odds_upper_ppm": _ppm(upper)}
    return counts


def _ppm(ratio: float) -> int:
    return round(min(ratio, _MAX_ODDS) * PPM)
