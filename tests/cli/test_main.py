"""The command line as a user meets it: quick help, errors in one line, unexpected errors with their traceback."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from streams.cli.main import COMMANDS, main
from streams.errors import CxError, HoleError
from tests.support.commands import own_process, refusal

NAMES = [name for name, _, _ in COMMANDS]


def test_help_lists_every_command_with_what_it_does() -> None:
    text = CliRunner().invoke(main, ["--help"]).output
    listed = re.findall(r"^  (\w+) {2,}\w", text.partition("Commands:")[2], flags=re.MULTILINE)
    assert listed == NAMES


@pytest.mark.io
def test_help_imports_no_command() -> None:
    code = (
        "import sys; from streams.cli.main import main, COMMANDS\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        "print([module for _, module, _ in COMMANDS if module in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.io  # the first import of Faust starts `file`
@pytest.mark.parametrize(("name", "module"), [(name, module) for name, module, _ in COMMANDS])
def test_every_registered_command_exists_and_shows_an_example(name: str, module: str) -> None:
    command = import_module(module).command
    assert isinstance(command, click.Command)
    assert command.name == name
    text = CliRunner().invoke(main, [name, "--help"]).output
    assert "Example" in text, f"`cxstream {name} --help` shows no example"
    assert "\\b" not in text
    assert f"cxstream {name}" in text.partition("Example")[2]


def test_an_unknown_command_is_a_usage_error() -> None:
    result = CliRunner().invoke(main, ["sing"])
    assert result.exit_code == 2
    assert "No such command 'sing'" in result.output


@pytest.mark.parametrize(("error", "code"), [(CxError("a: b\nc: d"), 2), (HoleError("a: b\nc: d"), 3)])
def test_a_cx_error_is_lines_on_stderr_and_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: CxError, code: int
) -> None:
    def fail(**_: object) -> None:
        raise error

    monkeypatch.setattr(import_module("streams.cli.topics").command, "callback", fail)
    result = CliRunner().invoke(main, ["topics"])
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == "cxstream: a: b\ncxstream: c: d\n"


def test_an_unexpected_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(import_module("streams.cli.topics").command, "callback", fail)
    assert isinstance(CliRunner().invoke(main, ["topics"]).exception, ZeroDivisionError)


@pytest.mark.io
def test_a_failing_process_ends_with_one_line_and_no_other_output(tmp_path: Path) -> None:
    done = own_process("topics", folder=tmp_path, variables={"CXSTREAM_KAFKA_BROKERS": "127.0.0.1:1"})
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("cxstream: no broker at 127.0.0.1:1: start it or set kafka.brokers")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"CXSTREAM_KAFKA_PARTITIONS": "none"}, "kafka.partitions: Expected `int`, got `str`"),
        ({"CXSTREAM_CONFIG": "absent.toml"}, "absent.toml: no such file"),
    ],
)
def test_settings_that_cannot_be_loaded_are_one_line(environment: dict[str, str], message: str) -> None:
    assert refusal("topics", **environment).startswith(f"cxstream: {message}")
