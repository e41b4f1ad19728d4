"""What goes out: each record in its partition, under its key, as its schema says."""

import base64
from typing import Any

import msgspec
import pytest

from schemas.catalogue import PANES, REJECTS, REKEYED, RISK, SCORES
from schemas.dead_letter import PAYLOAD_CAP
from schemas.decoding import MAX_RECORD_BYTES, Invalid
from schemas.pane import Pane, PaneRecord, Watermark
from schemas.reject import Reject
from schemas.risk import Risk
from schemas.score import Score
from streams.core.churn.features import EVIDENCE_CODES
from streams.core.stage1.outcomes import RejectedRecord, RekeyedRecord
from streams.core.stage1.partitioner import partition_of
from streams.core.time.instants import to_datetime
from streams.runtime.checkpoint import Output
from streams.runtime.churn_model_watch import shipped_churn_model
from streams.runtime.publishing import ORIGIN, Publisher, score_key
from tests.reference.contracts import CALLS, SURVEYS
from tests.support.arrivals import HOUR, MINUTE, NOON, Draft, addressed
from tests.support.pipeline import Pipeline
from tests.support.stream import Record, Stage1, new_windows, record_of, settings_with

CONFIG = settings_with(kafka={"partitions": 4, "prefix": "eu."})
WHY = Invalid("not_json", "score", "mend it")


def publisher() -> Publisher:
    return Publisher(CONFIG)


def rejected(payload: bytes | None, **fields: Any) -> tuple[Output, Reject]:
    record = Record(**{"offset": 7, "timestamp": NOON, "key": b"k", "value": payload, **fields})
    [output] = publisher().rejects([RejectedRecord(SURVEYS, record, WHY)], 3)
    assert output.value is not None
    return output, msgspec.json.decode(output.value, type=Reject)


def survey(record: str, customer: str | None = "c", **fields: Any) -> Draft:
    own = {"event_id": record, "record_id": record, "customer": customer, "survey": "s", "kind": "nps", "score": 9}
    return Draft(SURVEYS, 0, 0, {**own, **fields})


def published(*drafts: Draft, **sections: dict[str, Any]) -> tuple[Stage1, list[Output]]:
    stage = Stage1(0, settings_with(**{"kafka": {"partitions": 1, "prefix": "eu."}, **sections}))
    for arrival in addressed(drafts, 1):
        stage.take(arrival.topic, [record_of(arrival)], NOON + HOUR)
    return stage, stage.checkpoint()


def values(outputs: list[Output], topic: str, kind: Any) -> list[Any]:
    return [msgspec.json.decode(o.value, type=kind) for o in outputs if o.topic == topic and o.value is not None]


class TestRejects:
    """A dead letter carries reason, address and payload, whatever the payload is."""

    def test_it_lies_in_its_records_partition_under_its_address(self) -> None:
        output, reject = rejected(b"{nonsense")
        assert output[:3] == ("eu.cx.rejects.v1", 3, f"{SURVEYS}|3|7".encode())
        assert reject == Reject(
            topic=SURVEYS,
            partition=3,
            offset=7,
            reason="not_json",
            field="score",
            detail="mend it",
            time=to_datetime(NOON),
            key="k",
            payload="{nonsense",
            encoding="utf-8",
            size=9,
            truncated=False,
        )

    def test_what_is_no_text_is_base64(self) -> None:
        _, reject = rejected(b"\xff\xfe\x00")
        assert (reject.encoding, base64.b64decode(reject.payload)) == ("base64", b"\xff\xfe\x00")

    def test_no_value_is_an_empty_payload_of_size_zero(self) -> None:
        _, reject = rejected(None, key=None, timestamp=-1)
        assert (reject.payload, reject.size, reject.key, reject.time) == ("", 0, "", to_datetime(0))

    @pytest.mark.parametrize("character", ["a", "é", "€", "😀"])
    @pytest.mark.parametrize("shift", range(4))
    def test_a_payload_beyond_the_cap_is_cut_between_characters(self, character: str, shift: int) -> None:
        text = "." * shift + character * (PAYLOAD_CAP + 1)
        _, reject = rejected(text.encode())
        assert (reject.truncated, reject.encoding, reject.size) == (True, "utf-8", len(text.encode()))
        assert text.startswith(reject.payload)
        assert PAYLOAD_CAP - 4 < len(reject.payload.encode()) <= PAYLOAD_CAP

    def test_a_payload_that_is_cut_and_no_text_is_base64_up_to_the_cap(self) -> None:
        _, reject = rejected(b"\xff" * (PAYLOAD_CAP + 1))
        assert (reject.encoding, reject.truncated) == ("base64", True)
        assert base64.b64decode(reject.payload) == b"\xff" * PAYLOAD_CAP

    def test_a_half_character_at_the_end_of_a_whole_payload_is_not_hidden(self) -> None:
        _, reject = rejected("€".encode()[:2])
        assert reject.encoding == "base64"

    def test_key_and_detail_are_capped_and_a_key_need_not_be_text(self) -> None:
        record = Record(0, NOON, b"\xff" * 5_000, b"")
        [output] = publisher().rejects([RejectedRecord(SURVEYS, record, Invalid("not_json", "", "x" * 5_000))], 0)
        assert output.value is not None
        reject = msgspec.json.decode(output.value, type=Reject)
        assert (len(reject.key), len(reject.detail)) == (256, 1000)

    def test_the_worst_record_makes_a_reject_that_fits_a_batch(self) -> None:
        _, reject = rejected(b"\x00" * MAX_RECORD_BYTES * 4)
        assert len(msgspec.json.encode(reject)) < 900_000


