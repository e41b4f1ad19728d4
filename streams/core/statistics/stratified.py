"""A group against its peers within strata: the Mantel–Haenszel test and common odds ratio."""

import math
from collections.abc import Iterable
from typing import NamedTuple

from streams.core.statistics.intervals import Interval
from streams.core.statistics.quantiles import Z95


class Stratum(NamedTuple):
    """The 2×2 table of one stratum: a group and its peers, each with the outcome (hits) and without it (misses)."""

    hits: int
    misses: int
    peer_hits: int
    peer_misses: int

    @property
    def is_informative(self) -> bool:
        """Whether both the group and its peers have members here; other strata change no result."""
        return self.hits + self.misses > 0 and self.peer_hits + self.peer_misses > 0


def mantel_haenszel_z(strata: Iterable[Stratum]) -> float:
    """Test of no difference within any stratum (Cochran 1954, Mantel and Haenszel 1959), without continuity correction.

    Positive when the outcome is more frequent in the group than among its peers; 0 where no stratum can show a
    difference.

    >>> round(mantel_haenszel_z([Stratum(80, 20, 90, 10)]), 6)
    -1.975338
    """
    excess = variance = 0.0
    for stratum in strata:
        own, peers = stratum.hits + stratum.misses, stratum.peer_hits + stratum.peer_misses
        hits, n = stratum.hits + stratum.peer_hits, own + peers
        if own and peers:
            excess += stratum.hits - own * hits / n
            variance += own * peers * hits * (n - hits) / (n * n * (n - 1))
    return excess / math.sqrt(variance) if variance else 0.0


def mantel_haenszel_odds(strata: Iterable[Stratum]) -> tuple[float, Interval] | None:
    """Common odds ratio with the interval of Robins, Breslow and Greenland (1986); None where it is 0 or infinite.

    For a single stratum it is the plain odds ratio with Woolf's interval.

    >>> ratio, interval = mantel_haenszel_odds([Stratum(138, 129, 345, 2721)]) or (0.0, (0.0, 0.0))
    >>> round(ratio, 5), [round(bound, 5) for bound in interval]
    (8.43721, [6.47385, 10.99601])
    """
    r_sum = s_sum = pr = ps_qr = qs = 0.0
    for hits, misses, peer_hits, peer_misses in strata:
        n = hits + misses + peer_hits + peer_misses
        if n:
            p, q = (hits + peer_misses) / n, (misses + peer_hits) / n
            r, s = hits * peer_misses / n, misses * peer_hits / n
            r_sum, s_sum = r_sum + r, s_sum + s
            pr, ps_qr, qs = pr + p * r, ps_qr + p * s + q * r, qs + q * s
    if not r_sum or not s_sum:
        return None
    variance = pr / (2 * r_sum**2) + ps_qr / (2 * r_sum * s_sum) + qs / (2 * s_sum**2)
    ratio, factor = r_sum / s_sum, math.exp(Z95 * math.sqrt(variance))
    return ratio, (ratio / factor, ratio * factor)
