"""Reads `cxstream.toml` and the environment into `Settings`."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from streams.errors import ConfigError
from streams.settings.sections import Settings
from streams.settings.validation import validate

ENV_PREFIX = "CXSTREAM_"
FAUST_ENV_PREFIX = "CXSTREAM_FAUST_"
OTHER_VARIABLES = frozenset({"CXSTREAM_CONFIG", "CXSTREAM_BROKER_BIN", "CXSTREAM_DATA"})
"""Variables with our prefix that are not settings: the file, the embedded broker's binary, the tests' data."""

DEFAULT_FILE = "cxstream.toml"


def load(path: Path | None = None, env: Mapping[str, str] | None = None) -> Settings:
    """Read the file (default: `cxstream.toml` in the working directory, if there is one) and the environment.

    Raises `ConfigError` naming the key and the fix.
    """
    env = os.environ if env is None else env
    config = ENV_PREFIX + "CONFIG"
    raw = _read(path or Path(env.get(config, DEFAULT_FILE)), required=path is not None or config in env)
    for name, text in env.items():
        if name.startswith(ENV_PREFIX) and name not in OTHER_VARIABLES and not name.startswith(FAUST_ENV_PREFIX):
            _override(raw, name, text)
    try:
        settings = msgspec.convert(raw, Settings)
    except msgspec.ValidationError as error:
        raise ConfigError(_readable(str(error))) from None
    validate(settings)
    return settings


def _read(path: Path, required: bool) -> dict[str, Any]:
    if not path.exists():
        if required:
            raise ConfigError(f"{path}: no such file; create it or drop the option that names it")
        return {}
    try:
        return tomllib.loads(path.read_text())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from None


def _override(raw: dict[str, Any], name: str, text: str) -> None:
    section, _, key = name.removeprefix(ENV_PREFIX).lower().partition("_")
    section_types = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    field_types = getattr(section_types.get(section), "__annotations__", {})
    if key not in field_types:
        raise ConfigError(f"{name}: there is no setting {section}.{key}; see docs/configuration.md, or unset it")
    raw.setdefault(section, {})[key] = _typed(field_types[key], text)


def _typed(field_type: Any, text: str) -> Any:
    if field_type == list[str]:
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        return msgspec.convert(text, field_type, strict=False)
    except msgspec.ValidationError:
        return text  # `load` converts the whole and names the key in its error


def _readable(message: str) -> str:
    text, _, path = message.partition(" - at `$.")
    unknown = re.search(r"unknown field `([^`]+)`", text)
    key = ".".join(filter(None, [path.rstrip("`"), unknown[1] if unknown else ""]))
    if unknown or not path:
        return f"{key or 'settings'}: no such setting; see docs/configuration.md for the list"
    return f"{key}: {text}"
