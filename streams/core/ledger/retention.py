"""What lasts of a customer's account events: they tell tenure, value and membership however old they are."""

from collections.abc import Iterable, Sequence

from streams.core.events.fields import ACCOUNT, ACCOUNT_CHANGES, UNKNOWN, RecordFields

STARTED, CANCELLED = ACCOUNT_CHANGES.index("started"), ACCOUNT_CHANGES.index("cancelled")

Change = tuple[int, bytes, RecordFields]
"""Time (ms), identity of the record, facts."""


def lasting(changes: Iterable[Change], floors: Sequence[int]) -> frozenset[bytes]:
    """Identities of the account records to keep although they are older than their source's floor (ms).

    Of an account that lives: the change it began with, the newest start and the newest known value. Of one that
    was cancelled: the cancellation, as long as anything else is kept of its customer.
    """
    known = list(changes)
    own = sorted(change for change in known if change[2][0] == ACCOUNT)
    if not own:
        return frozenset()
    if own[-1][2][1] == CANCELLED:
        others = any(time >= floors[facts[0]] for time, _, facts in known if facts[0] != ACCOUNT)
        return frozenset({own[-1][1]} if others else ())
    ends = [place for place, (_, _, facts) in enumerate(own) if facts[1] == CANCELLED]
    began = own[ends[-1] + 1 if ends else 0]
    started = [record for _, record, facts in own if facts[1] == STARTED][-1:]
    valued = [record for _, record, facts in own if facts[2] != UNKNOWN][-1:]
    return frozenset({began[1], *started, *valued})
