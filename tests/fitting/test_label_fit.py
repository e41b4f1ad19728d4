"""`cxstream fit LABELS`: features as known at the time, evaluation on later labels, a model that a worker reads."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from streams.cli.fit import command
from streams.core.churn.churn_model import ChurnModel
from streams.errors import CxError
from streams.fitting.history import from_files
from streams.runtime.churn_model_watch import read_churn_model
from tests.reference.windows import moment_of
from tests.support.arrivals import DAY, NOON
from tests.support.leavers import Company, Label, company, write_events, write_labels, write_rows


@pytest.fixture(scope="module")
def telling() -> Company:
    return company(seed=3, customers=600)


@pytest.fixture(scope="module")
def events(telling: Company, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The arguments that name the files of the events."""
    return write_events(telling.events, tmp_path_factory.mktemp("events"))


@pytest.fixture(scope="module")
def fitted(
    telling: Company, events: list[str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], ChurnModel]:
    """The report of a fit to all labels, and the model in its file."""
    folder = tmp_path_factory.mktemp("fitted")
    labels, out = write_labels(telling.labels, folder / "labels.csv"), folder / "model.toml"
    result = fit(labels, events, "--format", "json", "--out", str(out))
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    assert report["model_file"] == str(out)
    return report, read_churn_model(out)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def fit(labels: Path, events: list[str], *more: str) -> Result:
    return CliRunner().invoke(command, [str(labels), *events, *more])


def refusal(labels: Path, events: list[str]) -> str:
    error = fit(labels, events).exception
    assert isinstance(error, CxError)
    assert error.exit_code == 2
    assert "\n" not in str(error)
    return str(error)


def rows_of(labels: Sequence[Label]) -> list[dict[str, Any]]:
    return [{"customer": x.customer, "time": moment_of(x.at), "churned": x.churned} for x in labels]


def test_the_reason_to_leave_is_found_and_the_file_is_a_churn_model(
    fitted: tuple[dict[str, Any], ChurnModel],
) -> None:
    report, model = fitted
    assert report["verdict"] == "signal"
    assert report["auc_low"] <= report["auc"] <= report["auc_high"]
    assert report["auc"] > 0.65
    assert report["top_decile_lift_low"] <= report["top_decile_lift"] <= report["top_decile_lift_high"]
    assert report["brier_low"] < report["brier"] < report["brier_high"]
    assert report["brier"] < report["brier_base"]
    assert report["method"].startswith("the later half of the labels")
    assert report["predicted"] < report["rows"] == pytest.approx(2_400, rel=0.3)
    assert {"contacts", "days_since_detractor"} <= {v["column"] for v in report["variables"]}
    quiet = model.explain({"contacts": 1.0, "repeat_contacts": 0.0, "transfers": 0.0})[1]
    upset = {"contacts": 6.0, "repeat_contacts": 4.0, "transfers": 0.0, "days_since_detractor": 2.0}
    assert model.explain(upset)[1] > 3 * quiet


def test_the_risk_of_the_file_is_calibrated_on_the_truth_it_was_not_fitted_to(
    folder: Path, fitted: tuple[dict[str, Any], ChurnModel]
) -> None:
    _, model = fitted
    others = company(seed=4, customers=500)
    files = [word for word in write_events(others.events, folder) if word != "--events"]
    history = from_files(files, 31 * DAY)
    known = [(label.risk, history.features(label.customer, label.at)) for label in others.labels]
    pairs = sorted((model.explain(then.features)[1], risk) for risk, then in known if then.is_evidence)
    for fifth in range(5):
        part = pairs[fifth * len(pairs) // 5 : (fifth + 1) * len(pairs) // 5]
        predicted, true = (sum(side) / len(part) for side in zip(*part, strict=True))
        assert predicted == pytest.approx(true, abs=0.05), f"fifth {fifth}"


def test_labels_that_are_noise_are_no_signal_and_no_file(folder: Path) -> None:
    noise = company(seed=5, customers=300, strength=0.0)
    result = fit(write_labels(noise.labels, folder / "labels.csv"), write_events(noise.events, folder))
    assert result.exit_code == 0
    assert "NO SIGNAL" in result.stdout
    assert list(folder.glob("*.toml")) == []


def test_labels_may_be_ndjson(folder: Path, telling: Company, events: list[str]) -> None:
    path = folder / "labels.ndjson"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows_of(telling.labels)))
    assert "SIGNAL: out of sample the churn model" in fit(path, events).stdout
    assert (folder / "churn-model.toml").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"time": "2024-03-01T00:00:00"}, "labels.csv:2: time '2024-03-01T00:00:00' has no zone"),
        ({"time": ""}, "labels.csv:2: time is empty"),
        ({"time": "March"}, "labels.csv:2: time 'March' is not a time"),
        ({"customer": ""}, "labels.csv:2: customer is empty"),
    ],
)
def test_an_invalid_label_is_named_with_its_line(
    folder: Path, telling: Company, events: list[str], change: dict[str, str], message: str
) -> None:
    rows = rows_of(telling.labels[:200])
    assert message in refusal(write_rows([rows[0] | change, *rows[1:]], folder / "labels.csv"), events)


