"""Friction and speed guard: agreement with the naive oracle, and the rules that decide."""

import random
from collections.abc import Iterable, Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.core.events.record_fields import RecordFields
from streams.core.scores import Accumulator, ComparedScore, Result, Score
from streams.core.scores.compared import CellName, WindowPair
from streams.core.scores.comparison_groups import COMPARED_SCORES
from streams.core.scores.friction import Friction
from streams.core.scores.friction_ces2 import FrictionCes2
from streams.core.scores.speed_guard import SpeedGuard
from tests.reference.compared import COMPARISONS, Records
from tests.reference.summary import Summary

patient = settings(deadline=None)
TEAMS, QUEUES = ("north", "so+uth"), ("cards", "loans", "lo++ans")
TOUCHPOINTS = tuple(("touchpoint", name) for name in ("web", "shop", "app", "(other)"))


def accumulated(score: ComparedScore, records: Iterable[RecordFields]) -> Accumulator:
    acc = score.zero()
    for fields in records:
        score.add(acc, score.slots(fields))
    return acc


def computed(score: ComparedScore, now: Records, before: Records | None = None) -> dict[CellName, Result]:
    earlier = before or {}
    return score.compare(
        {
            name: WindowPair(accumulated(score, now.get(name, [])), accumulated(score, earlier.get(name, [])))
            for name in {**now, **earlier}
        }
    )


def agree(score: Score, found: Mapping[CellName, Result], expected: Mapping[CellName, Summary]) -> None:
    assert found.keys() == expected.keys(), score.name
    for name, result in found.items():
        reference = expected[name]
        assert result.n == reference.n, name
        assert result.counts == pytest.approx(reference.counts, rel=1e-9), name
        assert (result.value, result.lower, result.upper) == pytest.approx(
            (reference.value, reference.lower, reference.upper), abs=1.1e-6
        ), name


def nps(answer: int, program: int = 0) -> RecordFields:
    return 2, 0, 2, answer, program


def ces2(answer: int) -> RecordFields:
    return 2, 1, 2, answer, 0


def call(talk_ms: int, hold_ms: int = -1, direction: int = 0) -> RecordFields:
    return 1, 0, direction, 1_000, talk_ms, hold_ms, -1, 0


def contact(repeated: int) -> RecordFields:
    return 6, repeated


def test_every_compared_score_has_an_oracle() -> None:
    assert COMPARISONS.keys() == COMPARED_SCORES.keys()


answers = st.lists(
    st.one_of(st.builds(nps, st.integers(0, 10), st.integers(0, 1)), st.builds(ces2, st.integers(1, 7))), max_size=30
)


class TestFriction:
    @patient
    @given(st.dictionaries(st.sampled_from(TOUCHPOINTS), answers, max_size=4))
    def test_it_agrees_with_the_oracle(self, now: Records) -> None:
        for score in (Friction(), FrictionCes2()):
            agree(score, computed(score, now), COMPARISONS[score.name](now, {}))

    def test_the_worst_touchpoint_has_rank_1_and_equal_values_share_a_rank(self) -> None:
        now = {TOUCHPOINTS[0]: [nps(0)] * 4, TOUCHPOINTS[1]: [nps(10)] * 4, TOUCHPOINTS[2]: [nps(0)] * 4}
        found = computed(Friction(), now)
        assert {name: result.counts["rank"] for name, result in found.items()} == {
            TOUCHPOINTS[0]: 1,
            TOUCHPOINTS[1]: 3,
            TOUCHPOINTS[2]: 1,
        }
        assert [found[name].value for name in TOUCHPOINTS[:2]] == [pytest.approx(100 / 3), pytest.approx(-200 / 3)]

    def test_friction_is_the_rise_of_the_total_if_the_touchpoint_were_as_good_as_the_others(self) -> None:
        own, others = [0, 0, 9, 7], [10, 10, 10, 9, 3, 8]
        now = {TOUCHPOINTS[0]: list(map(nps, own)), TOUCHPOINTS[1]: list(map(nps, others))}
        total = 100 * (5 - 3) / 10
        as_the_others = 100 * (4 - 1) / 6
        assert computed(Friction(), now)[TOUCHPOINTS[0]].value == pytest.approx(as_the_others - total)

    @pytest.mark.parametrize("score", [Friction(), FrictionCes2()])
    def test_the_only_touchpoint_and_one_without_answers_have_no_friction(self, score: ComparedScore) -> None:
        only = {TOUCHPOINTS[0]: [nps(0), ces2(2)], TOUCHPOINTS[1]: [nps(3, program=1)]}
        assert computed(score, only) == {}
        assert score.result(accumulated(score, only[TOUCHPOINTS[0]])) is None

    def test_a_higher_volume_narrows_the_interval(self) -> None:
        few = {TOUCHPOINTS[0]: [nps(0)] * 5 + [nps(10)] * 5, TOUCHPOINTS[1]: [nps(10)] * 6 + [nps(0)] * 4}
        many = {name: records * 100 for name, records in few.items()}
        narrow, wide = (computed(Friction(), each)[TOUCHPOINTS[0]] for each in (many, few))
        assert narrow.value == wide.value
        assert narrow.lower is not None
        assert wide.lower is not None
        assert narrow.lower > 0 > wide.lower


