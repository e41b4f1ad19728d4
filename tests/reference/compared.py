"""The scores that compare, from the plain records of every cell in a window and in the time before it."""

import math
import statistics
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction

from tests.reference.calls import AFTER_CALL, ANSWERED, HOLD, TALK, known, timed
from tests.reference.summary import Facts, Summary, student

Cell = tuple[str, str]
"""Cut and cell."""
Records = dict[Cell, list[Facts]]
SURVEY, CONTACT = 2, 6
FEWEST = 30
UPPER_5 = statistics.NormalDist().inv_cdf(0.95)
BOTH_5 = statistics.NormalDist().inv_cdf(0.975)


def friction(now: Records, before: Records) -> dict[Cell, Summary]:
    return ranked(
        {
            cell: against(own, others, len(own) / (len(own) + len(others)))
            for cell, own, others in one_against_all(now, lambda f: f[1] == 0 and f[4] == 0)
        }
    )


def against(own: list[int], others: list[int], share: float) -> Summary:
    middle, variance = adjusted(own)
    level, other_variance = adjusted(others)
    half = BOTH_5 * share * math.sqrt(variance + other_variance)
    counts = {
        "promoters": len([s for s in own if s > 8]),
        "detractors": len([s for s in own if s < 7]),
        "others": len(others),
        "others_promoters": len([s for s in others if s > 8]),
        "others_detractors": len([s for s in others if s < 7]),
    }
    value = share * (statistics.fmean(map(worth, others)) - statistics.fmean(map(worth, own)))
    lower, upper = share * (level - middle) - half, share * (level - middle) + half
    return Summary(value, max(lower, -200 * share), min(upper, 200 * share), len(own), counts)


def worth(score: int) -> int:
    return 100 if score > 8 else -100 if score < 7 else 0


def adjusted(scores: list[int]) -> tuple[float, float]:
    """Mean and its variance, with three quarters of an answer at either end and one and a half in the middle."""
    weights = {w: [worth(s) for s in scores].count(w) + (1.5 if w == 0 else 0.75) for w in (100, 0, -100)}
    total = len(scores) + 3
    middle = sum(w * x for x, w in weights.items()) / total
    return middle, sum(w * (x - middle) ** 2 for x, w in weights.items()) / total / total


def friction_ces2(now: Records, before: Records) -> dict[Cell, Summary]:
    found = {}
    for cell, own, others in one_against_all(now, lambda f: f[1] == 1):
        share = len(own) / (len(own) + len(others))
        value = share * (statistics.fmean(others) - statistics.fmean(own))
        counts = {"sum": sum(own), "others": len(others), "others_sum": sum(others)}
        found[cell] = Summary(value, *bounds(own, others, share), len(own), counts)
    return ranked(found)


def bounds(own: list[int], others: list[int], share: float) -> tuple[float | None, float | None]:
    if min(len(own), len(others)) < 2:
        return None, None
    parts = [Fraction(statistics.variance(list(map(Fraction, side)))) / len(side) for side in (own, others)]
    middle, half = share * (statistics.fmean(others) - statistics.fmean(own)), 0.0
    if sum(parts):
        freedom = sum(parts) ** 2 / (parts[0] ** 2 / (len(own) - 1) + parts[1] ** 2 / (len(others) - 1))
        half = share * student(math.floor(freedom)) * math.sqrt(sum(parts))
    return max(middle - half, -6 * share), min(middle + half, 6 * share)


def one_against_all(now: Records, wanted: Callable[[Facts], bool]) -> list[tuple[Cell, list[int], list[int]]]:
    """Touchpoints with their answers and those of all others, where there are both."""
    answers = {
        cell: [f[3] for f in records if f[0] == SURVEY and f[2] == 2 and wanted(f)]
        for cell, records in now.items()
        if cell[0] == "touchpoint"
    }
    pairs = [
        (cell, own, [s for c, more in answers.items() if c != cell for s in more]) for cell, own in answers.items()
    ]
    return [(cell, own, others) for cell, own, others in pairs if own and others]


def ranked(found: dict[Cell, Summary]) -> dict[Cell, Summary]:
    for own in found.values():
        own.counts["rank"] = 1 + len([s for s in found.values() if as_shown(s) > as_shown(own)])
    return found


def as_shown(summary: Summary) -> float:
    assert summary.value is not None
    return round(summary.value, 6)


def speed_guard(now: Records, before: Records) -> dict[Cell, Summary]:
    cells = {cell: records for cell, records in now.items() if cell[0] in ("team", "queue", "team+queue")}
    judged = {cell: guard(cell, now, before.get(cell, [])) for cell in cells}
    return {cell: summary for cell, summary in judged.items() if summary}