def test_a_customer_twice_at_one_time_is_refused(folder: Path, telling: Company, events: list[str]) -> None:
    rows = rows_of(telling.labels[:200])
    message = refusal(write_rows([*rows, rows[4]], folder / "labels.csv"), events)
    assert "labels.csv:202" in message
    assert "line 6 already" in message


def test_labels_without_a_time_are_refused_with_what_to_use_instead(
    folder: Path, telling: Company, events: list[str]
) -> None:
    rows = [{"customer": row["customer"], "churned": row["churned"]} for row in rows_of(telling.labels[:200])]
    assert "--table FILE --label COLUMN" in refusal(write_rows(rows, folder / "labels.csv"), events)


def test_labels_of_one_class_and_too_few_are_refused(folder: Path, telling: Company, events: list[str]) -> None:
    stayed = [row | {"churned": 0} for row in rows_of(telling.labels[:200])]
    assert "every label is '0'" in refusal(write_rows(stayed, folder / "one.csv"), events)
    few = rows_of(telling.labels[:60])
    assert "are too few" in refusal(write_rows(few, folder / "few.csv"), events)


def test_a_label_after_the_leaving_is_a_leak(folder: Path, telling: Company) -> None:
    label = telling.labels[0]
    cancelled = {"event_id": "x", "record_id": "x", "customer": label.customer, "change": "cancelled"}
    event = ("cx.accounts.v1", label.at - DAY, cancelled | {"time": moment_of(label.at - DAY)})
    files = write_events([*telling.events, event], folder)
    message = refusal(write_labels(telling.labels[:400], folder / "labels.csv"), files)
    assert "lie after the cancellation of their customer's account (line 2, 3, 4, 5)" in message


def test_a_feature_that_tells_all_is_a_leak(folder: Path, telling: Company) -> None:
    events = [*telling.events]
    for number, label in enumerate(telling.labels):
        if label.churned:
            fields = {"event_id": f"l{number}", "record_id": f"l{number}", "customer": label.customer}
            at = label.at - 1000
            events.append(("cx.tickets.v1", at, fields | {"change": "escalated", "time": moment_of(at)}))
    message = refusal(write_labels(telling.labels, folder / "labels.csv"), write_events(events, folder))
    assert "days_since_escalated (AUC" in message
    assert "--drop" in message


def test_exactly_one_input_and_one_place_of_the_events_must_be_given(folder: Path, telling: Company) -> None:
    labels = write_labels(telling.labels, folder / "labels.csv")
    for arguments in ([], [str(labels)], [str(labels), "--table", str(labels)], ["--table", str(labels)]):
        assert isinstance(CliRunner().invoke(command, arguments).exception, CxError)
    assert "names no topic" in str(CliRunner().invoke(command, [str(labels), "--events", "x.ndjson"]).exception)


def test_events_after_a_label_do_not_change_its_features(folder: Path, telling: Company, events: list[str]) -> None:
    before = from_files([word for word in events if word != "--events"], 31 * DAY)
    cut = NOON + 60 * DAY
    later = [event for event in telling.events if event[1] <= cut]
    after = from_files([w for w in write_events(later, folder) if w != "--events"], 31 * DAY)
    some = [f"c{number}" for number in range(50)]
    assert [before.features(c, cut) for c in some] == [after.features(c, cut) for c in some]
