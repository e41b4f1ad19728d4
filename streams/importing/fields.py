"""How one field of an event is read from a row: looked up, joined, chosen, translated, typed."""

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from streams.importing.columns import Columns, Getter
from streams.importing.field_types import Kind
from streams.importing.mapping import Condition, Field, Plan
from streams.importing.times import Clock

_PER_SECOND = {"us": 1_000_000, "ms": 1_000, "s": 1}
_WHOLE = re.compile(r"-?[0-9]{1,19}")


class FieldMaker:
    """Makes the functions that read the fields of one table; `known` is the kind of each field."""

    def __init__(self, plan: Plan, columns: Columns, known: dict[str, Kind]) -> None:
        self._plan, self._columns, self._kinds = plan, columns, known
        self._zone = ZoneInfo(plan.zone) if plan.zone else None

    def field(self, key: str, name: str, spec: Field) -> Getter:
        """The function that reads field `name` by `spec`; `key` names the place in the mapping."""
        kind = self._kinds[name]
        if spec.cases:
            return self._cases(key, name, spec)
        if spec.value is not None:
            return lambda values: spec.value
        if spec.latest:
            return self._latest(key, spec)
        if spec.end:
            return self._span(key, spec)
        return self._typed(key, spec, kind, _translated(spec, self._joined(key, spec, kind)))

    def _cases(self, key: str, name: str, spec: Field) -> Getter:
        cases = [
            (
                condition(f"{key}.cases[{number}].when", case.when, self._columns),
                self.field(f"{key}.cases[{number}]", name, case),
            )
            for number, case in enumerate(spec.cases)
        ]
        return lambda values: next((make(values) for holds, make in cases if holds(values)), None)

    def _latest(self, key: str, spec: Field) -> Getter:
        day, begin = self._present(key, spec.date, spec), self._present(key, spec.begin, spec)
        ends = [self._present(key, name, spec) for name in spec.latest]
        clock = self._clock(spec)

        def make(values: Any) -> datetime | None:
            on, start = day(values), begin(values)
            found = [end for end in (get(values) for get in ends) if end is not None]
            return None if on is None or start is None else clock.latest(str(on), str(start), list(map(str, found)))

        return make

    def _span(self, key: str, spec: Field) -> Getter:
        begin, end = self._present(key, spec.begin, spec), self._present(key, spec.end, spec)
        clock = self._clock(spec)

        def make(values: Any) -> float | None:
            start, stop = begin(values), end(values)
            return None if start is None or stop is None else clock.seconds(str(start), str(stop))

        return make

    def _joined(self, key: str, spec: Field, kind: Kind) -> Getter:
        if spec.column:
            return self._present(key, spec.column, spec)
        parts = [self._present(key, name, spec) for name in spec.columns]
        seam = spec.join if spec.join is not None else " " if kind == "moment" else "-"

        def make(values: Any) -> str | None:
            found = [get(values) for get in parts]
            return None if None in found else seam.join(map(str, found))

        return make

    def _present(self, key: str, name: str, spec: Field) -> Getter:
        get, missing = self._columns.getter(key, name), frozenset([*self._plan.missing, *spec.missing])

        def make(values: Any) -> Any:
            value = get(values)
            return None if isinstance(value, str) and value in missing else value

        return make

    def _typed(self, key: str, spec: Field, kind: Kind, get: Getter) -> Getter:
        if kind == "number":
            return _then(get, lambda value: _seconds(value, spec.unit))
        if kind == "moment":
            moment = self._clock(spec).moment
            return _then(get, lambda value: moment(str(value)))
        return _then(get, {"integer": _integer, "flag": _flag, "text": _text}[kind])

    def _clock(self, spec: Field) -> Clock:
        return Clock(spec.format or self._plan.time_format, self._zone, self._plan.fold, self._plan.gap)


def condition(key: str, wanted: Condition, columns: Columns) -> Callable[[Any], bool]:
    """The function that says whether a row has the wanted values in all these columns."""
    tests = [
        (columns.getter(f"{key}.{name}", name), {_plain(v) for v in (want if isinstance(want, list) else [want])})
        for name, want in wanted.items()
    ]
    return lambda values: all(_plain(get(values)) in allowed for get, allowed in tests)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _translated(spec: Field, get: Getter) -> Getter:
    if not spec.values and spec.otherwise is None:
        return get
    table, otherwise = spec.values, spec.otherwise
    return _then(get, lambda value: table.get(_plain(value), value if otherwise is None else otherwise))


def _then(get: Getter, change: Getter) -> Getter:
    def make(values: Any) -> Any:
        value = get(values)
        return None if value is None else change(value)

    return make


# What cannot be read as its kind is left as it is, so that the contract refuses it with its own reason.
def _seconds(value: Any, unit: str) -> Any:
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        return value
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        return value
    return number * 60 if unit == "min" else number / _PER_SECOND[unit]


def _integer(value: Any) -> Any:
    return int(value) if isinstance(value, str) and _WHOLE.fullmatch(value) else value


def _flag(value: Any) -> Any:
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
