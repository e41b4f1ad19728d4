"""Settings as TOML that `load` reads back."""

import json
import re

import msgspec

from streams.settings.sections import Settings

HIDDEN = "********"
"""Stands in place of a password."""


def to_toml(settings: Settings) -> str:
    """A complete `cxstream.toml`; passwords are hidden."""
    sections = msgspec.to_builtins(settings)
    if sections["kafka"]["password"]:
        sections["kafka"]["password"] = HIDDEN
    sections["clickhouse"]["url"] = _without_password(sections["clickhouse"]["url"])
    sections["sinks"]["urls"] = [_without_password(url) for url in sections["sinks"]["urls"]]
    return "\n".join(_section(name, values) for name, values in sections.items())


def _without_password(url: str) -> str:
    return re.sub(r"(//[^:/@]*):[^/]*@", rf"\1:{HIDDEN}@", url)


def _section(name: str, values: dict[str, object]) -> str:
    # strings, numbers, booleans and arrays of them are written in TOML as in JSON
    lines = (f"{_key(key)} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items())
    return "\n".join((f"[{name}]", *lines, ""))


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=False)
