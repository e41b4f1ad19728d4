"""Every source of events is one declaration, and the declarations agree with the contracts and with each other."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.catalogue import SOURCE_TOPICS
from schemas.examples import examples
from streams.core.churn.features import FEATURES, customer_features
from streams.core.events import EVENTS, SOURCE_BY_CODE
from streams.core.events.derived_kinds import DERIVED_CODES
from streams.core.events.entry import Entry
from streams.core.events.source import EventSource
from streams.core.ledger.ledger import Ledger
from streams.core.time.instants import DAY_MS, to_ms

AT_MS = to_ms(datetime(2024, 1, 1, tzinfo=UTC))
each_source = pytest.mark.parametrize("source", EVENTS, ids=lambda source: source.topic.name)


def events_of(source: EventSource) -> list[Any]:
    payloads = [example.payload for example in examples(source.topic) if example.reason is None]
    return list(source.decoder().many(payloads))


def entries_of(source: EventSource) -> list[Entry]:
    return [
        Entry(source.identify(event), 0, AT_MS - number * DAY_MS, 0, source.read(event))
        for number, event in enumerate(events_of(source))
    ]


def test_every_source_topic_has_a_declaration() -> None:
    declared = [source.topic for source in EVENTS]
    missing = [topic.name for topic in SOURCE_TOPICS if topic not in declared]
    assert not missing, f"declare {missing} in a file of streams/core/events/ and add its SOURCE to EVENTS"
    assert len(declared) == len(SOURCE_TOPICS), "add the topic to SOURCE_TOPICS in schemas/catalogue.py"


def test_no_two_kinds_of_records_share_a_code() -> None:
    codes = [*(source.code for source in EVENTS), *DERIVED_CODES]
    assert len(set(codes)) == len(codes), "a code is permanent, and never given to another source: take the next one"
    assert SOURCE_BY_CODE.keys() == {source.code for source in EVENTS}


@each_source
def test_an_event_is_read_into_the_declared_fields(source: EventSource) -> None:
    for event in events_of(source):
        fields = source.read(event)
        assert fields[0] == source.code
        assert len(fields) in (len(source.fields), len(source.fields) + 1), "only the last field may be missing"
        assert all(type(value) is int and abs(value) < 2**63 for value in fields)


@each_source
def test_ranks_stay_within_their_bound(source: EventSource) -> None:
    if source.version_rank is not None:
        assert {source.version_rank(event) for event in events_of(source)} <= set(range(source.ranks))


@each_source
def test_the_ledger_forgets_records_of_every_source(source: EventSource) -> None:
    ledger = Ledger(64)
    for entry in entries_of(source):
        ledger.append(b"cc", ledger.customers.get(b"cc"), (entry.identity, 0, entry.time_ms, 0, entry.fields))
    ledger.forget_before(b"cc", dict.fromkeys(SOURCE_BY_CODE, AT_MS + 1_000 * DAY_MS))
    left = ledger.entries(b"cc") if b"cc" in ledger.customers else []
    assert source.keep is not None or not left


@each_source
def test_the_features_of_churn_read_records_of_every_source(source: EventSource) -> None:
    entries = entries_of(source)
    for at_ms in (AT_MS, AT_MS + 20 * DAY_MS, AT_MS + 900 * DAY_MS):
        found = customer_features(entries, at_ms)
        assert found.features.keys() <= FEATURES.keys(), "describe the feature in FEATURES"
        json.dumps(found.features, allow_nan=False)
