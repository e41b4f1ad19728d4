"""The label column: two classes, one of which means that the customer left."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from streams.errors import ConfigError
from streams.fitting.columns import Floats, Ints, is_missing

MIN_ROWS = 100
MIN_OF_CLASS = 10
LEFT = frozenset({
    "true", "t", "yes", "y", "1", "churn", "churned", "churner", "left", "leaver", "lost", "cancelled", "canceled",
    "exited", "attrited", "attrited customer", "attrition", "closed", "terminated", "positive", "gone",
    "ja", "oui", "si", "sí", "sim",
})  # fmt: skip
"""Label values, in lower case and without a closing point, that mean "has left"."""

_SHOWN = 6


@dataclass(frozen=True)
class Labels:
    """1 where the customer left, for the `rows` of the table that have a label."""

    column: str
    positive: str
    rows: Ints
    values: Floats
    notes: tuple[str, ...]


def read_labels(column: str, texts: Sequence[str], positive: str | None) -> Labels:
    """Decide which of two values means "left". Raises `ConfigError` when the column does not allow it."""
    keys = [_key(text) for text in texts]
    rows = np.array([row for row, text in enumerate(texts) if not is_missing(text)], dtype=np.int64)
    counts = Counter(keys[row] for row in rows)
    spelling = dict(zip(reversed(keys), reversed(texts), strict=True))
    _check_classes(column, counts, spelling)
    chosen = _positive(column, counts, spelling, positive)
    _check_size(column, counts, spelling, chosen)
    values = np.array([keys[row] == chosen for row in rows], dtype=np.float64)
    return Labels(column, spelling[chosen], rows, values, _notes(column, spelling[chosen], positive, len(texts), rows))


def _key(text: str) -> str:
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
    shown = ", ".join(f"{spelling[key]!r} ({n})" for key, n in counts.most_common(_SHOWN))
    more = f" and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else ""
    raise ConfigError(
        f"{column}: {len(counts)} different labels: {shown}{more}; a label has two values: "
        "keep the rows of two, or name another column with --label"
    )


def _positive(column: str, counts: Counter[str], spelling: dict[str, str], wanted: str | None) -> str:
    if wanted is not None:
        if _key(wanted.strip()) in counts:
            return _key(wanted.strip())
        values = " and ".join(repr(spelling[key]) for key in counts)
        raise ConfigError(f"{column}: no label is {wanted!r}, they are {values}; give one of them to --positive")
    found = [key for key in counts if key in LEFT]
    if len(found) == 1 and not (found == ["1"] and not counts.keys() & {"0", "-1"}):
        return found[0]
    values = " or ".join(repr(spelling[key]) for key in sorted(counts))
    raise ConfigError(f"{column}: which label means that the customer left, {values}? Say it with --positive VALUE")


def _check_size(column: str, counts: Counter[str], spelling: dict[str, str], chosen: str) -> None:
    rows = counts.total()
    if rows < MIN_ROWS:
        raise ConfigError(
            f"{column}: {rows} labelled rows are too few to learn from and to check it; bring {MIN_ROWS} or more"
        )
    rare, n = min(counts.items(), key=lambda item: item[1])
    if n < MIN_OF_CLASS:
        which = "customers who left" if rare == chosen else "customers who stayed"
        raise ConfigError(
            f"{column}: only {n} of {rows} labels are {spelling[rare]!r}, too few {which}; "
            f"bring {MIN_OF_CLASS} or more, for example from a longer period"
        )


def _notes(column: str, positive: str, wanted: str | None, total: int, rows: Ints) -> tuple[str, ...]:
    taken = (
        () if wanted else (f"{column}: {positive!r} is taken to mean that the customer left (--positive says else)",)
    )
    unlabelled = total - len(rows)
    return (*taken, f"{column}: {unlabelled} rows without a label are left out") if unlabelled else taken
