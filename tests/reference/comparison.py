"""Where the stream and the oracle disagree."""

from collections.abc import Iterable, Mapping
from typing import Any

KEY = ("score", "cut", "cell", "window", "end")
EXACT = ("start", "n", "counts")
ROUNDED = ("value", "lower", "upper")
TOLERANCE = 1.5e-6


def differences(expected: Iterable[Mapping[str, Any]], actual: Iterable[Mapping[str, Any]]) -> list[str]:
    """One line for each window that is missing, not expected, there twice, or different; empty when all agree.

    Both are rows as decoded from the JSON of `cx.scores.v1`, `actual` being the latest of each key. An
    empty window (value null) is as good as none. The sixth decimal may differ by one.
    """
    wanted, twice = _index(expected)
    found, doubled = _index(actual)
    lines = [f"{key}: there twice" for key in (*twice, *doubled)]
    lines += [f"{key}: missing, expected {wanted[key]}" for key in wanted.keys() - found.keys()]
    lines += [f"{key}: not expected, found {found[key]}" for key in found.keys() - wanted.keys()]
    for key in wanted.keys() & found.keys():
        lines += [
            f"{key}: {name} is {found[key].get(name)}, expected {wanted[key].get(name)}"
            for name in (*EXACT, *ROUNDED)
            if not _agree(name, wanted[key].get(name), found[key].get(name))
        ]
    return sorted(lines)


def _index(rows: Iterable[Mapping[str, Any]]) -> tuple[dict[tuple[str, ...], Mapping[str, Any]], list[tuple[str, ...]]]:
    index: dict[tuple[str, ...], Mapping[str, Any]] = {}
    twice = []
    for row in rows:
        key = tuple(str(row[name]) for name in KEY)
        if row["value"] is not None:
            twice += [key] if key in index else []
            index[key] = row
    return index, twice


def _agree(name: str, wanted: Any, found: Any) -> bool:
    if name in EXACT or wanted is None or found is None:
        return bool(wanted == found)
    return bool(abs(wanted - found) <= TOLERANCE)
