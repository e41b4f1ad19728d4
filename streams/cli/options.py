"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from streams.settings import Settings, load

F = TypeVar("F", bound=Callable[..., object])


def settings_option(command: F) -> F:
    """`--config FILE`; the command receives the loaded `settings`. Raises `ConfigError`."""
    return click.option(
        "--config",
        "settings",
        metavar="FILE",
        type=click.Path(path_type=Path),
        callback=_load,
        help="Settings file.  [default: cxstream.toml here, when there is one]",
    )(command)


def _load(ctx: click.Context, parameter: click.Parameter, path: Path | None) -> Settings:
    return load(path)
