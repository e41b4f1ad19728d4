"""The label column: two classes, one of which means that the customer left."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from streams.errors import ConfigError
from streams.fitting.columns import Floats, Ints, is_missing

MIN_ROWS = 100
MIN_PER_CLASS = 10
LEFT = frozenset({
    "true", "t", "yes", "y", "1", "churn", "churned", "churner", "left", "leaver", "lost", "cancelled", "canceled",
    "exited", "attrited", "attrited customer", "attrition", "closed", "terminated", "positive", "gone",
    "ja", "oui", "si", "sí", "sim",
})  # fmt: skip
"""Label values, in lower case and without a final full stop, that mean "has left"."""

_MAX_LISTED = 6


@dataclass(frozen=True)
class Labels:
    """1 where the customer left, for the `rows` of the table that have a label."""

    column: str
    positive: str
    rows: Ints
    values: Floats
    notes: tuple[str, ...]


def read_labels(column: str, texts: Sequence[str], positive: str | None) -> Labels:
    """The labels of a column of two values; `positive` is the one that means "left", None where it is not given.

    Raises `ConfigError` when there are not two values, too few rows of one, or no way to tell which means "left".
    """
    keys = [_key(text) for text in texts]
    rows = np.array([row for row, text in enumerate(texts) if not is_missing(text)], dtype=np.int64)
    counts = Counter(keys[row] for row in rows)
    spelling = dict(zip(reversed(keys), reversed(texts), strict=True))
    _check_classes(column, counts, spelling)
    positive_key = _positive_key(column, counts, spelling, positive)
    _check_size(column, counts, spelling, positive_key)
    values = np.array([keys[row] == positive_key for row in rows], dtype=np.float64)
    notes = _notes(column, spelling[positive_key], len(texts) - len(rows), is_guessed=positive is None)
    return Labels(column, spelling[positive_key], rows, values, tuple(notes))


def _key(text: str) -> str:
    """The same for all spellings of one label: "1" and "1.0", "Yes" and "yes."."""
    key = text.casefold().removesuffix(".")
    try:
        return f"{float(key):g}"
    except ValueError:
        return key


def _check_classes(column: str, counts: Counter[str], spelling: dict[str, str]) -> None:
    if len(counts) == 2:
        return
    if not counts:
        raise ConfigError(f"{column}: the label column is empty; name the one that says who left with --label")
    if len(counts) == 1:
        raise ConfigError(
            f"{column}: every label is {spelling[next(iter(counts))]!r}; a fit needs customers who left "
            "and customers who stayed"
        )
    listed = ", ".join(f"{spelling[key]!r} ({n})" for key, n in counts.most_common(_MAX_LISTED))
    more = f" and {len(counts) - _MAX_LISTED} more" if len(counts) > _MAX_LISTED else ""
    raise ConfigError(
        f"{column}: {len(counts)} different labels: {listed}{more}; a label has two values: "
        "keep the rows of two, or name another column with --label"
    )


def _positive_key(column: str, counts: Counter[str], spelling: dict[str, str], positive: str | None) -> str:
    if positive is not None:
        if _key(positive.strip()) in counts:
            return _key(positive.strip())
        values = " and ".join(repr(spelling[key]) for key in counts)
        raise ConfigError(f"{column}: no label is {positive!r}, they are {values}; give one of them to --positive")
    known = [key for key in counts if key in LEFT]
    # 1 means "left" beside 0 or −1 only: with 1 and 2 the numbers may be any codes
    if len(known) == 1 and (known != ["1"] or counts.keys() & {"0", "-1"}):
        return known[0]
    values = " or ".join(repr(spelling[key]) for key in sorted(counts))
    raise ConfigError(f"{column}: which label means that the customer left, {values}? Name it with --positive VALUE")


def _check_size(column: str, counts: Counter[str], spelling: dict[str, str], positive_key: str) -> None:
    rows = counts.total()
    if rows < MIN_ROWS:
        raise ConfigError(
            f"{column}: {rows} labelled rows are too few to learn from and to evaluate; bring {MIN_ROWS} or more"
        )
    rare, n = min(counts.items(), key=lambda item: item[1])
    if n < MIN_PER_CLASS:
        which = "customers who left" if rare == positive_key else "customers who stayed"
        raise ConfigError(
            f"{column}: only {n} of {rows} labels are {spelling[rare]!r}, too few {which}; "
            f"bring {MIN_PER_CLASS} or more, for example from a longer period"
        )


def _notes(column: str, positive: str, unlabelled: int, *, is_guessed: bool) -> Iterator[str]:
    if is_guessed:
        yield f"{column}: {positive!r} is taken to mean that the customer left; --positive names another label"
    if unlabelled:
        yield f"{column}: {unlabelled} rows without a label are left out"