class TestRekeyed:
    """A record on its way to its customer's partition is as it came, with its address."""

    def test_it_goes_to_its_customers_partition_with_where_it_came_from(self) -> None:
        record = Record(7, NOON, b"wrong", b"value")
        [output] = publisher().rekeyed([RekeyedRecord(SURVEYS, record, b"c-1")], 3)
        assert output == Output(
            "eu.cx.rekeyed.v1", partition_of(b"c-1", 4), b"c-1", b"value", ((ORIGIN, f"{SURVEYS}|3|7".encode()),)
        )

    def test_what_stage_1_sends_on_arrives_where_it_stays(self) -> None:
        away = 1 - partition_of(b"c", 2)
        config = settings_with(kafka={"partitions": 2})
        first, home = Stage1(away, config), Stage1(1 - away, config)
        [arrival] = addressed([survey("r")], 1)
        first.take(SURVEYS, [record_of(arrival)], NOON)
        [sent] = [o for o in first.checkpoint() if o.topic == REKEYED.name]
        assert sent.partition == 1 - away
        home.take(REKEYED.name, [Record(0, NOON, sent.key, sent.value, tuple(sent.headers))], NOON)
        assert home.state.progress[REKEYED.name].outcomes["accepted"] == 1


class TestPanes:
    """A partial lies in the partition of its cell, so that one owner of stage 2 sees all of a cell."""

    def test_a_partial_says_what_stage_1_counted(self) -> None:
        _, outputs = published(survey("a", touchpoint="web"), survey("b", touchpoint="web", score=0))
        panes = [p for p in values(outputs, "eu.cx.panes.v1", PaneRecord) if isinstance(p, Pane)]
        [web] = [p for p in panes if (p.cut, p.resolution, p.topic) == ("touchpoint", 300, SURVEYS)]
        assert web == Pane(
            cut="touchpoint",
            cell="web",
            resolution=300,
            start=to_datetime(NOON),
            topic=SURVEYS,
            partition=0,
            version=2,
            last={"nps": to_datetime(NOON), "response_rate": to_datetime(NOON)},
            counts={"nps": {9: 1, 0: 1}, "response_rate": {2: 2}},
        )

    def test_key_and_partition_are_those_of_the_cell(self) -> None:
        stage = Stage1(0, settings_with(kafka={"partitions": 4}))
        home = next(name for name in "abcdefgh" if partition_of(name.encode(), 4) == 0)
        for arrival in addressed([survey("r", home, touchpoint="web", channel="chat")], 4):
            stage.take(SURVEYS, [record_of(arrival)], NOON)
        for output in stage.checkpoint():
            if output.topic == PANES.name and not output.key.startswith(b"watermark"):
                cut, cell, resolution, start, topic, partition = output.key.decode().split("|")
                meeting, _, source = topic.rpartition("/")
                assert (meeting, source) in (("", SURVEYS), ("", RISK.name), ("friction", SURVEYS))
                assert output.partition == partition_of((meeting or f"{cut}|{cell}").encode(), 4)
                assert output.value is not None
                pane = msgspec.json.decode(output.value, type=Pane)
                assert (pane.cut, pane.cell, pane.topic) == (cut, cell, topic)
                assert (pane.resolution, pane.start) == (int(resolution), to_datetime(int(start)))
                assert pane.partition == int(partition)

    def test_a_closed_pane_is_deleted_under_the_key_and_where_it_was_published(self) -> None:
        stage = Stage1(0, settings_with(kafka={"partitions": 4}))
        home = next(name for name in "abcdefgh" if partition_of(name.encode(), 4) == 0)
        first = survey("a", home, touchpoint="web", channel="chat")
        arrivals = addressed([first, Draft(SURVEYS, 60 * 24 * HOUR, 0, survey("b", home).fields)], 4)
        stage.take(SURVEYS, [record_of(arrivals[0])], NOON)
        before = {o.key: o.partition for o in stage.checkpoint() if o.topic == PANES.name and b"watermark" not in o.key}
        stage.take(SURVEYS, [record_of(arrivals[1])], arrivals[1].arrival_ms)
        deleted = {o.key: o.partition for o in stage.checkpoint() if o.topic == PANES.name and o.value is None}
        assert before.items() <= deleted.items()
        extra = deleted.keys() - before.keys()
        assert all(b"|friction/" in key for key in extra), "what may have been gathered is deleted too"
        assert len(set(before.values())) > 1

    def test_all_cells_of_a_score_that_compares_meet_in_one_partition(self) -> None:
        drafts = [survey(f"r{n}", f"c{n}", touchpoint=f"t{n}") for n in range(12)]
        stages = [Stage1(number, settings_with(kafka={"partitions": 4})) for number in range(4)]
        for arrival in addressed(drafts, 4):
            stages[arrival.partition].take(SURVEYS, [record_of(arrival)], NOON)
        outputs = [o for stage in stages for o in stage.checkpoint() if b"|friction/" in o.key]
        panes = values(outputs, PANES.name, Pane)
        assert {pane.cell for pane in panes} == {f"t{n}" for n in range(12)}
        assert {pane.cut for pane in panes} == {"touchpoint"}
        assert all(pane.counts == {"friction": {9: 1}} and pane.last.keys() == {"friction"} for pane in panes)
        assert {o.partition for o in outputs} == {partition_of(b"friction", 4)}
        assert len({pane.partition for pane in panes}) > 1

    def test_what_was_gathered_and_is_retracted_is_published_with_nothing_left(self) -> None:
        first = survey("r", touchpoint="web", revision=1)
        second = Draft(SURVEYS, 1, 1, {**first.fields, "revision": 2, "state": "declined", "score": None})
        stage, outputs = published(first)
        [arrival] = addressed([second], 1)
        stage.take(SURVEYS, [record_of(arrival)._replace(offset=1)], NOON)
        gathered = [o for o in (*outputs, *stage.checkpoint()) if b"|friction/" in o.key and b"|10|" in o.key]
        panes = values(gathered, "eu.cx.panes.v1", Pane)
        assert [pane.counts for pane in panes] == [{"friction": {9: 1}}, {}]
        assert panes[0].version < panes[1].version

    def test_a_watermark_goes_to_every_partition_and_says_how_far_its_topic_is_applied(self) -> None:
        stage = Stage1(1, settings_with(kafka={"partitions": 3}))
        home = next(name for name in "abcdefgh" if partition_of(name.encode(), 3) == 1)
        for arrival in addressed([survey("r", home), survey("s", home)], 3):
            stage.take(SURVEYS, [record_of(arrival)], NOON)
        stage.take(CALLS, [Record(4, NOON, None, b"junk")], NOON)
        outputs = [o for o in stage.checkpoint() if o.key.startswith(b"watermark|")]
        assert sorted((o.key.decode(), o.partition) for o in outputs) == [
            (f"watermark|{topic}|1", partition) for topic in (CALLS, SURVEYS) for partition in range(3)
        ]
        marks = {mark.topic: mark for mark in values(outputs, PANES.name, Watermark)}
        assert marks[SURVEYS] == Watermark(topic=SURVEYS, partition=1, offset=1, time=to_datetime(NOON))
        assert marks[CALLS] == Watermark(topic=CALLS, partition=1, offset=4, time=None)

    def test_the_watermark_follows_the_panes_it_covers(self) -> None:
        _, outputs = published(survey("a"))
        kinds = [o.key.startswith(b"watermark|") for o in outputs if o.topic == "eu.cx.panes.v1"]
        assert kinds == sorted(kinds)


