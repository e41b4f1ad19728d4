"""Outcomes, ledgers, panes and windows, by remembering everything."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

import xxhash

from tests.reference.cases import CASE, CONTACT, MEMBER, Hours, told
from tests.reference.events import Arrival, Event, decode
from tests.reference.levels import Levels
from tests.reference.scores import BAND, RISK, Facts, is_level
from tests.reference.windows import (
    Row,
    boundary_after,
    cell_of,
    compared_rows_of,
    is_boundary,
    resolution_of,
    rows_of,
    span_ms,
)

YEAR_1900 = -2_208_988_800_000
Place = tuple[str, int]
"""A source partition: topic and partition."""
Assess = Callable[[list[tuple[int, Facts]], int, int], tuple[int, bool, int] | None]
"""From what is known of a customer, oldest first, as (time in ms, facts), a time and how old evidence may be (ms)
to (risk in ppm, whether high, value in cents)."""


@dataclass(frozen=True)
class Config:
    """The settings that decide what is counted, written as in `cxstream.toml`."""

    windows: tuple[str, ...] = ("5m", "1h", "24h", "7d", "30d")
    cuts: tuple[str, ...] = (
        "total",
        "touchpoint",
        "team",
        "channel",
        "queue",
        "segment",
        "audience",
        "touchpoint+channel",
        "team+queue",
    )
    allowance: str = "30d"
    future: str = "10m"
    horizon: str = "31d"
    hours: Hours | None = None

    def longest(self) -> dict[int, int]:
        """The longest window of each resolution that is used, in ms."""
        lengths = sorted(map(span_ms, self.windows))
        return {resolution_of(length): length for length in lengths}


@dataclass(eq=False)
class Contribution:
    """What one record adds, and to the panes of which resolutions it was added in time."""

    event: Event
    facts: Facts
    resolutions: set[int] = field(default_factory=set)


class Oracle:
    """Feed it every arrival, those of one source partition in the order of their offsets; then ask.

    Customers are assessed when it is asked, as of then; when it is fed with a time, who is concerned is
    assessed as of that time too, so that it knows how the bands change.
    """

    def __init__(self, config: Config | None = None, assess: Assess | None = None) -> None:
        self.config = config or Config()
        self.outcomes: dict[Place, Counter[str]] = defaultdict(Counter)
        self.reasons: dict[Place, Counter[str]] = defaultdict(Counter)
        self.watermarks: dict[Place, int] = {}
        self._assess = assess
        self._longest = self.config.longest()
        self._ledgers: dict[object, dict[tuple[str, str, str], Contribution]] = defaultdict(dict)
        self._risks: dict[object, Contribution] = {}
        self._counted: dict[int, Contribution] = {}
        self._told: list[Contribution] | None = None
        self._bands: list[Contribution] = []

    def feed(self, arrivals: Iterable[Arrival], now: int | None = None) -> "Oracle":
        """Apply arrivals, and assess whom they concern as of `now`, if given; returns itself."""
        self._told = None
        for arrival in arrivals:
            place, event = (arrival.topic, arrival.partition), decode(arrival)
            if isinstance(event, Event) and event.time > arrival.arrival_ms + span_ms(self.config.future):
                event = "future"
            if isinstance(event, Event) and event.time < YEAR_1900:
                event = "out_of_range"
            if isinstance(event, str):
                self.outcomes[place]["rejected"] += 1
                self.reasons[place][event] += 1
                continue
            outcome = self._apply(event)
            self.outcomes[place][outcome] += 1
            if now is not None and event.customer and outcome in ("accepted", "corrected"):
                self._reassess((place[1], event.customer), now)
            reached = min(event.time, arrival.arrival_ms)
            self.watermarks[place] = max(self.watermarks.get(place, reached), reached)
        return self

    def survivors(self) -> list[Event]:
        """The events that count in some window, oldest first; assessments of risk are none."""
        return [c.event for c in self._in_order() if c.facts[0] not in (RISK, BAND, CASE, CONTACT, MEMBER)]

    def _apply(self, event: Event) -> str:
        owner = (event.place[1], event.customer or event.identity)
        ledger = self._ledgers[owner]
        known = ledger.get(event.identity)
        if known and self._forgotten(known.event):
            known = None
        if known and known.event.version >= event.version:
            return "duplicate"
        watermark = self.watermarks.get(event.place)
        if watermark is not None and event.time < watermark - span_ms(self.config.allowance):
            return "late"
        if known:
            self._retract(known)
        ledger[event.identity] = self._add(event, event.facts)
        return "corrected" if known else "accepted"

    def _forgotten(self, event: Event) -> bool:
        watermark = self.watermarks.get(event.place)
        return watermark is not None and event.time < watermark - span_ms(self.config.horizon)

    def _reassess(self, owner: object, now: int, changed_at: int | None = None, *, path: bool = True) -> None:
        known = self._known(owner, now)
        if self._assess is None or not known:
            return
        risk = self._judge(known, now)
        before = self._risks.pop(owner, None)
        if before:
            self._retract(before)
        if risk is None:
            return
        self._risks[owner] = self._add(known[-1], (RISK, risk[0], int(risk[1]), risk[2]))
        if path and risk[1] != bool(before and before.facts[2]):
            time = known[-1].time if changed_at is None else changed_at
            self._add(replace(known[-1], time=time), (BAND, int(risk[1])))

    def _reassess_all(self, now: int) -> None:
        for owner in self._customers():
            self._reassess(owner, now, now)

    def _settle(self) -> None:
        """The end of the data: everybody once, and the bands at each event within the longest window before."""
        for change in self._bands:
            self._counted.pop(id(change), None)
        self._bands = []
        end = max(self.watermarks.values())
        start = end - max(self._longest.values())
        for owner in self._customers():
            known = self._known(owner, end)
            before = self._judge([e for e in known if e.time <= start], start)
            for time in sorted({e.time for e in known if e.time > start} | {end}):
                then = [e for e in known if e.time <= time]
                risk = self._judge(then, time) if then else None
                if risk and risk[1] != bool(before and before[1]):
                    self._bands.append(self._add(replace(then[-1], time=time), (BAND, int(risk[1]))))
                before = risk
            self._reassess(owner, end, path=False)

    def _customers(self) -> list[object]:
        return [owner for owner, ledger in self._ledgers.items() if any(c.event.customer for c in ledger.values())]

    def _known(self, owner: object, now: int) -> list[Event]:
        events = [c.event for c in self._ledgers[owner].values() if c.event.time <= now]
        return sorted(events, key=lambda event: (event.time, digest(event)))

    def _judge(self, known: list[Event], at: int) -> tuple[int, bool, int] | None:
        if self._assess is None:
            return None
        return self._assess([(event.time, event.facts) for event in known], at, span_ms(self.config.horizon))

    def _add(self, event: Event, facts: Facts) -> Contribution:
        open_now = {width for width in self._longest if not self._closed(event, width)}
        contribution = Contribution(event, facts, open_now)
        if open_now:
            self._counted[id(contribution)] = contribution
        return contribution

    def _retract(self, contribution: Contribution) -> None:
        closed = {width for width in contribution.resolutions if self._closed(contribution.event, width)}
        contribution.resolutions = closed
        if not closed:
            self._counted.pop(id(contribution), None)

    def _closed(self, event: Event, width: int) -> bool:
        watermark = self.watermarks.get(event.place)
        longest = self._longest[width]
        start = event.time - event.time % width
        return watermark is not None and start + width <= watermark - (self._settled(width) + longest)

    def _settled(self, width: int) -> int:
        """A: how far behind the watermark the panes of this width still change published windows."""
        return min(span_ms(self.config.allowance), self._longest[width])

    def live(self, now_ms: int) -> list[Row]:
        """Every window that ends at the first boundary after now, with everybody's risk as of now."""
        self._reassess_all(now_ms)
        return self._rows((window, boundary_after(now_ms, window)) for window in self.config.windows)

    def windows_at(self, end_ms: int) -> list[Row]:
        """Every window that ends at `end_ms`; those of which it is no boundary are left out, and so is churn risk."""
        return self._rows_of_events((window, end_ms) for window in self.config.windows if is_boundary(end_ms, window))

    def end_of_data(self) -> list[Row]:
        """Every window that ends at the first boundary after the furthest watermark."""
        if not self.watermarks:
            return []
        self._settle()
        newest = max(self.watermarks.values())
        return self._rows((window, boundary_after(newest, window)) for window in self.config.windows)

    def replay(self, every: str) -> list[Row]:
        """Every window at each multiple of `every` that all source partitions have passed for good.

        Equal to what was published then as long as no record was further behind its source
        partition's watermark than the shorter of the allowance and the longest window of its panes.
        """
        step = span_ms(every)
        return self._rows_of_events(pair for window in self.config.windows for pair in self._passed(window, step))

    def boundaries(self, every: str) -> list[Row]:
        """Every window at each multiple of `every` after the first event, up to the furthest watermark."""
        if not self._counted:
            return []
        first, step = self._in_order()[0].event.time, span_ms(every)
        ends = range(first - first % step + step, max(self.watermarks.values()) + 1, step)
        return self._rows_of_events((w, end) for w in self.config.windows for end in ends if is_boundary(end, w))

    def _passed(self, window: str, every: int) -> Iterator[tuple[str, int]]:
        counted = self._in_order()
        if not counted:
            return
        first, slowest = counted[0].event.time, min(self.watermarks.values())
        settled = self._settled(resolution_of(span_ms(window)))
        for end in range(first - first % every + every, slowest - settled + 1, every):
            if is_boundary(end, window):
                yield window, end

    def _cases(self) -> list[Contribution]:
        """What follows from several records: for each width of panes as far ahead as its windows are corrected."""
        if self._told is None:
            customers: dict[object, list[tuple[Event, bytes]]] = defaultdict(list)
            for owner, ledger in self._ledgers.items():
                for event in (contribution.event for contribution in ledger.values()):
                    customers[owner if event.customer else event.identity[:2]].append((event, digest(event)))
            self._told = [case for records in customers.values() for case in self._cases_of(records)]
        return self._told

    def _cases_of(self, records: list[tuple[Event, bytes]]) -> Iterator[Contribution]:
        horizon = span_ms(self.config.horizon)
        for width in self._longest:
            for case in told(records, self._settled(width), horizon, self.config.hours):
                yield Contribution(case.event, case.facts, {width})

    def _in_order(self) -> list[Contribution]:
        counted = [*self._counted.values(), *self._cases()]
        return sorted(counted, key=lambda c: (c.event.time, c.event.identity, c.facts))

    def _rows_of_events(self, windows: Iterable[tuple[str, int]]) -> list[Row]:
        return self._rows(windows, [c for c in self._in_order() if c.facts[0] not in (RISK, BAND, MEMBER)])

    def _rows(self, windows: Iterable[tuple[str, int]], contributions: list[Contribution] | None = None) -> list[Row]:
        counted = self._in_order() if contributions is None else contributions
        times = [c.event.time for c in counted]
        levels = {
            width: Levels(
                self.config.cuts,
                [(c.event, c.facts) for c in counted if is_level(c.facts) and width in c.resolutions],
                cell_of,
            )
            for width in self._longest
        }
        rows: list[Row] = []
        for window, end in windows:
            length, width = span_ms(window), resolution_of(span_ms(window))
            back = min(length, self._settled(width)) // width * width
            present, earlier = (
                [
                    (c.event, c.facts)
                    for c in counted[bisect_left(times, a) : bisect_left(times, b)]
                    if width in c.resolutions
                ]
                for a, b in ((end - length, end), (end - length - back, end - length))
            )
            rows += rows_of(window, end, self.config.cuts, present, levels[width].until(end))
            rows += compared_rows_of(window, end, self.config.cuts, present, earlier)
        return rows


def digest(event: Event) -> bytes:
    """What decides between events of one customer at the same time."""
    topic, *names = event.identity
    name = "\0".join(part for part in names if part)
    return xxhash.xxh3_64(name.encode(), seed=xxhash.xxh3_64(topic.encode()).intdigest()).digest()
