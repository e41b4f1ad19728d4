"""Every command a document shows exists with the options shown; those that need nothing else are run."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from streams.cli.main import main
from tests.docs.commands import ROOT, Command, documents, shown

COMMANDS = [command for document in documents() for command in shown(document)]
RUNNABLE = (
    ("cxstream", "--help"),
    ("cxstream", "check"),
    ("cxstream", "schemas", "--check"),
    ("cxstream", "topics", "--list"),
)
DEMO = ("cxstream", "demo", "--seconds")
OURS = [(Path(command.words[0]).name, *command.words[1:]) for command in COMMANDS]
RUN = sorted({words for words in OURS if words in RUNNABLE or words[:-1] == DEMO})


def known_cxstream(words: tuple[str, ...]) -> None:
    command: click.Command = main
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("-"):
            found = command.get_command(click.Context(command), word)
            assert found, f"there is no command {word}"
            command = found
        elif word.startswith("-"):
            options = {option for parameter in command.params for option in parameter.opts} | {"--help"}
            assert word.split("=")[0] in options, f"{command.name} has no option {word}"


def known_make(words: tuple[str, ...]) -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert [word for word in words if "=" not in word and word not in targets] == [], "no such target"


def known_faust(words: tuple[str, ...]) -> None:
    assert words[words.index("-A") + 1] == "streams.app"
    assert (ROOT / "streams" / "app.py").exists()


def known_paths(words: tuple[str, ...]) -> None:
    paths = [word for word in words if "/" in word and not word.startswith("-") and "://" not in word]
    assert [path for path in paths if not (ROOT / path).exists()] == [], "no such path"


def anything(words: tuple[str, ...]) -> None:
    """Programs of others, shown with arguments that only the reader's machine can judge."""


def run_by_another_test(words: tuple[str, ...]) -> None:
    """Programs that `test_subscribing` and `test_operations` run as shown."""


CHECKS: dict[str, Callable[[tuple[str, ...]], None]] = {
    "cxstream": known_cxstream,
    "make": known_make,
    "faust": known_faust,
    "docker": known_paths,
    "kubectl": known_paths,
    "bash": known_paths,
    ".ci/run": known_paths,
    "git": anything,
    "cd": anything,
    "cp": known_paths,
    "curl": anything,
    "pip": anything,
    "clickhouse-client": anything,
    "python": run_by_another_test,
    "java": run_by_another_test,
    "kafka-topics.sh": run_by_another_test,
    "kafka-consumer-groups.sh": run_by_another_test,
}


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_a_command_shown_exists_with_its_options(command: Command) -> None:
    program, *arguments = command.words
    name = Path(program).name if program.startswith(".venv/") else program
    assert name in CHECKS, f"{command}: say in CHECKS how to check {name}"
    CHECKS[name](tuple(arguments))


def test_the_documents_show_commands_that_can_be_run() -> None:
    assert RUN, "the documents show no command that this suite runs"


@pytest.mark.slow
@pytest.mark.io
@pytest.mark.parametrize("words", RUN, ids=" ".join)
def test_a_command_shown_works_as_shown(words: tuple[str, ...], tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "streams.cli.main", *words[1:]]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CXSTREAM_")}
    environment["PYTHONPATH"] = str(ROOT)
    done = subprocess.run(
        arguments, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_link_between_documents_leads_somewhere() -> None:
    broken = [
        f"{document.relative_to(ROOT)}: {target}"
        for document in documents()
        for target in re.findall(r"\]\((?!https?:)([^)#\s]+)", document.read_text())
        if not (document.parent / target).exists()
    ]
    assert broken == []


def test_the_index_names_every_document() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    assert [path.name for path in (ROOT / "docs").glob("*.md") if f"({path.name})" not in index] == ["README.md"]


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 100
