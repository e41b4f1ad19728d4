"""The input of job J1 is what it says, and its expected windows agree with the product's own scores."""

from collections import defaultdict
from itertools import islice

import pytest

from bench.j1_input import CUSTOMERS, PER_SECOND, SIZE, WINDOW_S, Expected, Key, expected, generate, outcomes
from schemas.decoding import EventDecoder
from schemas.survey import Survey
from streams.core.events.surveys import read_survey
from streams.core.scores import SCORES
from streams.core.time.panes import pane_start

N, SEED = 60_000, 3


@pytest.fixture(scope="module")
def records() -> list[tuple[bytes, Survey]]:
    made = list(generate(N, SEED))
    assert {len(value) for _, value in made} == {SIZE}
    surveys = EventDecoder(Survey).many([value for _, value in made])
    return [(key, survey) for (key, _), survey in zip(made, surveys, strict=True) if isinstance(survey, Survey)]


def test_the_same_seed_gives_the_same_bytes() -> None:
    first = list(islice(generate(N, SEED), 5_000))
    assert list(islice(generate(N, SEED), 5_000)) == first
    assert list(islice(generate(N, SEED + 1), 5_000)) != first


def test_every_record_is_valid_and_keyed_by_its_customer(records: list[tuple[bytes, Survey]]) -> None:
    assert len(records) == N
    assert all(key == (survey.customer or "").encode() for key, survey in records)
    assert len({key for key, _ in records}) > 0.95 * CUSTOMERS


def test_duplicates_corrections_and_late_ones_have_their_shares(records: list[tuple[bytes, Survey]]) -> None:
    found = outcomes(N, SEED)
    assert found.total() == N
    assert found["duplicate"] / N == pytest.approx(0.01, rel=0.2)
    assert found["corrected"] / N == pytest.approx(0.01, rel=0.2)
    began = min(survey.time for _, survey in records if survey.record_id == "r000000000").timestamp()
    behind = [began + int(s.record_id[1:]) / PER_SECOND - s.time.timestamp() for _, s in records if s.revision == 1]
    late = [seconds for seconds in behind if seconds > 0.5]
    assert len(late) / N == pytest.approx(0.02, rel=0.2)
    assert max(late) == pytest.approx(600, abs=5)
    assert min(behind) >= -0.001


def test_expected_windows_are_those_of_the_products_scores(records: list[tuple[bytes, Survey]]) -> None:
    newest: dict[str, Survey] = {}
    for _, survey in sorted(records, key=lambda record: record[1].revision or 0):
        newest[survey.record_id] = survey
    accumulators: dict[Key, dict[int, int]] = defaultdict(dict)
    scores = {score.name: score for score in SCORES if score.name in {"nps", "ces2", "ces2_easy"}}
    for survey in newest.values():
        end = pane_start(round(survey.time.timestamp() * 1000), WINDOW_S) + WINDOW_S * 1000
        for name, score in scores.items():
            if slots := score.slots(read_survey(survey)):
                score.add(accumulators[name, f"{survey.touchpoint}+{survey.channel}", end], slots)
    results = {key: scores[key[0]].result(accumulator) for key, accumulator in accumulators.items()}
    assert expected(N, SEED) == {key: Expected(r.n, r.counts) for key, r in results.items() if r}
    assert sum(what.n for key, what in expected(N, SEED).items() if key[0] != "ces2_easy") == len(newest)
