"""What is wanted of a replay: which windows, cuts and scores, at which boundaries, in which form."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import click
import msgspec

from streams.core.cells.cuts import Cut
from streams.core.scores import SCORES
from streams.core.time.panes import parse_span
from streams.errors import ConfigError
from streams.settings import Settings

F = TypeVar("F", bound=Callable[..., object])
Form = Literal["table", "ndjson"]

_OPTIONS = (
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
        help=f"Show only this score: {', '.join(score.name for score in SCORES)}.",
    ),
    click.option("--every", default="", metavar="SPAN", help="Also a result at each multiple of this, such as 24h."),
    click.option(
        "--format",
        "form",
        type=click.Choice(["table", "ndjson"]),
        default="table",
        show_default=True,
        help="For people, or the records of cx.scores.v1, one a line.",
    ),
)


def replay_options(command: F) -> F:
    """`--window --cut --score --every --format`, for the fields of `Wanted`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@dataclass(frozen=True)
class ReplayOptions:
    """The answer to that; empty means all that the settings name. Raises `ConfigError` naming the option."""

    windows: Sequence[str] = ()
    cuts: Sequence[str] = ()
    scores: Sequence[str] = ()
    every: str = ""
    form: Form = "table"

    def __post_init__(self) -> None:
        for window in self.windows:
            _check("--window", parse_span, window)
        for cut in self.cuts:
            _check("--cut", Cut.parse, cut)
        if self.every:
            _check("--every", parse_span, self.every)
        names = [score.name for score in SCORES]
        for score in self.scores:
            if score not in names:
                raise ConfigError(f"--score: there is no {score!r}; there are: {', '.join(names)}")

    def narrow(self, settings: Settings) -> Settings:
        """The settings with only the windows and cuts that are wanted: nothing else is computed."""
        windows = msgspec.structs.replace(
            settings.windows,
            lengths=list(dict.fromkeys(self.windows)) or settings.windows.lengths,
            cuts=list(dict.fromkeys(self.cuts)) or settings.windows.cuts,
            every=self.every or settings.windows.every,
        )
        return msgspec.structs.replace(settings, windows=windows)


def _check(option: str, parse: Callable[[str], object], text: str) -> None:
    try:
        parse(text)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from None
