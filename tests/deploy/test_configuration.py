"""Every setting is documented with its default, and nothing else is."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streams.settings import Settings, load
from tests.deploy.tools import ROOT

DOCUMENT = ROOT / "docs" / "configuration.md"
EXAMPLE = ROOT / "cxstream.example.toml"


def defaults() -> dict[str, Any]:
    sections = msgspec.to_builtins(Settings())
    return {
        f"{section}.{key}": value
        for section, values in sections.items()
        if section != "owners"
        for key, value in values.items()
    }


def documented() -> dict[str, Any]:
    rows = re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \| `([^`]+)` \| \S.* \|$", DOCUMENT.read_text(), re.MULTILINE)
    return {key: tomllib.loads(f"value = {value}")["value"] for key, value in rows}


def test_the_document_lists_every_setting_at_its_default() -> None:
    assert documented() == defaults(), "mend docs/configuration.md"


def test_the_document_has_a_section_for_every_section() -> None:
    sections = re.findall(r"^## (\w+)$", DOCUMENT.read_text(), re.MULTILINE)
    assert sections == list(msgspec.to_builtins(Settings())), "mend docs/configuration.md"


def test_the_example_file_has_every_setting_at_its_default() -> None:
    raw = tomllib.loads(EXAMPLE.read_text())
    keys = {f"{section}.{key}" for section, values in raw.items() for key in values}
    assert keys == set(defaults()), "mend cxstream.example.toml"
    assert load(EXAMPLE, {}) == Settings()


@pytest.mark.parametrize("source", [EXAMPLE, DOCUMENT], ids=lambda path: path.name)
def test_the_owners_shown_are_accepted(source: Path, tmp_path: Path) -> None:
    shown = re.findall(r'^(?:# )?("\w+:\w+" = "[\w-]+")$', source.read_text(), re.MULTILINE)
    config = tmp_path / "cxstream.toml"
    config.write_text("\n".join(["[owners]", *shown]))
    assert load(config, {}).owners == {"touchpoint:checkout": "web-team", "team:billing": "finance"}
