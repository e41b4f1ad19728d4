"""The churn model's file: a wrong value is refused with the field and the fix."""

import re
from importlib.resources import files

import pytest

from streams.core.churn.churn_model_file import parse_churn_model

SHIPPED = (files("streams.core.churn") / "churn-model.toml").read_text("utf-8")
LEAST = """
format = 2
version = "mine-1"
horizon_days = 30
base_rate = 0.1
intercept = -2.0
[bands]
medium = 0.2
high = 0.4
[[terms]]
coefficient = 1.5
factors = [{ feature = "contacts", from = 4 }, { feature = "tenure_days", ramp = [0, 365.0] }]
provenance = "ours"
"""


def test_the_shipped_model_is_valid_and_says_where_every_coefficient_comes_from() -> None:
    model = parse_churn_model(SHIPPED)
    assert (model.horizon_days, round(model.base, 6), model.base_rate) == (30, 0.02, 0.02)
    assert all(term.provenance for term in model.terms)


def test_the_shipped_model_keeps_the_name_that_states_carry() -> None:
    assert parse_churn_model(SHIPPED).name == "shipped-2@0f07fd27"


def test_a_term_is_the_product_of_its_factors_and_named_after_them() -> None:
    model = parse_churn_model(LEAST)
    [(name, weight, points)], risk = model.explain({"contacts": 5.0, "tenure_days": 73.0})
    assert name == "contacts ≥ 4 × tenure_days 0→365"
    assert weight == pytest.approx(0.2)
    assert risk == pytest.approx(model.base + points)
    assert model.explain({"contacts": 5.0}) == ((), model.base)


def test_a_missing_feature_can_be_a_factor() -> None:
    model = parse_churn_model(
        LEAST.replace('feature = "contacts", from = 4', 'feature = "yearly_value", missing = true')
    )
    assert model.explain({"tenure_days": 365.0})[1] > model.base
    assert model.explain({"tenure_days": 365.0, "yearly_value": 1.0})[1] == model.base


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"contacts"', '"mood"', "terms[0].factors[0].feature: no such feature 'mood'; there are days_since_detractor"),
        ("coefficient = 1.5\n", "", "terms[0].coefficient: missing"),
        ("intercept = -2.0\n", "", "intercept: missing"),
        ("1.5", "nan", "terms[0].coefficient: nan is not a finite number"),
        ("1.5", "-inf", "terms[0].coefficient: -inf is not a finite number"),
        ("-2.0", "nan", "intercept: nan is not a finite number"),
        ("365.0]", "inf]", "terms[0].factors[1].ramp[1]: inf is not a finite number"),
        ("from = 4", "from = nan", "terms[0].factors[0].from: nan is not a finite number"),
        ("1.5", '"1.5"', "terms[0].coefficient: Expected `float`, got `str`"),
        ("1.5", "true", "terms[0].coefficient: Expected `float`, got `bool`"),
        ("horizon_days = 30", "horizon_days = 30.5", "horizon_days: Expected `int`, got `float`"),
        ("horizon_days = 30", "horizon_days = 0", "horizon_days: 0; give the number of days"),
        ("1.5", "101", "terms[0].coefficient: 101 is beyond ±100"),
        ("[0, 365.0]", "[365.0, 0]", "terms[0].factors[1].ramp: [365.0, 0.0] does not rise"),
        ("from = 4", "half_life = 0", "terms[0].factors[0].half_life: 0; give days above 0"),
        ("from = 4", "from = 4, missing = true", "terms[0].factors[0]: give one of"),
        (", from = 4", "", "terms[0].factors[0]: give one of"),
        ("from = 4", "missing = false", "terms[0].factors[0]: give one of"),
        ("from = 4", "form = 4", "terms[0].factors[0].form: no such key"),
        ("medium = 0.2", "medium = 0.5", "bands: medium and high"),
        ("base_rate = 0.1", "base_rate = 1", "base_rate: 1.0; give the share"),
        ('"mine-1"', '"a b"', "version: 'a b' is not a valid name"),
        ('"ours"', '" "', "terms[0].provenance: empty"),
        ("format = 2", "format = 1", "format: 1 is a table model, whose columns a stream does not have"),
        ("format = 2\n", "", "format: must be 2, found none"),
        ("format = 2", "format = ", "not valid TOML"),
        ("[[terms]]", "[terms]", "terms: Expected `array`, got `object`"),
    ],
)
def test_a_wrong_value_is_refused_with_the_field(old: str, new: str, message: str) -> None:
    assert old in LEAST
    with pytest.raises(ValueError, match=f"(?m)^{re.escape(message)}"):
        parse_churn_model(LEAST.replace(old, new, 1))


def test_a_model_without_terms_is_refused() -> None:
    with pytest.raises(ValueError, match="terms: none"):
        parse_churn_model(LEAST.replace("[bands]", "terms = []\n[bands]").partition("[[terms]]")[0])


def test_whatever_the_size_of_the_log_odds_the_risk_is_one() -> None:
    model = parse_churn_model(LEAST.replace("1.5", "100").replace("-2.0", "99"))
    assert model.explain({"contacts": 9.0, "tenure_days": 900.0})[1] == 1.0
