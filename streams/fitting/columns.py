"""From a column of texts to numbers or categories."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = NDArray[np.int64] | NDArray[np.bool_]

MISSING = frozenset({"", "na", "n/a", "n.a.", "#n/a", "nan", "null", "none", "nil", "?", "-", "--", ".", "missing"})
"""Texts, in lower case, that mean "no value"."""

_STRAY = 0.02
_NOTED = 3
_SIGNS = re.compile(r"^[$€£]\s*|\s*[%$€£]$")
_SPACES = re.compile(r"(?<=\d)[ '\u00a0\u202f](?=\d{3})")
_POINT = re.compile(r"[+-]?(?:(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d*)?")


@dataclass(frozen=True)
class Numeric:
    """Numbers, NaN where there is none."""

    name: str
    values: Floats

    def missing(self) -> NDArray[np.bool_]:
        """Where there is no value."""
        return np.isnan(self.values)

    def take(self, rows: Rows) -> "Numeric":
        """The same column of some rows only."""
        return replace(self, values=self.values[rows])


@dataclass(frozen=True)
class Category:
    """Codes into `levels`, −1 where there is no value."""

    name: str
    codes: Ints
    levels: tuple[str, ...]

    def missing(self) -> NDArray[np.bool_]:
        """Where there is no value."""
        return self.codes < 0

    def take(self, rows: Rows) -> "Category":
        """The same column of some rows only."""
        return replace(self, codes=self.codes[rows])


Column: TypeAlias = Numeric | Category
Frame: TypeAlias = dict[str, Column]
"""Columns by name, all of the same rows."""


def take(frame: Frame, rows: Rows) -> Frame:
    """Some rows of all columns."""
    return {name: column.take(rows) for name, column in frame.items()}


def is_missing(text: str) -> bool:
    """Whether a text means "no value"."""
    return text.casefold() in MISSING


def as_column(name: str, texts: Sequence[str], prefer_comma: bool = False) -> tuple[Column, str | None]:
    """Numbers where nearly all texts are numbers, categories otherwise; and a note on what was not read.

    Thousands separators, a decimal comma, percent and currency signs are understood; a percentage stays
    in percent. `prefer_comma` decides what "1,234" is when no other value tells.
    """
    present = [not is_missing(text) for text in texts]
    known = [text for text, there in zip(texts, present, strict=True) if there]
    numbers = _numbers(known, prefer_comma)
    stray = Counter(text for text, number in zip(known, numbers, strict=True) if np.isnan(number))
    if not known or not _is_numeric(numbers, stray):
        return _category(name, texts, present), None
    values = np.full(len(texts), np.nan)
    values[np.array(present)] = numbers
    return Numeric(name, values), _note(name, stray)


def _is_numeric(numbers: Floats, stray: Counter[str]) -> bool:
    """All but stray typing errors, or all but a few words of which each stands for "not known"."""
    share = stray.total() / len(numbers)
    if share <= _STRAY:
        return True
    return len(stray) <= _NOTED and share < 0.5 and len(np.unique(numbers[~np.isnan(numbers)])) > 20


def _note(name: str, stray: Counter[str]) -> str | None:
    if not stray:
        return None
    shown = ", ".join(repr(text) for text, _ in stray.most_common(_NOTED))
    return f"{name}: {stray.total()} values are no numbers ({shown}) and count as missing"


def _category(name: str, texts: Sequence[str], present: Sequence[bool]) -> Category:
    levels = sorted({text for text, there in zip(texts, present, strict=True) if there})
    place = {level: code for code, level in enumerate(levels)}
    codes = [place[text] if there else -1 for text, there in zip(texts, present, strict=True)]
    return Category(name, np.array(codes, dtype=np.int64), tuple(levels))


def _numbers(texts: Sequence[str], prefer_comma: bool) -> Floats:
    """What the texts are under the convention, point or comma, that reads more of them; NaN for those it cannot."""
    point, comma = _by_point(texts), _by_comma(texts)
    read, by_comma = np.isfinite(point).sum(), np.isfinite(comma).sum()
    return comma if by_comma > read or (by_comma == read and prefer_comma) else point


def _by_point(texts: Sequence[str]) -> Floats:
    plain = (_SPACES.sub("", _SIGNS.sub("", text)) for text in texts)
    return np.array([float(text.replace(",", "")) if _POINT.fullmatch(text) else np.nan for text in plain])


def _by_comma(texts: Sequence[str]) -> Floats:
    if not any("," in text for text in texts):
        return np.full(len(texts), np.nan)
    plain = (_SPACES.sub("", _SIGNS.sub("", text)) for text in texts)
    return np.array(
        [float(text.replace(".", "").replace(",", ".")) if _COMMA.fullmatch(text) else np.nan for text in plain]
    )
