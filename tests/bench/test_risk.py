"""The measurement of what churn risk costs runs, and compares like with like."""

from bench.risk import measured


def test_it_gives_both_speeds_and_their_ratio() -> None:
    found = measured(6_000)
    assert found["on_events_per_s"] > 0
    assert found["renewal_us"] > 0
    assert abs(found["ratio"] - found["on_events_per_s"] / found["off_events_per_s"]) < 0.001
