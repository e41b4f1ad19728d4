"""Churn rate: the customers active at the start who left; newcomers count in neither number."""

from typing import Any

from streams.core.scores.churn_rate import ChurnRate
from tests.reference.contracts import ACCOUNTS, CALLS
from tests.support.arrivals import DAY, HOUR, NOON
from tests.support.pipeline import Pipeline

SECTIONS: dict[str, dict[str, Any]] = {
    "windows": {"lengths": ["7d", "30d"], "cuts": ["total", "segment"]},
    "lateness": {"allowance": "30d"},
    "ledger": {"horizon": "31d"},
}


def rate(stream: Pipeline, window: str = "30d", cell: str = "all") -> tuple[float, int, int] | None:
    found = stream.result("churn_rate", window, cell)
    return None if found is None else (found["value"], found["n"], found["counts"]["left"])


def company() -> Pipeline:
    """Ten customers who joined 100 days ago, four of them in segment `pro`."""
    stream = Pipeline(**SECTIONS)
    for number in range(10):
        segment = "pro" if number < 4 else "free"
        stream.send(ACCOUNTS, NOON - 100 * DAY, customer=f"c{number}", change="started", segment=segment)
    return stream


def test_the_rate_is_the_share_of_customers_active_at_the_start_who_left() -> None:
    stream = company()
    stream.send(ACCOUNTS, NOON - 40 * DAY, customer="c9", change="cancelled")
    stream.send(ACCOUNTS, NOON - 10 * DAY, customer="c8", change="cancelled")
    stream.send(ACCOUNTS, NOON - DAY, customer="c0", change="cancelled")
    stream.send(CALLS, NOON, outcome="answered")
    assert (rate(stream), rate(stream, "7d")) == ((0.222222, 9, 2), (0.125, 8, 1))


def test_newcomers_count_in_neither_number() -> None:
    stream = company()
    for number in range(5):
        stream.send(ACCOUNTS, NOON - 3 * DAY, customer=f"new{number}", change="started")
    stream.send(ACCOUNTS, NOON - DAY, customer="new0", change="cancelled")
    stream.send(ACCOUNTS, NOON, customer="c1", change="cancelled")
    assert rate(stream) == (0.1, 10, 1)


def test_a_customer_counts_in_the_cell_in_which_they_joined() -> None:
    stream = company()
    stream.send(ACCOUNTS, NOON, customer="c0", change="cancelled", segment="free")
    assert (rate(stream, cell="pro"), rate(stream, cell="free")) == ((0.25, 4, 1), (0.0, 6, 0))


def test_other_changes_and_a_second_cancellation_do_not_change_the_rate() -> None:
    stream = company()
    for change in ("renewed", "updated", "started", "cancelled", "cancelled"):
        stream.send(ACCOUNTS, NOON, customer="c0", change=change)
    stream.send(ACCOUNTS, NOON + HOUR, customer="stranger", change="cancelled")
    assert rate(stream) == (0.1, 10, 1)


def test_a_customer_who_returns_is_a_newcomer() -> None:
    stream = company()
    stream.send(ACCOUNTS, NOON - 2 * DAY, customer="c0", change="cancelled")
    stream.send(ACCOUNTS, NOON - DAY, customer="c0", change="started")
    stream.send(ACCOUNTS, NOON, customer="c0", change="cancelled")
    assert rate(stream) == (0.1, 10, 1)


def test_an_active_account_is_kept_beyond_the_horizon() -> None:
    stream = company()
    for day in range(0, 300, 10):  # of another customer; every chunk drops what is beyond the horizon
        stream.send(ACCOUNTS, NOON + day * DAY, customer="other", change="updated")
    assert b"cc0" in stream.stage.state.ledger.customers
    assert len(stream.stage.state.ledger.entries(b"cother")) < 10
    stream.send(ACCOUNTS, NOON + 300 * DAY, customer="c0", change="cancelled")
    assert rate(stream) == (0.090909, 11, 1)
    for day in range(300, 400, 10):
        stream.send(ACCOUNTS, NOON + day * DAY, customer="other", change="updated")
    assert b"cc0" not in stream.stage.state.ledger.customers, "the customer has left and has no other records"


def test_without_customers_at_the_start_there_is_no_rate() -> None:
    assert ChurnRate().result({0: 5, 1: 2, 2: 2}) is None
