"""Whether a mapping can make events at all: everything that can be said before a row is read."""

import codecs
import difflib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from schemas.catalogue import EVENTS, SURVEYS, topic
from schemas.survey import SCALES
from streams.errors import MappingError
from streams.importing.field_types import Kind, kinds, required
from streams.importing.mapping import Field, Plan, Scalar
from streams.importing.times import has_day

SPECIAL_FORMATS = ("iso", "epoch_s", "epoch_ms", "epoch_us")
_SOURCES = ("column", "columns", "value", "end", "latest", "cases")


def check(plan: Plan) -> None:
    """Raise `MappingError` naming the first key that cannot work, and what to write instead."""
    for key, text in _faults(plan):
        raise MappingError(f"{plan.origin}: {key}: {text}")


def nearest(name: str, names: Iterable[str]) -> str:
    """A hint at the name that was probably meant, and at all there are."""
    names = list(names)
    close = difflib.get_close_matches(name, names, n=1)
    return (f"did you mean {close[0]!r}? " if close else "") + f"there are: {', '.join(names)}"


def _faults(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan.topic not in {t.name for t in EVENTS}:
        yield "topic", f"{plan.topic!r} is no source topic; {nearest(plan.topic, (t.name for t in EVENTS))}"
        return
    record = topic(plan.topic).record
    known = kinds(record)
    yield from _plain_faults(plan)
    for name in required(record):
        if name not in plan.fields:
            yield f"fields.{name}", f"missing; every record of {plan.topic} needs it"
    for name, field in plan.fields.items():
        if name not in known:
            yield f"fields.{name}", f"{plan.topic} has no such field; {nearest(name, known)}"
            return
        for part, spec in _parts(f"fields.{name}", field):
            yield from _shape_faults(part, spec, known[name])
            yield from _constant_faults(part, spec, record, name)
            if known[name] == "moment" or spec.end:
                yield from _time_faults(plan, part, spec)
    if plan.topic == SURVEYS.name:
        yield from _scale_faults(plan)


def _plain_faults(plan: Plan) -> Iterator[tuple[str, str]]:
    try:
        codecs.lookup(plan.encoding)
    except LookupError:
        yield "encoding", f"{plan.encoding!r} is unknown; write for example utf-8 or cp1252"
    if plan.zone and not _zone_exists(plan.zone):
        yield "zone", f"{plan.zone!r} is no IANA time zone; write for example UTC or Europe/Berlin"
    if plan.customers and "customer" in plan.fields:
        yield "customers", "fields.customer names real ones; drop one of the two"


def _zone_exists(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _parts(key: str, field: Field) -> Iterator[tuple[str, Field]]:
    yield key, field
    for number, case in enumerate(field.cases):
        yield from _parts(f"{key}.cases[{number}]", case)


def _shape_faults(key: str, field: Field, kind: Kind) -> Iterator[tuple[str, str]]:
    given = [name for name in _SOURCES if getattr(field, name) not in ("", [], None)]
    if len(given) != 1:
        yield key, f"say exactly one of {', '.join(_SOURCES)}; there is {' and '.join(given) or 'none'}"
        return
    for number, case in enumerate(field.cases[:-1]):
        if not case.when:
            yield f"{key}.cases[{number}].when", "missing; only the last case holds for all other rows"
    if given == ["end"] and (not field.begin or kind != "number"):
        yield f"{key}.end", "seconds from begin to end: give both, for a field that is a number"
    if given == ["latest"] and not (field.date and field.begin and kind == "moment"):
        yield f"{key}.latest", "needs date and begin as well, for a field that is a time"
    if field.unit != "s" and kind != "number":
        yield f"{key}.unit", "only a duration has a unit"
    if kind == "moment" and (field.value is not None or field.values or field.otherwise is not None):
        yield key, "a time is read from columns; it has no constants"


def _constant_faults(key: str, field: Field, record: Any, name: str) -> Iterator[tuple[str, str]]:
    kind = next(f.type for f in msgspec.structs.fields(record) if f.name == name)
    constants = [("value", field.value), ("otherwise", field.otherwise)]
    constants += [(f"values.{source}", value) for source, value in field.values.items()]
    for where, value in constants:
        try:
            if value is not None:
                msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            yield f"{key}.{where}", f"{value!r} does not fit {name}: {error}"


def _time_faults(plan: Plan, key: str, field: Field) -> Iterator[tuple[str, str]]:
    if field.cases:
        return
    form = field.format or plan.time_format
    if form not in SPECIAL_FORMATS:
        yield from _format_faults(f"{key}.format", form)
        if field.latest and not has_day(form):
            yield f"{key}.format", f"{form!r} has no day; it reads date and time of day, joined by a space"
        if has_day(form) and not plan.zone and "%z" not in form:
            yield "zone", 'these times have no offset; say which clock they are of, e.g. zone = "Europe/Berlin"'
    elif field.latest:
        yield f"{key}.format", "latest needs a format of date and time of day, such as %Y-%m-%d %H:%M:%S"


def _format_faults(key: str, form: str) -> Iterator[tuple[str, str]]:
    try:
        if "%" not in form:
            raise ValueError("no % in it")
        datetime.strptime(datetime(2001, 12, 31, 23, 58, 59, tzinfo=UTC).strftime(form), form).replace(tzinfo=UTC)
    except ValueError as error:
        yield (
            key,
            (
                f"{form!r} is no time format: {error}; write {', '.join(SPECIAL_FORMATS)} "
                "or a strptime format such as %d/%m/%Y %H:%M"
            ),
        )


def _scale_faults(plan: Plan) -> Iterator[tuple[str, str]]:
    kind, scale = (plan.fields.get(name, Field()) for name in ("kind", "scale"))
    if "scale" not in plan.fields:
        yield (
            "fields.scale",
            (
                'missing; say on which scale the question was asked, e.g. scale = { value = "0-10" }; '
                "answers on another scale cannot become NPS"
            ),
        )
    if isinstance(kind.value, str) and isinstance(scale.value, str):
        low, high = SCALES[kind.value]
        if scale.value != f"{low}-{high}":
            yield (
                "fields.scale",
                (
                    f"{kind.value} is asked on {low}-{high}, not on {scale.value}; answers on another "
                    "scale (stars, smileys) are another kind of question, e.g. csat on 1-5"
                ),
            )
    for key, spec in _parts("fields.score", plan.fields.get("score", Field(column="-"))):
        for source, target in spec.values.items():
            if not _same_answer(source, target):
                yield (
                    f"{key}.values.{source}",
                    (
                        f"{target!r} is another answer than {source!r}; a score is never "
                        "moved to another scale, its text may only lose words"
                    ),
                )
        if spec.value is not None or spec.otherwise is not None:
            yield key, "an answer is read from a column; nobody's score is invented"


def _same_answer(source: str, target: Scalar) -> bool:
    return re.findall(r"\d+", source) == [str(target)]
