"""How a column name of a mapping is looked up in a row: by the header, or as a path into an object."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from streams.errors import MappingError
from streams.importing.suggestions import suggest

ValueReader = Callable[[Any], Any]
"""From the values of a row to one value: a stripped text, a JSON value, or None where there is no value."""


class Columns:
    """The columns of one table.

    `header` is None for a table of objects. `unseen` are the columns that were asked for and that no
    object has had so far; it is always empty for a table with a header.
    """

    def __init__(self, origin: str, table_name: str, header: list[str] | None) -> None:
        self._origin, self._table_name = origin, table_name
        self._positions = None if header is None else _positions(header)
        self.unseen: set[str] = set()

    def reader(self, key: str, name: str) -> ValueReader:
        """The reader of one column; `key` names the place in the mapping that asks for it.

        Raises `MappingError` for a column that the header lacks or has twice.
        """
        if self._positions is None:
            self.unseen.add(name)
            return self._path_reader(name)
        position = self._positions.get(name)
        if position is None:
            hint = _hint(name, self._positions)
            raise MappingError(f"{self._origin}: {key}: {self._table_name} has no column {name!r}; {hint}")
        return lambda values: values[position].strip()

    def _path_reader(self, name: str) -> ValueReader:
        steps, unseen = name.split("."), self.unseen

        def read(values: Any) -> Any:
            value = values.get(name)
            if value is None:
                value = _follow(steps, values)
            if value is not None:
                unseen.discard(name)
            return value.strip() if isinstance(value, str) else value

        return read


def _positions(header: list[str]) -> dict[str, int]:
    count, seen = Counter(header), Counter[str]()
    positions = {}
    for position, name in enumerate(header):
        seen[name] += 1
        positions[name if count[name] == 1 else f"{name}#{seen[name]}"] = position
    return positions


def _hint(name: str, positions: dict[str, int]) -> str:
    numbered = [column for column in positions if column.startswith(f"{name}#")]
    if numbered:
        return f"it has {len(numbered)} columns of that name, write {' or '.join(numbered)}"
    return suggest(name, positions)


def _follow(steps: list[str], value: Any) -> Any:
    for step in steps:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit():
            value = value[int(step)] if int(step) < len(value) else None
        else:
            return None
    return value
