"""The columns of a table, read from their texts as numbers or categories."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = NDArray[np.int64] | NDArray[np.bool_]

MISSING = frozenset({"", "na", "n/a", "n.a.", "#n/a", "nan", "null", "none", "nil", "?", "-", "--", ".", "missing"})
"""Texts, in lower case, that mean "no value"."""

_MAX_STRAY_SHARE = 0.02
"""A column of numbers may hold this share of other texts."""

_MAX_STRAY_WORDS = 3
"""A column of numbers may repeat up to this many different words, in less than half of its rows."""

_UNIT_SIGNS = re.compile(r"^[$€£]\s*|\s*[%$€£]$")
_THOUSANDS_SPACES = re.compile(r"(?<=\d)[ '\u00a0\u202f](?=\d{3})")
_DECIMAL_POINT = re.compile(r"[+-]?(?:(?:\d+|\d{1,3}(?:,\d{3})+)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+)(?:,\d*)?")


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
class Categorical:
    """Codes into `levels`, −1 where there is no value."""

    name: str
    codes: Ints
    levels: tuple[str, ...]

    def missing(self) -> NDArray[np.bool_]:
        """Where there is no value."""
        return self.codes < 0

    def take(self, rows: Rows) -> "Categorical":
        """The same column of some rows only."""
        return replace(self, codes=self.codes[rows])


Column: TypeAlias = Numeric | Categorical
Frame: TypeAlias = dict[str, Column]
"""Columns by name, all of the same rows."""


def take(frame: Frame, rows: Rows) -> Frame:
    """Some rows of all columns."""
    return {name: column.take(rows) for name, column in frame.items()}


def is_missing(text: str) -> bool:
    """Whether a text means "no value", in any case of its letters."""
    return text.casefold() in MISSING


def as_column(name: str, texts: Sequence[str], prefer_comma: bool = False) -> tuple[Column, str | None]:
    """Numbers where nearly all texts are numbers, categories otherwise; and a note on texts that count as missing.

    Thousands separators, a decimal comma, percent and currency signs are understood; a percentage stays
    in percent. `prefer_comma` decides whether "1,234" has a decimal comma when no other value shows it.
    """
    present = [not is_missing(text) for text in texts]
    known = [text for text, is_present in zip(texts, present, strict=True) if is_present]
    numbers = _numbers(known, prefer_comma)
    stray = Counter(text for text, number in zip(known, numbers, strict=True) if np.isnan(number))
    if not known or not _is_numeric(numbers, stray):
        return _categorical(name, texts, present), None
    values = np.full(len(texts), np.nan)
    values[np.array(present)] = numbers
    return Numeric(name, values), _note(name, stray)


def _is_numeric(numbers: Floats, stray: Counter[str]) -> bool:
    """Whether all but a few mistyped texts are numbers, or all but a few repeated words that mean "unknown"."""
    share = stray.total() / len(numbers)
    if share <= _MAX_STRAY_SHARE:
        return True
    return len(stray) <= _MAX_STRAY_WORDS and share < 0.5 and len(np.unique(numbers[~np.isnan(numbers)])) > 20


def _note(name: str, stray: Counter[str]) -> str | None:
    if not stray:
        return None
    examples = ", ".join(repr(text) for text, _ in stray.most_common(_MAX_STRAY_WORDS))
    return f"{name}: {stray.total()} values are not numbers ({examples}) and count as missing"


def _categorical(name: str, texts: Sequence[str], present: Sequence[bool]) -> Categorical:
    levels = sorted({text for text, is_present in zip(texts, present, strict=True) if is_present})
    code_of = {level: code for code, level in enumerate(levels)}
    codes = [code_of[text] if is_present else -1 for text, is_present in zip(texts, present, strict=True)]
    return Categorical(name, np.array(codes, dtype=np.int64), tuple(levels))


def _numbers(texts: Sequence[str], prefer_comma: bool) -> Floats:
    """The numbers under the convention, point or comma, that reads more of the texts; NaN where it reads none."""
    by_point, by_comma = _with_decimal_point(texts), _with_decimal_comma(texts)
    point_count, comma_count = np.isfinite(by_point).sum(), np.isfinite(by_comma).sum()
    return by_comma if comma_count > point_count or (comma_count == point_count and prefer_comma) else by_point


def _with_decimal_point(texts: Sequence[str]) -> Floats:
    return np.array(
        [float(text.replace(",", "")) if _DECIMAL_POINT.fullmatch(text) else np.nan for text in _bare(texts)]
    )


def _with_decimal_comma(texts: Sequence[str]) -> Floats:
    if not any("," in text for text in texts):
        return np.full(len(texts), np.nan)
    return np.array(
        [
            float(text.replace(".", "").replace(",", ".")) if _DECIMAL_COMMA.fullmatch(text) else np.nan
            for text in _bare(texts)
        ]
    )


def _bare(texts: Sequence[str]) -> Iterator[str]:
    """The texts without signs of percent and currency, and without spaces between thousands."""
    return (_THOUSANDS_SPACES.sub("", _UNIT_SIGNS.sub("", text)) for text in texts)
