"""What docs/architecture.md names exists: files and symbols of the journeys, folders, tests, fail-points."""

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest

from streams.runtime.failpoints import POINTS
from tests.docs.commands import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text()
SYMBOLS = sorted(set(re.findall(r"`([\w/.-]+\.py):([\w.]+)`", PAGE)))
JOURNEYS = ("one answer", "one correction", "one late event")


def section(title: str) -> str:
    """The text under a heading, up to the next of its level."""
    _, found, rest = PAGE.partition(f"\n## {title}\n")
    assert found, f"docs/architecture.md has no section {title}"
    return rest.partition("\n## ")[0]


@cache
def symbols_of(path: Path) -> frozenset[str]:
    """The names a module defines at its top level, and `Class.name` for what its classes define."""
    module = ast.parse(path.read_text())
    names = set(_defined(module))
    for node in module.body:
        if isinstance(node, ast.ClassDef):
            names |= {f"{node.name}.{name}" for name in _defined(node)}
    return frozenset(names)


def _defined(scope: ast.Module | ast.ClassDef) -> list[str]:
    found = []
    for node in scope.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.append(node.name)
        elif isinstance(node, ast.Assign):
            found += [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.append(node.target.id)
    return found


@pytest.mark.parametrize(("path", "symbol"), SYMBOLS, ids=map(":".join, SYMBOLS))
def test_a_symbol_it_names_exists(path: str, symbol: str) -> None:
    assert (ROOT / path).is_file(), f"docs/architecture.md names {path}, which does not exist"
    assert symbol in symbols_of(ROOT / path), f"docs/architecture.md: {path} does not define {symbol}"


@pytest.mark.parametrize("journey", JOURNEYS)
def test_every_step_of_a_journey_names_a_symbol(journey: str) -> None:
    steps = re.split(r"^\d+\. ", section(f"The way of {journey}"), flags=re.MULTILINE)[1:]
    assert len(steps) > 3
    assert [step for step in steps if not re.search(r"`[\w/.-]+\.py:[\w.]+`", step)] == []


def test_every_path_it_names_exists() -> None:
    paths = set(re.findall(r"`((?:schemas|streams|sinks|deploy|tests|bench)/[\w/.-]*)`", PAGE))
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_the_table_of_folders_lists_every_package() -> None:
    listed = set(re.findall(r"^\| `([\w/]+)/` \|", section("The folders"), re.MULTILINE))
    packages = {"schemas", "sinks", "deploy", "tests", "bench"}
    for parent in ("streams", "streams/core"):
        packages |= {f"{parent}/{path.parent.name}" for path in (ROOT / parent).glob("*/__init__.py")}
    assert packages == listed


@pytest.mark.parametrize("container", ["streams", "streams.core"])
def test_its_layers_are_those_that_are_checked(container: str) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [layers] = [one["layers"] for one in contracts if one.get("containers") == [container]]
    assert f"- `{container}`: " + " → ".join(f"`{layer}`" for layer in layers) in PAGE


def test_the_table_of_failures_has_every_fail_point() -> None:
    rows = re.findall(r"^\| ((?:before|after) [a-z ]+?)(?: \(sink\))? \|", PAGE, re.MULTILINE)
    assert sorted(rows) == sorted(POINTS)
