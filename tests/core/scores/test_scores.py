import json
from pathlib import Path
from typing import Any

import pytest

from streams.core.events.derived_kinds import assessment_fields
from streams.core.events.record_fields import RecordFields
from streams.core.events.surveys import SURVEY, SURVEY_KINDS, SURVEY_PROGRAMS, SURVEY_STATES
from streams.core.scores import SCORES, Result, Score
from streams.core.scores.base import rounded

VECTORS: dict[str, Any] = json.loads((Path(__file__).parents[2] / "vectors.json").read_text())
BY_NAME = {score.name: score for score in SCORES}


def survey(kind: str, score: int, state: str = "answered", program: str = "transactional") -> RecordFields:
    return SURVEY, SURVEY_KINDS.index(kind), SURVEY_STATES.index(state), score, SURVEY_PROGRAMS.index(program)


def compute(score: Score, records: list[RecordFields]) -> Result | None:
    acc = score.zero()
    for fields in records:
        score.add(acc, score.slots(fields))
    return score.result(acc)


def result(name: str, records: list[RecordFields]) -> Result:
    computed = compute(BY_NAME[name], records)
    assert computed is not None
    return computed


@pytest.mark.parametrize("case", [v for v in VECTORS["nps_basic"] if "nps" in v], ids=lambda v: str(v["scores"]))
def test_nps_is_the_published_one(case: dict[str, Any]) -> None:
    computed = result("nps", [survey("nps", s) for s in case["scores"]])
    assert computed.value == pytest.approx(100 * case["nps"], abs=1e-6)
    assert computed.n == len(case["scores"])


@pytest.mark.parametrize("case", VECTORS["nps_ci_95"], ids=lambda v: f"{v['pro']}-{v['pas']}-{v['det']}")
def test_nps_of_many_answers_with_its_interval(case: dict[str, Any]) -> None:
    answers = [10] * case["pro"] + [8] * case["pas"] + [6] * case["det"]
    computed = result("nps", [survey("nps", answer) for answer in answers])
    assert computed.value == pytest.approx(case["nps"], abs=5.1e-5)
    assert (computed.lower, computed.upper) == pytest.approx(case.get("adj", case.get("adj_clamped")), abs=5.1e-4)
    assert computed.counts == {"promoters": case["pro"], "passives": case["pas"], "detractors": case["det"]}


def test_a_zero_is_a_detractor_and_not_missing() -> None:
    assert result("nps", [survey("nps", 0)]).counts == {"promoters": 0, "passives": 0, "detractors": 1}


def test_a_rounded_zero_has_no_sign() -> None:
    computed = rounded(-1e-9, (-1e-9, 1e-9), 1, {})
    assert (str(computed.value), str(computed.lower), str(computed.upper)) == ("0.0", "0.0", "0.0")


@pytest.mark.parametrize(
    ("answer", "group"),
    [(0, "detractors"), (6, "detractors"), (7, "passives"), (8, "passives"), (9, "promoters"), (10, "promoters")],
)
def test_the_boundaries_between_detractors_passives_and_promoters(answer: int, group: str) -> None:
    assert result("nps", [survey("nps", answer)]).counts[group] == 1


def test_answers_of_the_two_nps_programs_never_count_together() -> None:
    records = [survey("nps", 10), survey("nps", 0, program="relationship")]
    assert (result("nps", records).value, result("nps_relationship", records).value) == (100.0, -100.0)
    assert (result("nps", records).n, result("nps_relationship", records).n) == (1, 1)


def test_ces2_is_the_mean_and_the_share_of_easy() -> None:
    case = VECTORS["ces2"]
    records = [survey("ces2", s) for s in case["scores"]]
    mean, easy = result("ces2", records), result("ces2_easy", records)
    assert (mean.value, mean.lower, mean.upper) == (case["mean"], 3.152814, 6.247186)
    assert mean.counts == {"1": 1, "2": 1, "3": 1, "4": 1, "5": 2, "6": 1, "7": 3}
    assert easy.value == pytest.approx(case["pct_agree_5_7"] / 100)
    assert easy.counts == {"easy": 6}


def test_a_mean_keeps_its_interval_on_the_scale_and_one_answer_has_none() -> None:
    wide = result("ces1", [survey("ces1", 1), survey("ces1", 5)])
    assert (wide.value, wide.lower, wide.upper) == (3.0, 1.0, 5.0)
    alone = result("ces1", [survey("ces1", 2)])
    assert (alone.value, alone.lower, alone.upper, alone.n) == (2.0, None, None, 1)


def test_answers_of_the_two_ces_versions_never_count_together() -> None:
    records = [survey("ces2", 7), survey("ces1", 1)]
    assert (result("ces2", records).value, result("ces1", records).value) == (7.0, 1.0)


def test_csat_is_the_share_of_the_two_best_answers() -> None:
    computed = result("csat", [survey("csat", s) for s in [5] * 3 + [4] * 5 + [3, 1]])
    assert (computed.value, computed.lower, computed.upper) == (0.8, 0.490162, 0.943318)
    assert (computed.n, computed.counts) == (10, {"satisfied": 8})


def test_declined_and_ignored_surveys_count_as_sent() -> None:
    records = [
        survey("nps", 9),
        survey("csat", -1, "declined"),
        survey("ces1", -1, "invited"),
        survey("nps", 3, program="relationship"),
    ]
    computed = result("response_rate", records)
    assert (computed.value, computed.n, computed.counts) == (0.5, 4, {"answered": 2})


@pytest.mark.parametrize("state", ["invited", "declined"])
def test_only_answers_are_scored(state: str) -> None:
    records = [survey(kind, 5, state) for kind in SURVEY_KINDS]
    scored = {score.name for score in SCORES if compute(score, records)}
    assert scored == {"response_rate"}


def test_churn_risk_is_a_mean_over_customers() -> None:
    records = [assessment_fields(100_000, False), assessment_fields(0, False), assessment_fields(800_000, True)]
    mean, high = result("churn_risk", records), result("churn_risk_high", records)
    assert (mean.value, mean.lower, mean.upper, mean.n) == (0.3, 0.0, 1.0, 3)
    assert mean.counts == {"high": 1, "sum_ppm": 900_000}
    assert (high.value, high.n, high.counts) == (0.333333, 3, {"high": 1})


def test_a_risk_of_zero_is_not_missing() -> None:
    computed = result("churn_risk", [assessment_fields(0, False), assessment_fields(0, False)])
    assert (computed.value, computed.lower, computed.upper, computed.n) == (0.0, 0.0, 0.0, 2)
