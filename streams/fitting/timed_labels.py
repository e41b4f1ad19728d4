"""Labels with a time: whether a customer left within some days after it. Read from CSV or NDJSON."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from streams.core.time.instants import to_ms
from streams.errors import ConfigError
from streams.fitting.table import read_table

COLUMNS = ("customer", "time", "churned")


@dataclass(frozen=True)
class TimedLabel:
    """Whether a customer left within the horizon after a time; `churned` is the text in the file."""

    customer: str
    time_ms: int
    churned: str
    line: int


def read_timed_labels(path: Path) -> list[TimedLabel]:
    """The labels in the order of the file. Raises `ConfigError` naming the line and the fix."""
    rows = _ndjson(path) if path.suffix in (".ndjson", ".jsonl") else _csv(path)
    labels = [_label(path, line, row) for line, row in rows]
    if not labels:
        raise ConfigError(f"{path}: no labels; give one line per customer and time: {', '.join(COLUMNS)}")
    _refuse_duplicates(path, labels)
    return labels


def _csv(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    table = read_table(path)
    missing = [name for name in COLUMNS if name not in table.header]
    if missing:
        raise ConfigError(
            f"{path}: no column {missing[0]!r}; labels have the columns {', '.join(COLUMNS)}; for a table without "
            "times use --table FILE --label COLUMN"
        )
    columns = [table.columns[table.header.index(name)] for name in COLUMNS]
    for line, texts in enumerate(zip(*columns, strict=True), 2):
        yield line, dict(zip(COLUMNS, texts, strict=True))


def _ndjson(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}; give a file of labels") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8; save it as UTF-8") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, _object(path, number, line)


def _object(path: Path, number: int, line: str) -> Mapping[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:
        row = None
    if not isinstance(row, dict):
        raise ConfigError(f"{path}:{number}: not a JSON object; write one label a line")
    return row


def _label(path: Path, line: int, row: Mapping[str, Any]) -> TimedLabel:
    texts = {name: _text(row.get(name)) for name in COLUMNS}
    for name, text in texts.items():
        if not text:
            raise ConfigError(f"{path}:{line}: {name} is empty; a label needs {', '.join(COLUMNS)}")
    return TimedLabel(texts["customer"], _time_ms(path, line, texts["time"]), texts["churned"], line)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return "" if value is None else str(value).strip()


def _time_ms(path: Path, line: int, text: str) -> int:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f"{path}:{line}: time {text!r} is not a time; write it like 2026-03-01T00:00:00Z") from None
    if time.tzinfo is None:
        raise ConfigError(f"{path}:{line}: time {text!r} has no zone; write it like 2026-03-01T00:00:00Z")
    return to_ms(time)


def _refuse_duplicates(path: Path, labels: list[TimedLabel]) -> None:
    lines: dict[tuple[str, int], int] = {}
    for label in labels:
        first = lines.setdefault((label.customer, label.time_ms), label.line)
        if first != label.line:
            raise ConfigError(
                f"{path}:{label.line}: customer {label.customer!r} has a label for this time in line {first} already; "
                "keep one of them"
            )
