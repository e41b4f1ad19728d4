"""Reads the file of a churn model (format 2), and refuses a wrong one with the field and the fix."""

import math
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import msgspec

from streams.core.churn.churn_model import ChurnModel
from streams.core.churn.features import FEATURES
from streams.core.churn.terms import Factor, From, HalfLife, Missing, Ramp, Term, product_text

FORMAT = 2
TABLE_MODEL_FORMAT = 1
MAX_LOG_ODDS = 100.0
"""A coefficient or intercept further from 0 is an error: it makes any risk certain."""


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class _Factor(_Strict, frozen=True, kw_only=True):
    feature: str
    from_: float | None = msgspec.field(default=None, name="from")
    ramp: tuple[float, float] | None = None
    half_life: float | None = None
    missing: bool | None = None

    def factors(self) -> list[Factor]:
        """One factor for each condition of the table; a valid one has exactly one."""
        return [
            *([] if self.from_ is None else [From(self.feature, self.from_)]),
            *([] if self.ramp is None else [Ramp(self.feature, *self.ramp)]),
            *([] if self.half_life is None else [HalfLife(self.feature, self.half_life)]),
            *([Missing(self.feature)] if self.missing else []),
        ]


class _Term(_Strict, frozen=True, kw_only=True):
    coefficient: float
    factors: list[_Factor]
    provenance: str
    name: str = ""

    def term(self) -> Term:
        factors = tuple(factor for table in self.factors for factor in table.factors())
        return Term(self.name or product_text(factors), self.coefficient, factors, self.provenance)


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


def parse_churn_model(text: str) -> ChurnModel:
    """A churn model from the text of its file.

    Raises `ValueError` with one line for each problem: the field, what is wrong with it, and the fix.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"not valid TOML: {error}") from None
    if raw.get("format") != FORMAT:
        raise ValueError(_other_format(raw))
    try:
        file = msgspec.convert(raw, _File)
    except msgspec.ValidationError as error:
        raise ValueError(_readable(str(error))) from None
    problems = [*_numbers(raw, ""), *_problems(file)]
    if problems:
        raise ValueError("\n".join(problems))
    terms = tuple(term.term() for term in file.terms)
    return ChurnModel(
        file.version, file.horizon_days, file.base_rate, file.intercept, file.bands.medium, file.bands.high, terms
    )


def _other_format(raw: dict[str, Any]) -> str:
    if raw.get("format") == TABLE_MODEL_FORMAT:
        return (
            "format: 1 is a table model, whose columns a stream does not have; "
            "fit a churn model to events with `cxstream fit LABELS`"
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
        yield f"{place}: {value} is not a finite number; give one"


def _problems(file: _File) -> Iterator[str]:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}", file.version):
        yield f"version: {file.version!r} is not a valid name; use letters, digits, . _ + -, at most 64"
    if not 1 <= file.horizon_days <= 3_650:
        yield f"horizon_days: {file.horizon_days}; give the number of days that the risk is for, 1 to 3650"
    if not 0 < file.base_rate < 1:
        yield f"base_rate: {file.base_rate}; give the share that leaves within the horizon, between 0 and 1"
    if not 0 < file.bands.medium < file.bands.high < 1:
        yield "bands: medium and high are risks with 0 < medium < high < 1; put them in order"
    if abs(file.intercept) > MAX_LOG_ODDS:
        yield f"intercept: {file.intercept:g} is beyond ±{MAX_LOG_ODDS:g}; give log-odds"
    if not file.terms:
        yield "terms: none; a model needs at least one"
    for index, term in enumerate(file.terms):
        yield from _term_problems(term, f"terms[{index}]")


def _term_problems(term: _Term, place: str) -> Iterator[str]:
    if abs(term.coefficient) > MAX_LOG_ODDS:
        yield f"{place}.coefficient: {term.coefficient:g} is beyond ±{MAX_LOG_ODDS:g}; give log-odds"
    if not term.provenance.strip():
        yield f"{place}.provenance: empty; say where the coefficient comes from"
    if not 1 <= len(term.factors) <= 4:
        yield f"{place}.factors: {len(term.factors)}; a term has 1 to 4"
    for index, factor in enumerate(term.factors):
        yield from _factor_problems(factor, f"{place}.factors[{index}]")


def _factor_problems(factor: _Factor, place: str) -> Iterator[str]:
    if factor.feature not in FEATURES:
        yield f"{place}.feature: no such feature {factor.feature!r}; there are {', '.join(FEATURES)}"
    if len(factor.factors()) != 1 or factor.missing is False:
        yield f"{place}: give one of from, ramp, half_life and missing = true"
    if factor.ramp is not None and not factor.ramp[0] < factor.ramp[1]:
        yield f"{place}.ramp: {list(factor.ramp)} does not rise; give [low, high] with low < high"
    if factor.half_life is not None and not factor.half_life > 0:
        yield f"{place}.half_life: {factor.half_life:g}; give days above 0"