class TestRisks:
    """One record a customer, whose parts add up to the risk it states."""

    def test_it_is_keyed_by_its_customer_and_adds_up(self) -> None:
        _, outputs = published(survey("a", "Zoë", score=0))
        [output] = [o for o in outputs if o.topic == "eu.cx.risk.v1"]
        [risk] = values([output], "eu.cx.risk.v1", Risk)
        assert (output.partition, output.key) == (0, "Zoë".encode())
        assert (risk.customer, risk.time, risk.band) == ("Zoë", to_datetime(NOON + HOUR), "medium")
        assert (risk.revision, risk.horizon_days, risk.model) == (NOON + HOUR, 30, shipped_churn_model().name)
        assert risk.risk == pytest.approx(risk.base + sum(c.points for c in risk.contributions), abs=1e-6)
        assert [c.feature for c in risk.contributions] == ["detractor"]
        assert risk.coverage == 1 / len(EVIDENCE_CODES)

    def test_unknown_is_said_as_such(self) -> None:
        _, outputs = published(
            Draft("cx.accounts.v1", 0, 0, {"event_id": "e", "record_id": "r", "customer": "c", "change": "started"})
        )
        [risk] = values(outputs, "eu.cx.risk.v1", Risk)
        assert (risk.risk, risk.band, risk.contributions) == (None, "unknown", [])

    def test_nobody_and_no_model_publish_none(self) -> None:
        assert values(published(survey("a", "0"))[1], "eu.cx.risk.v1", Risk) == []
        assert values(published(survey("a"), risk={"enabled": False})[1], "eu.cx.risk.v1", Risk) == []


