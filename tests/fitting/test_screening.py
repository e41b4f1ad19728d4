"""Columns that are left out, columns that leak the label, and copied rows."""

import numpy as np
import pytest

from streams.errors import ConfigError
from streams.fitting.columns import Column, as_column
from streams.fitting.predictions import copy_groups
from streams.fitting.screening import screen

ROWS = 400
RNG = np.random.default_rng(7)
LEFT = (RNG.random(ROWS) < 0.2).astype(float)
AMOUNT = [f"{value:.4f}" for value in RNG.normal(size=ROWS)]


def column(name: str, *texts: str) -> Column:
    return as_column(name, texts)[0]


def reasons(*columns: Column) -> dict[str, str]:
    return dict(screen([*columns, column("amount", *AMOUNT)], LEFT).left_out)


@pytest.mark.parametrize(
    ("name", "texts", "reason"),
    [
        ("customer id", [str(7_000_000 + 13 * place) for place in range(ROWS)], "looks like an identifier"),
        ("CustomerID", [str(7_000_000 + 13 * place) for place in range(ROWS)], "looks like an identifier"),
        ("column 1", [str(place) for place in range(ROWS)], "looks like an identifier"),
        ("Kunde", [str(10_000 + 7 * place + place % 3) for place in range(ROWS)], "looks like an identifier"),
        ("phone", [f"555-{place:04}" for place in range(ROWS)], "looks like an identifier or free text"),
        ("comment", [f"text {place % 390}" for place in range(ROWS)], "looks like an identifier or free text"),
        ("town", [f"town {place % 90}" for place in range(ROWS)], "has 90 different values"),
        ("since", [f"2024-01-{place % 28 + 1:02}" for place in range(ROWS)], "holds dates"),
        ("country", ["NL"] * ROWS, "is always 'NL'"),
        ("year", ["2024"] * ROWS, "is always 2024"),
        ("empty", [""] * ROWS, "has no values"),
    ],
)
def test_a_column_that_describes_no_customer_is_left_out(name: str, texts: list[str], reason: str) -> None:
    assert reasons(column(name, *texts))[name].startswith(reason)


def test_whole_numbers_that_are_all_different_are_no_identifier_by_that_alone() -> None:
    distinct = RNG.permutation(40_000)[:ROWS]
    assert reasons(column("salary", *map(str, distinct))) == {}


def test_a_column_that_says_the_same_again_is_left_out() -> None:
    minutes = RNG.normal(200, 50, ROWS)
    colour = RNG.integers(0, 3, ROWS)
    found = reasons(
        column("minutes", *[f"{value:.1f}" for value in minutes]),
        column("charge", *[f"{0.17 * round(value, 1):.2f}" for value in minutes]),
        column("colour", *[("red", "green", "blue")[code] for code in colour]),
        column("farbe", *[("rot", "grün", "blau")[code] for code in colour]),
    )
    assert found == {"charge": "says the same as minutes", "farbe": "says the same as colour"}


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("copy", ["gone" if left else "here" for left in LEFT]),
        ("codes", [str(int(3 * left + 10 * (place % 2))) for place, left in enumerate(LEFT)]),
        ("score", [f"{left + RNG.normal(0, 0.1):.4f}" for left in LEFT]),
        ("middle", [f"{RNG.normal(0, 0.1) if left else RNG.choice([-5, 5]):.4f}" for left in LEFT]),
        ("closed on", [f"2024-02-{place % 28 + 1:02}" if left else "" for place, left in enumerate(LEFT)]),
        ("win-back call", ["" if left else "7" for left in LEFT]),
    ],
)
def test_a_column_that_tells_the_label_alone_is_refused(name: str, texts: list[str]) -> None:
    with pytest.raises(ConfigError, match="alone enough to tell who left") as refused:
        screen([column(name, *texts), column("amount", *AMOUNT)], LEFT)
    assert f'--drop "{name}"' in str(refused.value)