def crowd(seed: int, sizes: tuple[int, int]) -> tuple[Records, Records]:
    """Calls and contacts in every cell they belong to; some teams cut calls short, some queues have short calls."""
    chance = random.Random(seed)
    sides: tuple[Records, Records] = ({}, {})
    haste = {team: chance.choice((0.0, 0.0, 0.15)) for team in TEAMS}
    nature = {queue: chance.choice((0.02, 0.3)) for queue in QUEUES}
    for records, size, faster in zip(sides, sizes, (chance.choice((1.0, 0.6)), 1.0), strict=True):
        again = chance.choice((0.1, 0.4))
        for _ in range(size):
            team, queue = chance.choice(TEAMS), chance.choice(QUEUES)
            short = chance.random() < nature[queue] + haste[team]
            talk = chance.randrange(10_000) if short else round(faster * chance.randrange(10_000, 600_000))
            fields = [call(talk, chance.choice((-1, 0, 9_000)), chance.choice((0, 0, 0, 1)))]
            fields += [contact(int(chance.random() < again))] if chance.random() < 0.8 else []
            both = f"{team.replace('+', '++')}+{queue.replace('+', '++')}"
            for cell in (("team", team), ("queue", queue), ("team+queue", both), ("team+queue", "(other)")):
                records.setdefault(cell, []).extend(fields)
    return sides


class TestSpeedGuard:
    @settings(deadline=None, max_examples=40)
    @given(st.integers(0, 10**9), st.tuples(st.integers(0, 500), st.integers(0, 500)))
    def test_it_agrees_with_the_oracle(self, seed: int, sizes: tuple[int, int]) -> None:
        now, before = crowd(seed, sizes)
        agree(SpeedGuard(), computed(SpeedGuard(), now, before), COMPARISONS["speed_guard"](now, before))

    @pytest.mark.parametrize(
        ("talk", "repeated", "rushed"),
        [(200_000, 20, 1), (300_000, 20, 0), (400_000, 20, 0), (200_000, 5, 0)],
        ids=["faster and again", "as slow", "slower", "faster only"],
    )
    def test_a_cell_is_rushed_if_it_is_faster_and_more_contacts_are_repeated(
        self, talk: int, repeated: int, rushed: int
    ) -> None:
        def side(talk: int, repeated: int) -> list[RecordFields]:
            varied = [call(talk + step * 1_000) for step in range(-20, 20)]
            return varied + [contact(1)] * repeated + [contact(0)] * (40 - repeated)

        cell = ("team", "north")
        found = computed(SpeedGuard(), {cell: side(talk, repeated)}, {cell: side(300_000, 5)})[cell]
        assert (found.value, found.counts["rushed"], found.n) == (rushed, rushed, 40)
        assert "cut_short" not in found.counts
        assert found.counts["handle_ms_before"] - 40 * 300_000 == found.counts["handle_ms"] - 40 * talk == -20_000

    @pytest.mark.parametrize("fewest", [29, 30])
    @pytest.mark.parametrize("lacking", ["calls", "calls before", "contacts", "contacts before"])
    def test_with_fewer_than_thirty_there_is_no_verdict(self, lacking: str, fewest: int) -> None:
        numbers = dict.fromkeys(("calls", "calls before", "contacts", "contacts before"), 30) | {lacking: fewest}
        cell = ("queue", "cards")
        now = [call(60_000)] * numbers["calls"] + [contact(1)] * numbers["contacts"]
        before = [call(90_000)] * numbers["calls before"] + [contact(0)] * numbers["contacts before"]
        found = computed(SpeedGuard(), {cell: now}, {cell: before})
        assert [result.value for result in found.values()] == ([1.0] if fewest == 30 else [])

    def test_a_team_is_not_flagged_for_the_short_calls_of_its_queue(self) -> None:
        """Short calls are usual in one queue, which one team serves more; within each queue both teams are alike."""
        short, long = [call(5_000)], [call(60_000)]
        cells: Records = {}
        for team, queue, hits, misses in (
            ("north", "menu", 60, 60),
            ("south", "menu", 20, 20),
            ("north", "loans", 2, 38),
            ("south", "loans", 6, 114),
        ):
            records = short * hits + long * misses
            for cell in (("team", team), ("queue", queue), ("team+queue", f"{team}+{queue}")):
                cells.setdefault(cell, []).extend(records)
        found = computed(SpeedGuard(), cells)
        assert found["team", "north"].value == 0.0
        assert found["team", "north"].counts["odds_ppm"] == 1_000_000
        assert found["queue", "menu"].value == 1.0
        assert (found["queue", "menu"].counts["peers_short"], found["queue", "menu"].counts["peers"]) == (8, 160)

    def test_without_queues_within_teams_a_team_has_no_peers(self) -> None:
        teams: Records = {("team", name): [call(5_000)] * size for name, size in (("north", 100), ("south", 200))}
        assert computed(SpeedGuard(), teams) == {}

    def test_a_team_that_hangs_up_more_than_others_in_the_same_queue_is_flagged(self) -> None:
        cells: Records = {
            ("team+queue", "north+loans"): [call(5_000)] * 20 + [call(60_000)] * 60,
            ("team+queue", "south+loans"): [call(5_000)] * 4 + [call(60_000)] * 76,
            ("team", "north"): [call(5_000)] * 20 + [call(60_000)] * 60,
            ("team", "south"): [call(5_000)] * 4 + [call(60_000)] * 76,
        }
        found = computed(SpeedGuard(), cells)
        assert {name: result.value for name, result in found.items()} == {
            ("team+queue", "north+loans"): 1.0,
            ("team+queue", "south+loans"): 0.0,
            ("team", "north"): 1.0,
            ("team", "south"): 0.0,
        }
        evidence = found["team", "north"].counts
        assert evidence["odds_ppm"] == 6_333_333
        assert evidence["odds_lower_ppm"] < evidence["odds_ppm"] < evidence["odds_upper_ppm"]
