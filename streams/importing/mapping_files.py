"""Mapping files: those that come with cxstream, and the user's own on disk."""

from importlib.resources import files
from pathlib import Path

from streams.errors import MappingError
from streams.importing.mapping import Mapping
from streams.importing.mapping_text import parse_mapping

_FOLDER = files("streams.importing") / "mappings"


def load_mapping(name_or_path: str | Path) -> Mapping:
    """Read a bundled mapping by its name, or another one by its path, and validate it.

    Raises `MappingError` that names the key and the fix.
    """
    origin = str(name_or_path)
    return parse_mapping(_read(origin), name=Path(origin).stem, origin=origin)


def bundled_mappings() -> list[str]:
    """Names of the mappings that come with cxstream."""
    return sorted(file.name.removesuffix(".toml") for file in _FOLDER.iterdir() if file.name.endswith(".toml"))


def _read(name_or_path: str) -> str:
    if name_or_path in bundled_mappings():
        return (_FOLDER / f"{name_or_path}.toml").read_text("utf-8")
    try:
        return Path(name_or_path).read_text("utf-8")
    except FileNotFoundError:
        names = ", ".join(bundled_mappings())
        raise MappingError(
            f"{name_or_path}: no such mapping; give the path of a TOML file, or one of {names}"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise MappingError(f"{name_or_path}: cannot be read as a TOML file: {error}") from None
