"""The file a churn model is written in: read, checked, and refused with the field and the fix."""

import math
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import msgspec

from streams.core.churn.features import FEATURES
from streams.core.churn.model import Factor, Model, Term, Transform

FORMAT = 2
STRONGEST = 100.0
"""A coefficient further from 0 makes certainty of anything; it is an error."""

_TRANSFORMS: tuple[Transform, ...] = ("from", "ramp", "half_life", "missing")


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class _Factor(_Strict, frozen=True, kw_only=True):
    feature: str
    from_: float | None = msgspec.field(default=None, name="from")
    ramp: tuple[float, float] | None = None
    half_life: float | None = None
    missing: bool | None = None

    def given(self) -> list[Transform]:
        values = (self.from_, self.ramp, self.half_life, self.missing)
        return [name for name, value in zip(_TRANSFORMS, values, strict=True) if value is not None]

    def factor(self) -> Factor:
        if self.ramp is not None:
            return Factor(self.feature, "ramp", *self.ramp)
        return Factor(self.feature, self.given()[0], self.from_ or self.half_life or 0.0)


class _Term(_Strict, frozen=True, kw_only=True):
    coefficient: float
    factors: list[_Factor]
    provenance: str
    name: str = ""

    def term(self) -> Term:
        factors = tuple(factor.factor() for factor in self.factors)
        return Term(self.name or " × ".join(map(str, factors)), self.coefficient, factors, self.provenance)


class _Bands(_Strict, frozen=True, kw_only=True):
    medium: float
    high: float


class _File(_Strict, frozen=True, kw_only=True):
    format: int
    version: str
    horizon_days: int
    base_rate: float
    intercept: float
    bands: _Bands
    terms: list[_Term]
    provenance: dict[str, Any] = {}
    backtest: dict[str, Any] = {}


def parse_model(text: str) -> Model:
    """A model from the text of its file.

    Raises `ValueError` with one line for each problem: the field, what is wrong with it, and the fix.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"not valid TOML: {error}") from None
    if raw.get("format") != FORMAT:
        raise ValueError(_foreign(raw))
    try:
        file = msgspec.convert(raw, _File)
    except msgspec.ValidationError as error:
        raise ValueError(_readable(str(error))) from None
    problems = [*_numbers(raw, ""), *_problems(file)]
    if problems:
        raise ValueError("\n".join(problems))
    terms = tuple(term.term() for term in file.terms)
    return Model(
        file.version, file.horizon_days, file.base_rate, file.intercept, file.bands.medium, file.bands.high, terms
    )


def _foreign(raw: dict[str, Any]) -> str:
    if raw.get("format") == 1:
        return (
            "format: 1 is a model of a table's columns, which a stream does not have; "
            "fit one to events with `cxstream fit LABELS`"
        )
    return f"format: must be {FORMAT}, found {raw.get('format', 'none')}; write format = {FORMAT}"


def _readable(message: str) -> str:
    text, _, path = message.partition(" - at `$.")
    where = path.rstrip("`")
    field = re.search(r"field `([^`]+)`", text)
    place = ".".join(filter(None, (where, field[1] if field else "")))
    if field and "missing" in text:
        return f"{place}: missing; give it a value, see docs/churn.md"
    return f"{place}: no such key; see docs/churn.md for the list" if field else f"{place}: {text}"


def _numbers(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if place or key not in ("provenance", "backtest"):
                yield from _numbers(inner, f"{place}.{key}" if place else key)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _numbers(inner, f"{place}[{index}]")
    elif isinstance(value, float) and not math.isfinite(value):
        yield f"{place}: {value} is no number; give a finite one"


def _problems(file: _File) -> Iterator[str]:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", file.version):
        yield f"version: {file.version!r} is no name; use letters, digits, . _ + -, at most 64"
    if not 1 <= file.horizon_days <= 3_650:
        yield f"horizon_days: {file.horizon_days}; give the days the risk is for, 1 to 3650"
    if not 0 < file.base_rate < 1:
        yield f"base_rate: {file.base_rate}; give the share that leaves within the horizon, between 0 and 1"
    if not 0 < file.bands.medium < file.bands.high < 1:
        yield "bands: medium and high are risks with 0 < medium < high < 1; put them in this order"
    if abs(file.intercept) > STRONGEST:
        yield f"intercept: {file.intercept:g} is beyond ±{STRONGEST:g}; give log-odds"
    if not file.terms:
        yield "terms: none; a model needs at least one"
    for index, term in enumerate(file.terms):
        yield from _term_problems(term, f"terms[{index}]")


def _term_problems(term: _Term, place: str) -> Iterator[str]:
    if abs(term.coefficient) > STRONGEST:
        yield f"{place}.coefficient: {term.coefficient:g} is beyond ±{STRONGEST:g}; give log-odds"
    if not term.provenance.strip():
        yield f"{place}.provenance: empty; say where the coefficient comes from"
    if not 1 <= len(term.factors) <= 4:
        yield f"{place}.factors: {len(term.factors)}; a term has 1 to 4"
    for index, factor in enumerate(term.factors):
        yield from _factor_problems(factor, f"{place}.factors[{index}]")


def _factor_problems(factor: _Factor, place: str) -> Iterator[str]:
    if factor.feature not in FEATURES:
        yield f"{place}.feature: there is no {factor.feature!r}; there are {', '.join(FEATURES)}"
    if len(factor.given()) != 1 or factor.missing is False:
        yield f"{place}: give one of from, ramp, half_life and missing = true"
    if factor.ramp is not None and not factor.ramp[0] < factor.ramp[1]:
        yield f"{place}.ramp: {list(factor.ramp)} does not rise; give [low, high] with low < high"
    if factor.half_life is not None and not factor.half_life > 0:
        yield f"{place}.half_life: {factor.half_life:g}; give days above 0"
