"""`cxstream fit --table` as a user runs it: a signal and its file, no signal and no file, one line for an error."""

import json
import math
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from streams.cli.main import main
from streams.errors import ConfigError
from streams.fitting.fitted import Fitted
from streams.fitting.predictions import Progress
from streams.fitting.report import as_json
from streams.fitting.table import Table, read_table
from streams.fitting.table_fit import TableRequest, fit_table
from streams.runtime.churn_model_watch import read_churn_model
from tests.support import customers

FitTable = Callable[[Table, TableRequest, Progress], Fitted]

KEYS = {
    "rows",
    "base_rate",
    "auc",
    "auc_low",
    "auc_high",
    "best_single",
    "best_single_auc",
    "top_decile_lift",
    "brier",
    "brier_base",
    "calibration",
    "verdict",
}


def fit(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["fit", *map(str, arguments)])


def found(*arguments: object) -> dict[str, Any]:
    result = fit(*arguments, "--format", "json")
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document


def refusal(*arguments: object) -> str:
    result = fit(*arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert result.stderr.count("\n") == 1
    return result.stderr


@pytest.fixture(scope="module")
def fit_once() -> FitTable:
    """`fit_table`, which fits the same table with the same options once for all tests."""
    fits: dict[tuple[Table, TableRequest], Fitted] = {}

    def cached(table: Table, request: TableRequest, progress: Progress) -> Fitted:
        key = (Table(table.name, table.sha256, table.delimiter, table.header, ()), request)
        if key not in fits:
            fits[key] = fit_table(table, request, progress)
        return fits[key]

    return cached


@pytest.fixture(autouse=True)
def fits_are_shared(fit_once: FitTable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.fitting.table_fit.fit_table", fit_once)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def signal_table(folder: Path) -> Path:
    """The file of a table with a reason to leave."""
    return customers.write(customers.telling(3, 600, 6, 0.25, 2.0), folder / "signal.csv")


def altered(folder: Path, **columns: list[str]) -> Path:
    return customers.write(customers.telling(3, 600, 6, 0.25, 2.0) | columns, folder / "altered.csv")


def test_a_reason_to_leave_is_found_and_written(folder: Path, signal_table: Path) -> None:
    document = found("--table", signal_table, "--label", "left")
    assert document.keys() >= KEYS
    assert document["verdict"] == "signal"
    assert document["rows"] == 600
    assert document["auc_low"] > 0.6
    assert document["auc_low"] < document["auc"] < document["auc_high"] < 0.9
    assert document["brier"] < document["brier_base"]
    assert document["top_decile_lift"] > 1.5
    assert (folder / document["model_file"]).exists()


def test_calibration_has_tenths_that_make_up_all_customers(signal_table: Path) -> None:
    document = found("--table", signal_table, "--label", "left")
    tenths = document["calibration"]
    assert len(tenths) == 10
    assert sum(tenth["n"] for tenth in tenths) == document["rows"]
    left = sum(tenth["n"] * tenth["observed"] for tenth in tenths)
    assert left == pytest.approx(document["base_rate"] * document["rows"], abs=0.1)
    assert [tenth["predicted"] for tenth in tenths] == sorted(tenth["predicted"] for tenth in tenths)


def test_labels_that_are_noise_are_no_signal_and_no_file(folder: Path) -> None:
    table = customers.write(customers.noise(5, 400, 8, 0.25), folder / "noise.csv")
    document = found("--table", table, "--label", "left", "--out", "model.toml")
    assert (document["verdict"], document["model_file"]) == ("no signal", None)
    assert document["auc_low"] < 0.5
    text = fit("--table", table, "--label", "left", "--out", "model.toml").stdout
    assert "NO SIGNAL" in text
    assert "No model was written" in text
    assert not (folder / "model.toml").exists()


def test_the_text_shows_the_step(signal_table: Path) -> None:
    text = fit("--table", signal_table, "--label", "left").stdout
    assert "SIGNAL: out of sample the table model tells who left" in text
    assert "x1: from 3 on" in text


def test_the_file_alone_gives_the_risk_of_every_customer(folder: Path, signal_table: Path, fit_once: FitTable) -> None:
    found("--table", signal_table, "--label", "left", "--out", "model.toml")
    model = tomllib.loads((folder / "model.toml").read_text())
    fitted = fit_once(read_table(signal_table), TableRequest("left"), lambda done, total: None)
    assert fitted.model
    table = customers.telling(3, 600, 6, 0.25, 2.0)
    by_hand = [log_odds(model, dict(zip(table, row, strict=True))) for row in customers.rows(table)]
    np.testing.assert_allclose(by_hand, fitted.model.log_odds(fitted.screened.frame), atol=1e-9)


def log_odds(model: dict[str, Any], customer: dict[str, str]) -> float:
    """As the comment at the head of the file says."""
    terms = model["terms"]
    return float(
        model["intercept"]
        + sum(
            term["coefficient"]
            * math.prod(factor_value(factor, customer[factor["column"]]) for factor in term["factors"])
            for term in terms
        )
    )


def factor_value(factor: dict[str, Any], text: str) -> float:
    blank = text in ("", "NA")
    if "missing" in factor:
        return float(blank)
    if "is" in factor:
        return float(text == factor["is"])
    if blank:
        return 0.0
    low, high = factor.get("ramp", (0.0, 1.0))
    return (
        float(float(text) >= factor["from"])
        if "from" in factor
        else float(min(1.0, max(0.0, (float(text) - low) / (high - low))))
    )


def test_the_file_says_where_it_comes_from_and_how_good_it_is(folder: Path, signal_table: Path) -> None:
    document = found("--table", signal_table, "--label", "left", "--out", "model.toml")
    model = tomllib.loads((folder / "model.toml").read_text())
    assert model["provenance"]["table"] == "signal.csv"
    assert (model["provenance"]["rows"], model["provenance"]["positive"]) == (600, "yes")
    assert model["backtest"]["auc"] == pytest.approx(document["auc"], abs=1e-4)
    assert len(model["backtest"]["calibration"]) == 10


def test_a_worker_refuses_the_file_and_says_which_kind_of_model_it_is(folder: Path, signal_table: Path) -> None:
    found("--table", signal_table, "--label", "left", "--out", "model.toml")
    with pytest.raises(ConfigError, match="format: 1 is a table model, .* fit a churn model to events"):
        read_churn_model(folder / "model.toml")


def test_the_same_table_gives_the_same_figures_and_progress_counts_up_to_the_last_fit(signal_table: Path) -> None:
    calls: list[tuple[int, int]] = []
    again = fit_table(read_table(signal_table), TableRequest("left"), lambda done, total: calls.append((done, total)))
    assert found("--table", signal_table, "--label", "left") | {"model_file": None} == json.loads(as_json(again, None))
    assert calls == [(done, 16) for done in range(1, 17)]


def test_a_file_is_replaced_only_with_force(folder: Path, signal_table: Path) -> None:
    (folder / "mine.toml").write_text("mine")
    assert "--force replaces it" in refusal("--table", signal_table, "--label", "left", "--out", "mine.toml")
    assert (folder / "mine.toml").read_text() == "mine"
    assert found("--table", signal_table, "--label", "left")["model_file"] == "table-model.toml"
    assert found("--table", signal_table, "--label", "left")["model_file"] == "table-model-2.toml"
    found("--table", signal_table, "--label", "left", "--out", "mine.toml", "--force")
    assert tomllib.loads((folder / "mine.toml").read_text())["format"] == 1


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["no"] * 600, "left: every label is 'no'"),
        ([""] * 600, "left: the label column is empty"),
        (["yes"] * 8 + ["no"] * 592, "left: only 8 of 600 labels are 'yes', too few customers who left"),
        (["no"] * 3 + ["yes"] * 597, "too few customers who stayed"),
        (["yes", "no", "maybe"] * 200, "left: 3 different labels"),
        (["a", "b"] * 300, "which label means that the customer left, 'a' or 'b'? Name it with --positive"),
        (["1", "2"] * 300, "which label means that the customer left, '1' or '2'?"),
        (["yes"] * 30 + ["no"] * 30 + [""] * 540, "left: 60 labelled rows are too few"),
    ],
)
def test_labels_that_cannot_be_learned_from_are_refused(folder: Path, labels: list[str], message: str) -> None:
    assert message in refusal("--table", altered(folder, left=labels), "--label", "left")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--label", "gone"], "no column 'gone' for --label; there are: x0, x1"),
        (["--label", "left", "--drop", "x1,y"], "no column 'y' for --drop"),
        (["--label", "left", "--id", "y"], "no column 'y' for --id"),
        (["--label", "left", "--drop", "left"], "left: both --label and in --drop"),
        (["--label", "left", "--drop", "x0,x1,x2,x3,x4,x5"], "no column beside the label"),
        (["--label", "left", "--positive", "si"], "no label is 'si'"),
        (["--label", "left", "--id", "x1"], "x1: "),
        (["--label", "left", "--out", "nowhere/model.toml"], "nowhere: not a folder that can be written to"),
    ],
)
def test_options_that_do_not_fit_the_table_are_refused(signal_table: Path, arguments: list[str], message: str) -> None:
    assert message in refusal("--table", signal_table, *arguments)


