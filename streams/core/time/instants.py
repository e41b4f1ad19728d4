"""Instants as whole milliseconds since 1970 UTC, and back."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
DAY_MS = 86_400_000


def to_ms(instant: datetime) -> int:
    """Whole milliseconds since 1970 UTC, rounded down.

    >>> to_ms(datetime(1970, 1, 1, 0, 0, 1, 999, tzinfo=UTC))
    1000
    """
    return (instant - EPOCH) // MILLISECOND


def to_datetime(instant_ms: int) -> datetime:
    """The UTC time of milliseconds since 1970."""
    return EPOCH + timedelta(milliseconds=instant_ms)
