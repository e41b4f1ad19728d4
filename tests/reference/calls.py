"""Each call score from a plain list of facts."""

import math
from fractions import Fraction

from tests.reference.summary import Facts, Summary, mean, share

CALL = 1
ANSWERED, ABANDONED, MENU = range(3)
WAIT, TALK, HOLD, AFTER_CALL, TRANSFERS = range(3, 8)
DAY_MS = 86_400_000


def inbound(records: list[Facts], outcome: int) -> list[Facts]:
    return [f for f in records if f[0] == CALL and f[1] == outcome and f[2] == 0]


def known(call: Facts, field: int) -> bool:
    return 0 <= call[field] <= DAY_MS


def timed(records: list[Facts], outcome: int, field: int) -> list[Facts]:
    return [call for call in inbound(records, outcome) if known(call, field)]


def short_abandons(records: list[Facts]) -> int:
    return len([call for call in timed(records, ABANDONED, WAIT) if call[WAIT] <= 5_000])


def offered(records: list[Facts]) -> Summary | None:
    answered, abandoned, menu = (len(inbound(records, outcome)) for outcome in (ANSWERED, ABANDONED, MENU))
    counts = {"answered": answered, "abandoned": abandoned, "menu": menu, "short_abandoned": short_abandons(records)}
    n = answered + abandoned + menu
    return Summary(answered + abandoned, None, None, n, counts) if n else None


def abandonment(records: list[Facts]) -> Summary | None:
    answered, abandoned = (len(inbound(records, outcome)) for outcome in (ANSWERED, ABANDONED))
    return share(abandoned, answered + abandoned, "abandoned", short_abandoned=short_abandons(records))


def speed_of_answer(records: list[Facts]) -> Summary | None:
    waits = [call[WAIT] for call in timed(records, ANSWERED, WAIT)]
    return durations(waits, wait_ms=sum(waits))


def service_level(records: list[Facts]) -> Summary | None:
    waits = [call[WAIT] for call in timed(records, ANSWERED, WAIT)]
    after = len([call for call in timed(records, ABANDONED, WAIT) if call[WAIT] > 20_000])
    within = len([wait for wait in waits if wait <= 20_000])
    return share(within, len(waits) + after, "answered_within", answered=len(waits), abandoned_after=after)


def handle_time(records: list[Facts]) -> Summary | None:
    calls = [
        [call[part] if known(call, part) else 0 for part in (TALK, HOLD, AFTER_CALL)]
        for call in timed(records, ANSWERED, TALK)
    ]
    talk, hold, after_call = (sum(call[part] for call in calls) for part in range(3))
    alone: dict[str, int] = {}
    for part, name in ((TALK, "talk"), (HOLD, "hold"), (AFTER_CALL, "after_call")):
        values = [call[part] for call in timed(records, ANSWERED, TALK) if known(call, part)]
        if values:
            mean_ms = math.floor(Fraction(sum(values), len(values)) + Fraction(1, 2))
            alone |= {f"{name}_n": len(values), f"{name}_mean_ms": mean_ms}
            alone |= {f"{name}_{which}": value for which, value in percentiles(values).items()}
    return durations([sum(call) for call in calls], talk_ms=talk, hold_ms=hold, after_call_ms=after_call, **alone)


def transfers(records: list[Facts]) -> Summary | None:
    answered = inbound(records, ANSWERED)
    numbers = [min(call[TRANSFERS], 1_000) for call in answered if call[TRANSFERS] != -1]
    unknown = len(answered) - len(numbers)
    if unknown and not numbers:
        return Summary(None, None, None, 0, {"transferred": 0, "transfers": 0, "unknown": unknown})
    transferred = len([number for number in numbers if number])
    return share(transferred, len(numbers), "transferred", transfers=sum(numbers), unknown=unknown)


def short_calls(records: list[Facts]) -> Summary | None:
    talks = [call[TALK] for call in timed(records, ANSWERED, TALK)]
    return share(len([talk for talk in talks if talk < 10_000]), len(talks), "short")


def durations(values: list[int], **sums: int) -> Summary | None:
    if not values:
        return None
    return mean(values, 0.0, float("inf"), sums | percentiles(values), unit=1_000)


def percentiles(values: list[int]) -> dict[str, int]:
    return {f"p{percent}_ms": seven_digits(nearest_rank(sorted(values), percent)) for percent in (50, 90)}


def nearest_rank(ranked: list[int], percent: int) -> int:
    """The smallest value that at least so many percent do not exceed."""
    return next(value for i, value in enumerate(ranked, 1) if 100 * i >= percent * len(ranked))


def seven_digits(value: int) -> int:
    """The middle of all that share the seven leading binary digits of `value`."""
    width = 1
    while value // width >= 128:
        width *= 2
    return value // width * width + width // 2
