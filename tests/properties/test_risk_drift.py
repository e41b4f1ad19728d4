"""Streaming against batch: a fit sees the features that the stream had, whatever the chunks the events came in."""

import itertools
import json
from collections.abc import Iterable, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from streams.core.churn.features import customer_features
from streams.core.events import EVENTS
from streams.fitting.history import History
from tests.reference import Arrival
from tests.support.arrivals import DAY, HOUR, NOON, Draft, addressed, inputs
from tests.support.driver import Tape, tapes
from tests.support.stream import Stage1, record_of, settings_with

CONFIG = settings_with(
    kafka={"partitions": 1}, lateness={"allowance": "200d"}, ledger={"horizon": "200d"}, windows={"lengths": ["7d"]}
)
"""Longer than any delay here, so no event is late: a fit does not know which events came too late for the stream."""

HORIZON = 200 * DAY
STEPS = (0, 1, HOUR, DAY, 3 * DAY)
patient = settings(deadline=None, suppress_health_check=list(HealthCheck))


def distinct(drafted: Sequence[Draft]) -> list[Draft]:
    """Every record once, as corrections that do not say when they were made are no evidence for a fit."""
    return [
        Draft(d.topic, d.step, 0, d.fields | {"record_id": f"r{n}", "event_id": f"e{n}"}, d.junk)
        for n, d in enumerate(drafted)
    ]


def streamed(arrivals: Iterable[Arrival], tape: Tape) -> Stage1:
    """Stage 1 after these arrivals, in chunks of any size."""
    stage, waiting = Stage1(0, CONFIG), list(arrivals)
    while waiting:
        topic, same = next(itertools.groupby(waiting, key=lambda arrival: arrival.topic))
        run = list(same)[: 1 + next(tape) % 9]
        stage.take(topic, [record_of(arrival) for arrival in run], max(a.arrival_ms for a in run))
        waiting = waiting[len(run) :]
    return stage


def read(arrivals: Iterable[Arrival]) -> History:
    """The same events as a fit reads them."""
    history, sources = History(HORIZON), {source.topic.name: source for source in EVENTS}
    for arrival in arrivals:
        [event] = sources[arrival.topic].decoder().many([arrival.payload])
        if hasattr(event, "record_id"):
            history.add(sources[arrival.topic], event)
    return history.close()


@patient
@given(inputs(steps=STEPS, delays=(0,)), tapes, st.integers(0, 40))
def test_a_fit_reads_the_features_the_stream_had_at_that_time(drafted: list[Draft], tape: Tape, days: int) -> None:
    arrivals, at = addressed(distinct(drafted), 1), NOON + days * DAY
    history = read(arrivals)
    then = streamed([a for a in arrivals if a.arrival_ms <= at], tape)
    for key in then.state.ledger.customers:
        if key[:1] == b"c":
            had = customer_features(then.state.ledger.entries(key), at, HORIZON)
            assert history.features(key[1:].decode(), at) == had


@patient
@given(inputs(steps=STEPS, delays=(0, 1, HOUR, DAY)), tapes, tapes)
def test_the_assessment_does_not_depend_on_how_events_came_in_chunks(
    drafted: list[Draft], tape: Tape, other: Tape
) -> None:
    arrivals = addressed(drafted, 1)
    now = max((a.arrival_ms for a in arrivals), default=NOON) + HOUR
    one, two = streamed(arrivals, tape), streamed(arrivals, other)
    for stage in (one, two):
        stage.state.renew_assessments(now, 1, 2**40, 2**40)
    assert latest(one, now) == latest(two, now)


def latest(stage: Stage1, now: int) -> list[tuple[object, ...]]:
    customers = sorted(key for key in stage.state.ledger.customers if key[:1] == b"c")
    risks = stage.state.assessments.last_assessed(customers, stage.state.ledger)
    return [(key, a and (a.time_ms, a.fields, a.at_ms == now), risk) for key, _, a, risk in risks]


def test_a_correction_counts_for_a_fit_from_when_it_was_made() -> None:
    def answer(score: int, **fields: str | int) -> Arrival:
        event = {"event_id": "e", "record_id": "r", "customer": "c", "survey": "s", "kind": "nps", "score": score}
        payload = json.dumps(event | {"time": "2024-01-01T12:00:00Z"} | fields).encode()
        return Arrival("cx.surveys.v1", 0, 0, NOON, payload)

    dated = read([answer(3), answer(9, updated_at="2024-01-05T12:00:00Z")])
    assert "days_since_detractor" in dated.features("c", NOON + 3 * DAY).features
    assert "days_since_promoter" in dated.features("c", NOON + 4 * DAY).features
    undated = read([answer(3, revision=1), answer(9, revision=2)])
    assert "days_since_detractor" in undated.features("c", NOON + 9 * DAY).features
    assert (undated.undated, undated.events) == (1, 2)