def test_customers_that_come_twice_are_refused(folder: Path) -> None:
    table = altered(folder, customer=[f"c{min(place, 598)}" for place in range(600)])
    assert "customer: 1 identifiers come more than once, such as 'c598' (2 rows)" in refusal(
        "--table", table, "--label", "left", "--id", "customer"
    )


def test_a_column_made_from_the_label_is_refused_with_the_way_to_drop_it(folder: Path) -> None:
    left = customers.telling(3, 600, 6, 0.25, 2.0)["left"]
    table = altered(
        folder,
        status=["gone" if value == "yes" else "here" for value in left],
        reason=[f"text {place}" if value == "yes" else "" for place, value in enumerate(left)],
    )
    message = refusal("--table", table, "--label", "left")
    assert "status (AUC 1.000)" in message
    assert "reason (AUC 1.000, it is filled only where the customer left)" in message
    assert '--drop "status,reason"' in message
    assert found("--table", table, "--label", "left", "--drop", "status,reason")["verdict"] == "signal"


def test_the_other_label_can_be_the_positive_one(signal_table: Path) -> None:
    document = found("--table", signal_table, "--label", "LEFT", "--positive", "no")
    assert (document["positive"], document["verdict"]) == ("no", "signal")
    assert document["base_rate"] > 0.5


def test_without_scikit_learn_it_says_what_to_install(signal_table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.cli.fit.find_spec", lambda name: None)
    assert refusal("--table", signal_table, "--label", "left") == (
        "cxstream: fitting needs scikit-learn: install cxstream[fit]\n"
    )
