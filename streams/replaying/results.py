"""Window results as they lie in `cx.scores.v1`: read back, and shown to people or programs."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import aclosing
from datetime import datetime
from typing import NamedTuple

import msgspec

from schemas.catalogue import SCORES as TOPIC
from schemas.score import Score
from streams.core.scores import SCORES
from streams.runtime.connection import aiokafka_options
from streams.runtime.recovery import read_to_end
from streams.settings import Settings

FEW = 5
"""Below so many answers or customers a score is marked in the table."""

_HEAD = ("score", "cut", "cell", "window", "until (UTC)", "value", "95 % interval", "n")
_RIGHT = frozenset({"value", "n"})
_ORDER = {score.name: number for number, score in enumerate(SCORES)}
_decode = msgspec.json.Decoder(Score).decode


class Result(NamedTuple):
    """One record, decoded and as it was published."""

    score: Score
    raw: bytes


async def read_results(settings: Settings) -> list[Result]:
    """All results in the topic, of each key and end the newest; by end, then score, cut, cell and window.

    Raises `BrokerError`.
    """
    newest: dict[tuple[bytes, datetime], Result] = {}
    options = aiokafka_options(settings)
    for partition in range(settings.kafka.partitions):
        async with aclosing(read_to_end(options, settings.topic(TOPIC.name), partition)) as chunks:
            async for records in chunks:
                for record in records:
                    if record.value is not None:
                        score = _decode(record.value)
                        newest[record.key or b"", score.end] = Result(score, record.value)
    return sorted(newest.values(), key=lambda result: (result.score.end, *_place(result.score)))


def only(results: Iterable[Result], scores: Collection[str]) -> list[Result]:
    """The results of these scores; of all, where none is named."""
    return [result for result in results if not scores or result.score.score in scores]


def table(results: Iterable[Result]) -> Iterator[str]:
    """Aligned lines for people, score by score; windows that have become empty are left out.

    One of which records were counted that all do not tell is not empty: its value is unknown.
    """
    counted = [r.score for r in results if r.score.n or r.score.counts]
    shown = sorted(counted, key=lambda score: (*_place(score), score.end))
    rows = [_row(score) for score in shown]
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    yield _line(_HEAD, widths)
    yield _line(["─" * width for width in widths], widths)
    for number, (score, row) in enumerate(zip(shown, rows, strict=True)):
        if number and score.score != shown[number - 1].score:
            yield ""
        yield _line(row, widths)
    if any(0 < score.n < FEW for score in shown):
        yield f"* fewer than {FEW}: chance, until there are more"


def _place(score: Score) -> tuple[int, tuple[int, str], list[tuple[int, str]], str]:
    cut = (-1 if score.cut == "total" else score.cut.count("+"), score.cut)
    return _ORDER.get(score.score, len(_ORDER)), cut, _natural(score.cell), score.window


def _natural(name: str) -> list[tuple[int, str]]:
    """Orders `Category 2` before `Category 10`."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", name)]


def _row(score: Score) -> Sequence[str]:
    few = " *" if 0 < score.n < FEW else "  "
    until = f"{score.end:%Y-%m-%d %H:%M:%S}".removesuffix(":00")
    cell = "".join(letter if letter.isprintable() else "·" for letter in score.cell)
    return (
        score.score,
        score.cut,
        cell,
        score.window,
        until,
        "unknown" if score.value is None else _text(score.value, score.unit),
        _interval(score),
        f"{score.n:,}{few}",
    )


def _interval(score: Score) -> str:
    if score.lower is None or score.upper is None:
        return "–"
    return f"{_text(score.lower, score.unit)} … {_text(score.upper, score.unit)}"


def _text(value: float, unit: str) -> str:
    if unit == "ratio":
        return f"{100 * value:.1f} %"
    return {"points": f"{value:+.1f}", "scale": f"{value:.2f}", "count": f"{value:,.0f}"}.get(unit, f"{value:,.1f} s")


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if name in _RIGHT else cell.ljust(width)
        for name, cell, width in zip(_HEAD, cells, widths, strict=True)
    ]
    return "  ".join(padded).rstrip()
