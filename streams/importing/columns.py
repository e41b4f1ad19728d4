"""How a mapping's column name is looked up in a row: by the header, or by a path into an object."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from streams.errors import MappingError
from streams.importing.files import Table
from streams.importing.mapping import Plan
from streams.importing.validation import nearest

Getter = Callable[[Any], Any]
"""From the values of a row to one value: a stripped text, a JSON value, or None where there is none."""


class Columns:
    """Finds columns of one table; `unseen` are those that no object had so far."""

    def __init__(self, plan: Plan, table: Table) -> None:
        self._plan, self._table = plan, table
        self._header = None if table.header is None else _numbered(table.header)
        self.unseen: set[str] = set()

    def getter(self, key: str, name: str) -> Getter:
        """Look-up of one column; raises `MappingError` for one the header lacks or has twice."""
        if self._header is None:
            self.unseen.add(name)
            return self._path(name)
        position = self._header.get(name)
        if position is None:
            raise MappingError(
                f"{self._plan.origin}: {key}: {self._table.name} has no column {name!r}; "
                f"{self._hint(name, self._header)}"
            )
        return lambda values: values[position].strip()

    def _hint(self, name: str, header: dict[str, int]) -> str:
        twins = [column for column in header if column.startswith(f"{name}#")]
        return f"it has {len(twins)} of that name, write {' or '.join(twins)}" if twins else nearest(name, header)

    def _path(self, name: str) -> Getter:
        steps, unseen = name.split("."), self.unseen

        def get(values: Any) -> Any:
            value = values.get(name)
            if value is None:
                value = _walk(values, steps)
            if value is not None:
                unseen.discard(name)
            return value.strip() if isinstance(value, str) else value

        return get


def _walk(value: Any, steps: list[str]) -> Any:
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit():
            value = value[int(step)] if int(step) < len(value) else None
        else:
            return None
    return value


def _numbered(header: list[str]) -> dict[str, int]:
    count, seen = Counter(header), Counter[str]()
    positions = {}
    for position, name in enumerate(header):
        seen[name] += 1
        positions[name if count[name] == 1 else f"{name}#{seen[name]}"] = position
    return positions