def guard(cell: Cell, now: Records, earlier: list[Facts]) -> Summary | None:
    times, times_before = handle_times(now[cell]), handle_times(earlier)
    again, again_before = contacts(now[cell]), contacts(earlier)
    tables = [table for table in strata(cell, now) if sum(table[:2]) and sum(table[2:])]
    own, peers = sum(sum(table[:2]) for table in tables), sum(sum(table[2:]) for table in tables)
    judged = {}
    if min(map(len, (times, times_before, again, again_before))) >= FEWEST:
        judged["rushed"] = int(is_lower(times, times_before) and is_more_frequent(again, again_before))
    if min(own, peers) >= FEWEST:
        judged["cut_short"] = int(chi(tables) > UPPER_5)
    if not times or not judged:
        return None
    counts = {
        "handle_ms": sum(times),
        "handle_ms_before": sum(times_before),
        "calls_before": len(times_before),
        "contacts": len(again),
        "contacts_before": len(again_before),
        "repeated": sum(again),
        "repeated_before": sum(again_before),
        "short": sum(shorts(now[cell])),
        "peers": peers,
        "peers_short": sum(table[2] for table in tables),
    }
    return Summary(max(judged.values()), None, None, len(times), counts | odds(tables) | judged)


def handle_times(records: list[Facts]) -> list[int]:
    parts = (TALK, HOLD, AFTER_CALL)
    return [sum(c[part] for part in parts if known(c, part)) for c in timed(records, ANSWERED, TALK)]


def shorts(records: list[Facts]) -> list[bool]:
    return [call[TALK] < 10_000 for call in timed(records, ANSWERED, TALK)]


def contacts(records: list[Facts]) -> list[int]:
    return [f[1] for f in records if f[0] == CONTACT]


def is_lower(now: list[int], before: list[int]) -> bool:
    error = math.sqrt(sum(statistics.variance(side) / len(side) for side in (now, before)))
    drop = statistics.fmean(before) - statistics.fmean(now)
    return drop > UPPER_5 * error


def is_more_frequent(now: list[int], before: list[int]) -> bool:
    pooled = statistics.fmean(now + before)
    error = math.sqrt(pooled * (1 - pooled) * (1 / len(now) + 1 / len(before)))
    return statistics.fmean(now) - statistics.fmean(before) > UPPER_5 * error


def strata(cell: Cell, now: Records) -> list[tuple[int, int, int, int]]:
    """Short and other calls of the cell and of its peers; for a team once for each queue."""
    cut, name = cell
    if cut == "queue":
        return [table([cell], [c for c in now if c[0] == "queue" and c != cell], now)]
    both = {c: parts(c[1]) for c in now if c[0] == "team+queue" and parts(c[1])}
    own = [c for c, (team, _) in both.items() if c == cell or (cut == "team" and team == name)]
    return [table([c], [p for p in both if p != c and both[p][1] == both[c][1]], now) for c in own]


def parts(name: str) -> tuple[str, ...]:
    found = tuple(part.replace("\x00", "+") for part in name.replace("++", "\x00").split("+"))
    return found if len(found) == 2 else ()


def table(own: list[Cell], peers: list[Cell], now: Records) -> tuple[int, int, int, int]:
    mine, theirs = ([short for c in cells for short in shorts(now[c])] for cells in (own, peers))
    return sum(mine), len(mine) - sum(mine), sum(theirs), len(theirs) - sum(theirs)


def chi(tables: list[tuple[int, int, int, int]]) -> float:
    """How many standard deviations of its hypergeometric distribution the number of short calls is too high."""
    excess = spread = 0.0
    for a, b, c, d in tables:
        n = a + b + c + d
        excess += a - (a + b) * (a + c) / n
        spread += (a + b) * (c + d) * (a + c) * (b + d) / (n**2 * (n - 1))
    return excess / math.sqrt(spread) if spread else 0.0


def odds(tables: list[tuple[int, int, int, int]]) -> dict[str, int]:
    """The common odds ratio with the variance of its logarithm as Robins, Breslow and Greenland have it."""
    sums: dict[str, float] = defaultdict(float)
    for a, b, c, d in tables:
        n = a + b + c + d
        concordant, discordant = a * d / n, b * c / n
        sums["R"] += concordant
        sums["S"] += discordant
        sums["PR"] += (a + d) / n * concordant
        sums["PS+QR"] += (a + d) / n * discordant + (b + c) / n * concordant
        sums["QS"] += (b + c) / n * discordant
    r, s = sums["R"], sums["S"]
    if not r or not s:
        return {}
    half = BOTH_5 * math.sqrt(sums["PR"] / (2 * r * r) + sums["PS+QR"] / (2 * r * s) + sums["QS"] / (2 * s * s))
    bounds = {"odds_ppm": r / s, "odds_lower_ppm": r / s * math.exp(-half), "odds_upper_ppm": r / s * math.exp(half)}
    return {name: round(min(value, 1000) * 1_000_000) for name, value in bounds.items()}


COMPARISONS: dict[str, Callable[[Records, Records], dict[Cell, Summary]]] = {
    "friction": friction,
    "friction_ces2": friction_ces2,
    "speed_guard": speed_guard,
}
