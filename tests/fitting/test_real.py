"""The public telecom churn table, as it lies there."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from streams.cli.main import main
from tests.integration.real_input.readers import data

CHURN = "telecom-churn/churn.csv"


@pytest.mark.slow
def test_the_telecom_table_reaches_a_careful_analyst_and_shows_the_step_at_four_calls(tmp_path: Path) -> None:
    document = fitted(tmp_path)
    print(json.dumps({key: document[key] for key in ("auc", "auc_low", "auc_high", "brier", "top_decile_lift")}))
    assert (document["rows"], document["positives"], document["verdict"]) == (3_333, 483, "signal")
    assert document["auc"] > 0.89
    assert document["auc"] > document["best_single_auc"] + 0.1
    left_out = {entry["column"]: entry["reason"] for entry in document["left_out"]}
    assert left_out.keys() == {"Phone", "Day Charge", "Eve Charge", "Night Charge", "Intl Charge"}
    [calls] = [entry for entry in document["variables"] if entry["column"] == "CustServ Calls"]
    assert calls["step"]["at"] == 4
    assert calls["step"]["odds_ratio"] == pytest.approx(8.44, rel=0.01)
    below = [part["left"] / part["n"] for part in calls["rates"][:4]]
    assert max(below) < 0.14
    assert calls["rates"][4]["left"] / calls["rates"][4]["n"] > 0.45


def fitted(folder: Path) -> dict[str, Any]:
    words = ["fit", "--table", str(data(CHURN)), "--label", "Churn?", "--format", "json"]
    result = CliRunner().invoke(main, [*words, "--out", str(folder / "model.toml")])
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    return document