class TestScores:
    """Of each window of each cell the newest result is kept."""

    def results(self) -> list[Score]:
        stream = Pipeline()
        stream.answer(NOON, 9, touchpoint="a+b", channel="web", customer="c")
        windows = new_windows(stream.settings)
        for pane in stream.panes:
            windows.apply(pane)
        windows.advance(NOON)
        return windows.changed_results()

    def test_every_result_has_a_key_of_its_own_that_does_not_name_its_time(self) -> None:
        results = self.results()
        keys = [score_key(result) for result in results]
        assert len(set(keys)) == len(keys) > 10
        assert b"nps|touchpoint+channel|a++b+web|5m" in keys
        later = msgspec.structs.replace(results[0], end=to_datetime(NOON + MINUTE), revision=9)
        assert score_key(later) == keys[0]

    def test_results_go_to_the_partition_of_their_cells(self) -> None:
        results = self.results()
        outputs = publisher().scores(results, 2)
        assert {(o.topic, o.partition) for o in outputs} == {(f"eu.{SCORES.name}", 2)}
        assert values(outputs, f"eu.{SCORES.name}", Score) == results


def test_a_record_that_is_refused_is_published_with_all_that_was_accepted_around_it() -> None:
    stage, outputs = published(survey("a"), Draft(SURVEYS, 0, 0, {}, b"junk"), survey("b"))
    [reject] = values(outputs, f"eu.{REJECTS.name}", Reject)
    assert (reject.offset, reject.payload) == (1, "junk")
    assert stage.state.progress[SURVEYS].outcomes["accepted"] == 2
    assert values(outputs, f"eu.{RISK.name}", Risk) != []
    assert stage.checkpoint()[-1].key.startswith(b"watermark"), "nothing but the watermarks is left"
