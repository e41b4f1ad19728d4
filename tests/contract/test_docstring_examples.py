"""The examples in docstrings give the results that are written there."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in ("schemas", "sinks", "streams", "tests/reference")
    for path in (ROOT / folder).rglob("*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


def test_there_are_examples_to_run() -> None:
    assert "streams.core.scores.nps" in MODULES


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_give_the_written_results(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    outcome = doctest.testmod(importlib.import_module(name))
    assert not outcome.failed, capsys.readouterr().out
    assert outcome.attempted, f"{name}: an example is not in a docstring, so it is never run"
