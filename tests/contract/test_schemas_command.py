"""`cxstream schemas` writes the schemas of the structs, and refuses changes that break users of the earlier ones."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from schemas import generate
from streams.cli.main import main
from streams.cli.schemas import command
from streams.errors import CxError

SURVEYS, SCORES = "cx.surveys.v1.json", "cx.scores.v1.json"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def refusal(result: Result) -> str:
    assert isinstance(result.exception, CxError)
    return str(result.exception)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    assert run("--folder", str(tmp_path)).exit_code == 0
    return tmp_path


def edit(path: Path, change: Callable[[Any], object]) -> None:
    schema = json.loads(path.read_text())
    change(schema)
    path.write_text(json.dumps(schema))


def test_written_files_are_up_to_date_and_equal_the_committed_ones(folder: Path) -> None:
    assert run("--folder", str(folder), "--check").exit_code == 0
    assert run("--check").exit_code == 0
    committed = {path.name: path.read_text() for path in generate.FOLDER.glob("*.json")}
    assert {path.name: path.read_text() for path in folder.glob("*.json")} == committed


def test_the_check_names_the_file_that_differs_and_the_fix(folder: Path) -> None:
    edit(folder / SURVEYS, lambda schema: schema.update(title="another"))
    assert (
        refusal(run("--folder", str(folder), "--check"))
        == f"{SURVEYS}: differs from the structs; run `cxstream schemas`"
    )
    assert "1 changed" in run("--folder", str(folder)).output
    assert run("--folder", str(folder), "--check").exit_code == 0


def test_the_check_names_a_missing_file(folder: Path) -> None:
    (folder / generate.ASYNCAPI).unlink()
    assert refusal(run("--folder", str(folder), "--check")).startswith("asyncapi.json: ")


def test_a_field_removed_from_the_structs_is_refused_and_the_files_stay(folder: Path) -> None:
    edit(folder / SURVEYS, lambda schema: schema["$defs"]["Survey"]["properties"].update(mood={"type": "string"}))
    before = (folder / SURVEYS).read_text()
    message = refusal(run("--folder", str(folder)))
    assert message == (
        "cx.surveys.v1: mood: removed; accept what was sent so far, "
        "or add version 2 of the topic to schemas/catalogue.py"
    )
    assert (folder / SURVEYS).read_text() == before
    assert refusal(run("--folder", str(folder), "--check")).startswith(message)


def test_a_derived_field_that_used_to_be_narrower_is_refused(folder: Path) -> None:
    edit(folder / SCORES, lambda schema: schema["$defs"]["Score"]["properties"]["n"].update(maximum=1000))
    assert "cx.scores.v1: n: maximum was 1000, is none; write it as before" in refusal(run("--folder", str(folder)))


def test_a_removed_topic_is_refused_and_its_file_removed_only_on_demand(folder: Path) -> None:
    (folder / "cx.moods.v1.json").write_text((folder / SURVEYS).read_text())
    assert refusal(run("--folder", str(folder))).startswith("cx.moods.v1.json: its topic was removed; ")
    assert "removed" in run("--folder", str(folder), "--breaking").output
    assert run("--folder", str(folder), "--check").exit_code == 0


@pytest.fixture
def installed(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The default folder, as it is in an installed package: there is no pyproject.toml beside the package."""
    generated = tmp_path / "site-packages" / "schemas" / "generated"
    generated.mkdir(parents=True)
    for path in folder.glob("*.json"):
        path.rename(generated / path.name)
    monkeypatch.setattr(generate, "FOLDER", generated)
    return generated


@pytest.mark.parametrize("options", [(), ("--breaking",)])
def test_an_installed_package_is_never_written_to(installed: Path, options: tuple[str, ...]) -> None:
    (installed / SURVEYS).unlink()
    result = CliRunner().invoke(main, ["schemas", *options])
    assert (result.exit_code, result.stdout) == (2, "")
    fix = "give --folder FOLDER, or run in a checkout of cxstream"
    assert result.stderr == f"cxstream: {installed.parent} is an installed package; {fix}\n"
    assert not (installed / SURVEYS).exists()


def test_an_installed_package_can_be_checked_and_written_elsewhere(installed: Path, tmp_path: Path) -> None:
    assert run("--check").output == f"{installed}: up to date\n"
    elsewhere = tmp_path / "elsewhere"
    assert run("--folder", str(elsewhere)).exit_code == 0
    assert {path.name for path in elsewhere.iterdir()} == {path.name for path in installed.iterdir()}


def test_a_checkout_is_written_to_without_an_option(installed: Path) -> None:
    (installed.parents[1] / "pyproject.toml").touch()
    (installed / SURVEYS).unlink()
    assert run().exit_code == 0
    assert (installed / SURVEYS).exists()