def test_every_leak_is_named_at_once() -> None:
    texts = ["1" if left else "0" for left in LEFT]
    with pytest.raises(ConfigError, match='--drop "a,b"'):
        screen([column("a", *texts), column("b", *texts), column("amount", *AMOUNT)], LEFT)


def test_a_column_that_nearly_tells_the_label_alone_is_noted() -> None:
    score = [f"{left + RNG.normal(0, 0.4):.4f}" for left in LEFT]
    notes = screen([column("score", *score)], LEFT).notes
    assert len(notes) == 1
    assert notes[0].startswith("score alone reaches an AUC of 0.9")


@pytest.mark.parametrize("state", ["filled", "empty"])
def test_a_column_filled_or_empty_for_leavers_only_is_refused_at_any_auc(state: str) -> None:
    some = [bool(left) and place % 3 > 0 for place, left in enumerate(LEFT)]
    texts = [("7" if marked else "") if state == "filled" else ("" if marked else "7") for marked in some]
    with pytest.raises(ConfigError, match=rf"AUC 0\.8.*it is {state} only where the customer left") as refused:
        screen([column("reason", *texts), column("amount", *AMOUNT)], LEFT)
    assert '--drop "reason"' in str(refused.value)


def test_an_identifier_that_repeats_says_how_to_name_it() -> None:
    found = reasons(column("customer id", *[str(7_000_000 + 13 * (place % 398)) for place in range(ROWS)]))
    assert "(2 repeat one; if it names the customer, say so with --id)" in found["customer id"]


def test_features_known_at_the_time_may_be_filled_for_leavers_only() -> None:
    texts = ["7" if left and place % 3 else "" for place, left in enumerate(LEFT)]
    assert "reason" in screen([column("reason", *texts), column("amount", *AMOUNT)], LEFT, timed=True).frame


def test_a_value_that_only_a_few_leavers_have_is_chance() -> None:
    first = set(np.flatnonzero(LEFT)[:25])
    texts = ["7" if place in first else "" for place in range(ROWS)]
    assert screen([column("rare", *texts), column("amount", *AMOUNT)], LEFT).notes == ()


def test_a_column_that_only_some_who_stayed_have_is_noted() -> None:
    texts = ["7" if not left and place % 3 else "" for place, left in enumerate(LEFT)]
    (note,) = screen([column("renewal", *texts), column("amount", *AMOUNT)], LEFT).notes
    assert note == "renewal is filled only where the customer stayed: make sure that it was known before"


def test_a_word_that_only_leavers_have_is_noted() -> None:
    state = ["cancelled" if left and place % 3 else ("open", "paid")[place % 2] for place, left in enumerate(LEFT)]
    (note,) = screen([column("state", *state), column("amount", *AMOUNT)], LEFT).notes
    assert "with 'cancelled' in state have left: make sure that it was known before" in note


def test_nothing_to_learn_from_is_refused_with_the_reasons() -> None:
    with pytest.raises(ConfigError, match="no column is left to learn from .country: is always 'NL'"):
        screen([column("country", *["NL"] * ROWS)], LEFT)


def test_copies_of_a_customer_are_not_confused_with_customers_alike_in_a_few_coarse_columns() -> None:
    copied = {"amount": column("amount", *AMOUNT[:150], *AMOUNT[:150], *AMOUNT[:100])}
    copied["score"] = column("score", *AMOUNT[50:200], *AMOUNT[50:200], *AMOUNT[50:150])
    assert len(np.unique(copy_groups(copied))) == 150
    coarse = {"colour": column("colour", *["red", "green"] * 200), "calls": column("calls", *map(str, range(400)))}
    assert len(np.unique(copy_groups(coarse))) == ROWS
    rounded = {"amount": column("amount", *[f"{value:.1f}" for value in RNG.normal(0, 10, ROWS)])}
    assert len(np.unique(copy_groups(rounded))) == ROWS
