"""An installation has the command, the packages with their data, and exactly the locked dependencies."""

import re
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.deploy.tools import ROOT, run

LOCKS = sorted((ROOT / "requirements").glob("*.txt"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
PACKAGES = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


def locked(path: Path) -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), re.MULTILINE):
        pins.setdefault(name, set()).add(version)
    return pins


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=~]", requirement)[0] for requirement in requirements}


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_every_locked_package_has_hashes_and_no_address(path: Path) -> None:
    entries = re.split(r"\n(?=\S)", path.read_text().strip())
    assert [entry for entry in entries if not re.match(r"[a-z0-9-]+==\S+.*\\\n +--hash=sha256:", entry)] == []
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted", path.read_text())


def test_the_locks_agree_with_each_other() -> None:
    everything = locked(ROOT / "requirements" / "dev.txt")
    for path in LOCKS:
        assert {name: pins for name, pins in locked(path).items() if not pins <= everything[name]} == {}, path.name


def test_every_declared_dependency_is_locked_and_the_embedded_ones_stay_out_of_the_image() -> None:
    runtime = locked(ROOT / "requirements" / "runtime.txt")
    embedded = names(PROJECT["optional-dependencies"]["embedded"])
    assert names(PROJECT["dependencies"]) - set(runtime) == set()
    assert embedded & set(runtime) == set()
    assert embedded - set(locked(ROOT / "requirements" / "dev.txt")) == set()


def test_the_demo_installs_what_it_runs_on_and_no_tool_of_development() -> None:
    demo, groups = locked(ROOT / "requirements" / "demo.txt"), PYPROJECT["dependency-groups"]
    needed = {*locked(ROOT / "requirements" / "runtime.txt"), *names(PROJECT["optional-dependencies"]["embedded"])}
    assert needed - set(demo) == set()
    unneeded = {*names(groups["test"]), *names(groups["lint"]), *names(groups["deploy"])} - needed
    assert unneeded & set(demo) == set()
    assert set(PYPROJECT["tool"]["uv"]["exclude-dependencies"]) & set(demo) == set()


def test_every_package_declares_its_types() -> None:
    assert "Typing :: Typed" in PROJECT["classifiers"]
    assert [package for package in PACKAGES if not (ROOT / package / "py.typed").exists()] == []


@pytest.mark.io
def test_the_wheel_holds_every_module_and_every_data_file(tmp_path: Path) -> None:
    run("hatchling", "build", "-t", "wheel", "-d", tmp_path)
    (wheel,) = tmp_path.glob("cxstream-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert expected - names == set()
    assert {name for name in names - expected if ".dist-info/" not in name} == set()
    entry_points = next(name for name in names if name.endswith("entry_points.txt"))
    assert "cxstream = streams.cli.main:main" in zipfile.ZipFile(wheel).read(entry_points).decode()
