"""The features of a customer as known at a time: named numbers, the same for the stream and for a fit."""

from collections.abc import Iterable
from typing import NamedTuple

from streams.core.churn.evidence import CustomerEvidence
from streams.core.events import EVENTS, SOURCE_BY_CODE
from streams.core.events.entry import Entry
from streams.core.time.instants import DAY_MS

HORIZON_MS = 31 * DAY_MS
"""How old evidence may be where nothing else is configured; background evidence may be older."""

FEATURES = {
    "days_since_detractor": "days since the newest NPS answer of 0-6",
    "days_since_promoter": "days since the newest NPS answer of 9-10",
    "days_since_high_effort": "days since the newest CES 2.0 answer of 1-3 or CES 1.0 answer of 4-5",
    "days_since_dissatisfied": "days since the newest CSAT answer of 1-2",
    "contacts": "inbound calls (the legs of one count once) and opened tickets in the last 30 days",
    "repeat_contacts": "contacts within 7 days of the one before",
    "days_since_abandoned": "days since the caller last hung up in the queue",
    "longest_wait": "longest known wait of an inbound call, seconds",
    "transfers": "known transfers of inbound calls; absent when they are unknown for every call",
    "days_since_reopened": "days since a ticket was last reopened, or its count of reopenings grew",
    "days_since_escalated": "days since a ticket was last escalated",
    "days_unresolved": "age in days of the oldest ticket that is not solved, closed or merged",
    "silence_days": "days since the last contact or answer",
    "tenure_days": "days since the account was last started",
    "yearly_value": "newest known value of the account, currency units a year",
}
"""Every feature with its meaning. An unknown feature is absent; counts are 0 once there is any evidence."""

EVIDENCE_CODES = frozenset(source.code for source in EVENTS if source.observe is not None)
"""Codes of the sources that feed features; the share of them that a customer has is the coverage of its risk."""

_SUFFICIENT_CODES = frozenset(code for code in EVIDENCE_CODES if not SOURCE_BY_CODE[code].is_background)


class CustomerFeatures(NamedTuple):
    """The features, the codes of the sources there is evidence from, and whether the customer has left."""

    features: dict[str, float]
    sources: frozenset[int]
    left: bool

    @property
    def is_evidence(self) -> bool:
        """Whether a risk can be stated: an account alone is not enough, and a former customer is not at risk."""
        return not self.left and not self.sources.isdisjoint(_SUFFICIENT_CODES)


def features(entries: Iterable[Entry], at_ms: int, horizon_ms: int = HORIZON_MS) -> dict[str, float]:
    """The features as known at `at_ms`: from entries with times up to then, and not more than `horizon_ms` older.

    Two calls, the first of which was abandoned two days ago:

    >>> gone, served = (1, 1, 0, 9_000, -1, -1, -1, 0), (1, 0, 0, 5_000, 60_000, -1, -1, 1)
    >>> known = features([Entry(b"a", 0, 0, 0, gone), Entry(b"b", 0, DAY_MS, 0, served)], 2 * DAY_MS)
    >>> known["contacts"], known["repeat_contacts"], known["longest_wait"], known["days_since_abandoned"]
    (2.0, 1.0, 9.0, 2.0)
    """
    return customer_features(entries, at_ms, horizon_ms).features


def customer_features(entries: Iterable[Entry], at_ms: int, horizon_ms: int = HORIZON_MS) -> CustomerFeatures:
    """The features, with what else decides whether a risk can be stated; the arguments are those of `features`."""
    evidence, floor_ms = CustomerEvidence(), at_ms - horizon_ms
    sources = set[int]()
    for entry in entries:
        if entry.time_ms > at_ms:
            continue
        source = SOURCE_BY_CODE[entry.fields[0]]
        if entry.time_ms >= floor_ms or source.is_background:
            sources.add(source.code)
            if source.observe is not None:
                source.observe(entry, evidence)
        elif source.observe_expired is not None:
            source.observe_expired(entry, evidence)
    known = evidence.features(at_ms, floor_ms) if sources else {}
    return CustomerFeatures(known, frozenset(sources), evidence.has_left())
