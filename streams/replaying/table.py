"""Window results as an aligned table."""

from collections.abc import Iterable, Iterator, Sequence

from schemas.score import Score
from streams.replaying.results import Result, sort_key

FEW = 5
"""A score of fewer answers or customers than this is marked in the table."""

_HEAD = ("score", "cut", "cell", "window", "until (UTC)", "value", "95 % interval", "n")
_RIGHT_ALIGNED = frozenset({"value", "n"})


def table(results: Iterable[Result]) -> Iterator[str]:
    """Aligned lines, score by score; empty windows are left out.

    A window with n = 0 that has counts is not empty: its records do not carry the value, which is unknown.
    """
    nonempty = [result.score for result in results if result.score.n or result.score.counts]
    scores = sorted(nonempty, key=lambda score: (*sort_key(score), score.end))
    rows = [_row(score) for score in scores]
    widths = [max(map(len, column)) for column in zip(_HEAD, *rows, strict=True)]
    yield _line(_HEAD, widths)
    yield _line(["─" * width for width in widths], widths)
    for number, (score, row) in enumerate(zip(scores, rows, strict=True)):
        if number and score.score != scores[number - 1].score:
            yield ""
        yield _line(row, widths)
    if any(0 < score.n < FEW for score in scores):
        yield f"* fewer than {FEW}: too few to tell a value from chance"


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
        cell.rjust(width) if name in _RIGHT_ALIGNED else cell.ljust(width)
        for name, cell, width in zip(_HEAD, cells, widths, strict=True)
    ]
    return "  ".join(padded).rstrip()
