"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import click

from streams.core.scores import SCORES
from streams.settings import Settings, load

F = TypeVar("F", bound=Callable[..., object])

_REPLAY_OPTIONS = (
    click.option("--window", "windows", multiple=True, metavar="SPAN", help="Only this window, such as 24h or 30d."),
    click.option(
        "--cut",
        "cuts",
        multiple=True,
        metavar="CUT",
        help="Only this cut: total, touchpoint, team, channel, touchpoint+channel …",
    ),
    click.option(
        "--score",
        "scores",
        multiple=True,
        metavar="NAME",
        help=f"Print only this score: {', '.join(score.name for score in SCORES)}.",
    ),
    click.option("--every", default="", metavar="SPAN", help="Also a result at each multiple of this, such as 24h."),
    click.option(
        "--format",
        "output_format",
        type=click.Choice(["table", "ndjson"]),
        default="table",
        show_default=True,
        help="A table for people, or the records of cx.scores.v1, one a line.",
    ),
)


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


def replay_options(command: F) -> F:
    """`--window --cut --score --every --format`, for the fields of `ReplayOptions`."""
    for option in reversed(_REPLAY_OPTIONS):
        command = option(command)
    return command


def _load(ctx: click.Context, parameter: click.Parameter, path: Path | None) -> Settings:
    return load(path)
