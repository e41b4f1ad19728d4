"""The options of a replay: which windows, cuts and scores, at which boundaries, in which output format."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from streams.core.cells.cuts import Cut
from streams.core.scores import SCORES
from streams.core.time.spans import parse_span
from streams.errors import ConfigError
from streams.settings import Settings

OutputFormat = Literal["table", "ndjson"]


@dataclass(frozen=True)
class ReplayOptions:
    """The values of `--window --cut --score --every --format`; an empty one means what the settings say.

    Raises `ConfigError` naming the option that cannot be parsed.
    """

    windows: Sequence[str] = ()
    cuts: Sequence[str] = ()
    scores: Sequence[str] = ()
    every: str = ""
    output_format: OutputFormat = "table"

    def __post_init__(self) -> None:
        for window in self.windows:
            _validate("--window", parse_span, window)
        for cut in self.cuts:
            _validate("--cut", Cut.parse, cut)
        if self.every:
            _validate("--every", parse_span, self.every)
        names = [score.name for score in SCORES]
        for score in self.scores:
            if score not in names:
                raise ConfigError(f"--score: there is no {score!r}; there are: {', '.join(names)}")

    def narrow(self, settings: Settings) -> Settings:
        """The settings with only the windows and cuts of these options, so that no others are computed."""
        windows = msgspec.structs.replace(
            settings.windows,
            lengths=list(dict.fromkeys(self.windows)) or settings.windows.lengths,
            cuts=list(dict.fromkeys(self.cuts)) or settings.windows.cuts,
            every=self.every or settings.windows.every,
        )
        return msgspec.structs.replace(settings, windows=windows)


def _validate(option: str, parse: Callable[[str], object], text: str) -> None:
    try:
        parse(text)
    except ValueError as error:
        raise ConfigError(f"{option}: {error}") from None
