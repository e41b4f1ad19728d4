"""The measurement of the cost of churn risk runs, and its ratio follows from its figures."""

from bench.risk import measure


def test_the_ratio_is_that_of_the_two_speeds() -> None:
    found = measure(6_000)
    assert found["on_events_per_s"] > 0
    assert found["renewal_us"] > 0
    assert abs(found["ratio"] - found["on_events_per_s"] / found["off_events_per_s"]) < 0.001
