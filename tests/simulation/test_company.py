"""The simulated company is reproducible, valid, paced and noisy as announced."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice, pairwise, takewhile

import msgspec
import pytest

from schemas.catalogue import SOURCE_TOPICS
from schemas.decoding import EventDecoder, Invalid
from schemas.envelope import Envelope
from streams.simulation import Company, Message, Noise
from streams.simulation.touchpoints import TOUCHPOINTS

DAY = 86_400_000
START = int(datetime(2026, 3, 2, tzinfo=UTC).timestamp() * 1000)
FUTURE = 600_000
DECODERS = {topic.name: EventDecoder(topic.record) for topic in SOURCE_TOPICS}


def decoded(message: Message) -> Envelope | Invalid:
    return DECODERS[message.topic].one(message.value)


def event(message: Message) -> Envelope:
    result = decoded(message)
    assert not isinstance(result, Invalid), (message, result)
    return result


def milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def of_seconds(messages: Iterable[Message], seconds: float) -> list[Message]:
    return list(takewhile(lambda message: message.time_ms < START + seconds * 1000, messages))


@pytest.fixture(scope="module")
def history() -> list[Message]:
    return list(Company().history(START, START + 14 * DAY))


@pytest.fixture(scope="module")
def live() -> list[Message]:
    return of_seconds(Company(incident=None).live(START), 120)


def test_same_seed_gives_the_same_bytes(history: list[Message], live: list[Message]) -> None:
    assert list(Company().history(START, START + 14 * DAY)) == history
    assert of_seconds(Company(incident=None).live(START), 20) == of_seconds(live, 20)


def test_another_seed_gives_other_events(live: list[Message]) -> None:
    other = of_seconds(Company(seed=8, incident=None).live(START), 5)
    assert not {m.value for m in other} & {m.value for m in live if m.note != "invalid"}


def test_messages_come_in_the_order_and_span_of_sending(history: list[Message], live: list[Message]) -> None:
    for messages in (history, live):
        assert all(one.time_ms <= other.time_ms for one, other in pairwise(messages))
    assert history[0].time_ms >= START
    assert history[-1].time_ms < START + 14 * DAY
    assert START <= live[0].time_ms < START + 1_000


def test_records_intended_as_valid_are_valid(history: list[Message], live: list[Message]) -> None:
    for message in (*history, *live):
        if message.note != "invalid":
            assert milliseconds(event(message).time) <= message.time_ms


def test_records_intended_as_invalid_are_refused_for_many_reasons(history: list[Message]) -> None:
    reasons = Counter[str]()
    for message in history:
        if message.note == "invalid":
            result = decoded(message)
            if isinstance(result, Invalid):
                reasons[result.reason] += 1
            else:
                assert milliseconds(result.time) > message.time_ms + FUTURE
                reasons["future"] += 1
    assert len(reasons) >= 8, reasons


def test_a_key_is_the_customer_or_else_the_record(history: list[Message]) -> None:
    anonymous = 0
    for message in history:
        if message.note != "invalid":
            record = event(message)
            known = record.customer not in {"", "0"}
            anonymous += not known
            assert message.key == (record.customer if known else record.record_id).encode()  # type: ignore[union-attr]
    assert anonymous > 20


def test_the_shares_of_noise_are_as_configured(history: list[Message]) -> None:
    noise, notes = Noise(), Counter(message.note for message in history)
    records = notes["fresh"] + notes["late"]
    assert notes["late"] / records == pytest.approx(noise.late, rel=0.25)
    assert notes["invalid"] / records == pytest.approx(noise.invalid, rel=0.25)
    assert notes["duplicate"] / records == pytest.approx(1.81 * noise.duplicates, rel=0.25)


def test_a_duplicated_record_is_sent_two_to_eight_times(history: list[Message]) -> None:
    sent = Counter(message.value for message in history if message.note != "invalid")
    counts = Counter(times for times in sent.values() if times > 1)
    assert set(counts) == set(range(2, 9))
    assert counts[2] > counts[4] > counts[7]


def test_late_records_are_late_and_some_overtake_each_other(history: list[Message]) -> None:
    delays = [m.time_ms - milliseconds(event(m).time) for m in history if m.note == "late"]
    assert min(delays) >= 60_000
    assert max(delays) > 3_600_000
    times = [event(message).time for message in history if message.note == "fresh"]
    assert sum(one > other for one, other in pairwise(times)) > 10


def test_without_noise_every_record_comes_once_and_in_order() -> None:
    silent = Company(noise=Noise(duplicates=0, late=0, invalid=0, jitter_s=0))
    messages = list(silent.history(START, START + DAY))
    assert {message.note for message in messages} == {"fresh"}
    assert len({message.value for message in messages}) == len(messages)
    for message in messages:
        record = event(message)
        assert milliseconds(record.updated_at or record.time) == message.time_ms


@pytest.mark.parametrize("rate", [50.0, 200.0])
def test_the_live_rate_is_right_from_the_start(rate: float) -> None:
    company = Company(events_per_second=rate, incident=None)
    messages = of_seconds(company.live(START), 20_000 / rate)
    assert len(messages) == pytest.approx(20_000, rel=0.06)
    first = [m for m in messages if m.time_ms < START + 4_000 / rate * 1000]
    assert len(first) == pytest.approx(4_000, rel=0.15)


def test_the_past_has_the_configured_number_of_messages(history: list[Message]) -> None:
    after_the_snapshot = [message for message in history if message.time_ms >= START + 2 * DAY]
    assert len(after_the_snapshot) / 12 == pytest.approx(Company().history_per_day, rel=0.06)


def test_the_past_has_a_rhythm_of_day_and_week(history: list[Message]) -> None:
    moments = [event(message).time for message in history if message.note == "fresh"][5_000:]
    hours = Counter(moment.hour for moment in moments)
    days = Counter(moment.weekday() for moment in moments)
    assert hours[11] > 3 * hours[3]
    assert days[6] < 0.8 * days[1]


def test_past_and_live_stream_share_no_id(history: list[Message], live: list[Message]) -> None:
    ids = [{event(m).event_id for m in messages if m.note != "invalid"} for messages in (history, live)]
    assert not ids[0] & ids[1]


def test_every_touchpoint_and_channel_occurs_within_two_minutes_of_live(live: list[Message]) -> None:
    seen: dict[str, set[str]] = defaultdict(set)
    for message in live:
        if message.note == "fresh":
            record = event(message)
            seen[record.touchpoint].add(record.channel)
    assert {t.name for t in TOUCHPOINTS} <= set(seen)
    for touchpoint in TOUCHPOINTS:
        assert {channel for channel, _ in touchpoint.channels} <= seen[touchpoint.name]


def test_all_records_fit_on_a_line(history: list[Message]) -> None:
    assert not any(b"\n" in message.value for message in history)
    assert max(len(message.value) for message in history) < 1_000


def test_customers_who_cancelled_in_the_past_are_not_in_the_live_stream() -> None:
    company = Company(customers=200, incident=None)
    people = company.population()
    gone = set()
    for message in company.history(START - 10 * DAY, START, people):
        if message.topic == "cx.accounts.v1" and message.note == "fresh":
            fields = msgspec.json.decode(message.value)
            if fields["change"] == "cancelled":
                gone.add(fields["customer"])
    assert gone
    assert len(people.customers) == 200
    assert not gone & {customer.id for customer in people.customers}
    assert not {key.decode() for _, key, *_ in islice(company.live(START, people), 5_000)} & gone
