"""Folders that a user names for what a command keeps."""

from pathlib import Path

from streams.errors import ConfigError


def new_folder(path: Path) -> Path:
    """Create the folder of `--keep` unless it exists, and return its absolute path.

    Raises `ConfigError` when it cannot be created or is not empty: a new broker starts at offset 0, so its records
    would be taken for those of an earlier run.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        is_empty = not any(path.iterdir())
    except OSError as error:
        reason = error.strerror or error
        raise ConfigError(f"--keep {path}: {reason}; name a folder that can be written to") from None
    if not is_empty:
        raise ConfigError(f"--keep {path}: the folder is not empty; name a new one")
    return path.resolve()
