"""Fields of records that no source sends: they follow from several events of one customer.

Their codes share one numbering with those of the sources, and are as permanent.
"""

from streams.core.events.record_fields import UNKNOWN, RecordFields

ASSESSMENT, TICKET_MILESTONE, CONTACT, BAND_CHANGE, MEMBERSHIP = range(4, 9)
"""Codes of the kinds of derived records, at index 0 of their fields."""

DERIVED_CODES = (ASSESSMENT, TICKET_MILESTONE, CONTACT, BAND_CHANGE, MEMBERSHIP)

OPENED, REPLIED, FIRST_SOLVED, SOLVED, RESOLVED, BACKLOG_FLOW, REASSIGNED, GRANTED = range(8)
"""Which milestone of a ticket it is, at index 1; see `streams/core/derived/tickets.py`."""

JOINED, LEFT, NEWCOMER_LEFT = range(3)
"""How a membership changed, at index 1. A membership that has ended is also recorded at its beginning, by the last."""


def contact_fields(repeated: bool) -> RecordFields:
    """Whether the customer made contact again within 7 days (0/1)."""
    return CONTACT, int(repeated)


def assessment_fields(risk_ppm: int, high: bool, value_cents: int = UNKNOWN) -> RecordFields:
    """Churn risk in parts per million, whether its band is high (0/1), value a year."""
    return ASSESSMENT, risk_ppm, int(high), value_cents


def band_change_fields(into_high: bool) -> RecordFields:
    """Whether a customer's band became high (1) or is high no longer (0)."""
    return BAND_CHANGE, int(into_high)


def membership_fields(change: int) -> RecordFields:
    """How a customer's membership changed (`JOINED`, `LEFT`, `NEWCOMER_LEFT`)."""
    return MEMBERSHIP, change
