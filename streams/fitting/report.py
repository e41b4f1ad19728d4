"""The result of a fit as text to read, or as JSON."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from streams.core.churn.terms import product_text
from streams.fitting.evaluation import METRICS, Evaluation
from streams.fitting.fitted import Fitted
from streams.fitting.leaver_rates import Bin, LeaverRates, Step

_DIGITS = 6
_MAX_TERMS = 15
_MAX_COLUMNS = 12
_BAR_CHARS = 30


def as_json(fitted: Fitted, written: Path | None) -> str:
    """One JSON object; shares and AUCs are 0…1, and `model_file` is null when no file was written."""
    evaluation = fitted.evaluation
    document = {
        "table": fitted.source.name,
        "label": fitted.labels.column,
        "positive": fitted.labels.positive,
        "rows": len(fitted.labels.values),
        "positives": int(fitted.labels.values.sum()),
        "predicted": evaluation.rows,
        "base_rate": round(float(fitted.labels.values.mean()), _DIGITS),
        "verdict": evaluation.verdict,
        **{name: round(getattr(evaluation, name), _DIGITS) for name in METRICS},
        "best_single": evaluation.best_single,
        "auc_interval": "95 %, DeLong, on out-of-sample predictions",
        "method": fitted.method,
        "calibration": [_rounded(decile._asdict()) for decile in evaluation.calibration],
        "variables": [_variable(rates) for rates in fitted.strongest],
        "left_out": [{"column": name, "reason": reason} for name, reason in fitted.screened.left_out],
        "notes": list(fitted.notes),
        "model_file": str(written) if written else None,
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def as_text(fitted: Fitted, kind: str, written: Path | None) -> str:
    """The same as text, with the leaver rates of the strongest columns; `kind` of model names what was fitted."""
    return "\n".join([*_head(fitted), *_verdict(fitted, kind, written), *_comparison(fitted), *_details(fitted)])


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, _DIGITS) for name, value in values.items()}


def _variable(rates: LeaverRates) -> dict[str, object]:
    step = rates.step and {name: value for name, value in _rounded(rates.step._asdict()).items() if name != "p"}
    return {"column": rates.column, "step": step, "rates": [part._asdict() for part in rates.bins]}


def _head(fitted: Fitted) -> Iterator[str]:
    rows, left = len(fitted.labels.values), int(fitted.labels.values.sum())
    yield (
        f"{fitted.source.name}: {rows:,} customers, of whom {left:,} left "
        f"({fitted.labels.column} = {fitted.labels.positive}): {left / rows:.1%}"
    )
    yield f"  from {len(fitted.screened.frame)} columns: {_listed(list(fitted.screened.frame))}"
    yield from (f"  left out: {name} {reason}" for name, reason in fitted.screened.left_out)
    yield from (f"  note: {note}" for note in fitted.notes)
    yield ""


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MAX_COLUMNS} more" if len(names) > _MAX_COLUMNS else ""
    return ", ".join(names[:_MAX_COLUMNS]) + more


def _verdict(fitted: Fitted, kind: str, written: Path | None) -> Iterator[str]:
    evaluation = fitted.evaluation
    interval = f"AUC {evaluation.auc:.3f} (95 % {evaluation.auc_low:.3f} to {evaluation.auc_high:.3f})"
    if fitted.model is None:
        yield f"NO SIGNAL: nothing was found that tells who left; {interval}, where 0.5 is a coin toss."
        yield "No model was written."
    else:
        yield f"SIGNAL: out of sample the {kind} tells who left with {interval}."
        yield f"Its {len(fitted.model.terms())} terms are in {written}."
    yield ""


def _comparison(fitted: Fitted) -> Iterator[str]:
    metrics = fitted.evaluation
    yield f"Out of sample ({fitted.method}, every choice made without the customers predicted):"
    yield f"  AUC              {metrics.auc:.3f}   {_single(metrics)}; chance alone 0.500"
    lift = f"{metrics.top_decile_lift:.2f}    ({metrics.top_decile_lift_low:.2f} to {metrics.top_decile_lift_high:.2f})"
    yield f"  top-decile lift  {lift} times the base rate among the tenth most at risk"
    brier = f"{metrics.brier:.4f}  ({metrics.brier_low:.4f} to {metrics.brier_high:.4f})"
    yield f"  Brier score      {brier}; base rate for all: {metrics.brier_base:.4f}; lower is better"
    yield "  by predicted risk, in tenths:"
    yield "    predicted  left     95 % interval   customers"
    yield from (
        f"    {d.predicted:8.1%}  {d.observed:7.1%}  {d.low:6.1%} … {d.high:6.1%}  {d.n:9,}"
        for d in metrics.calibration
    )
    yield ""


def _single(metrics: Evaluation) -> str:
    return (
        f"best single column, {metrics.best_single}: {metrics.best_single_auc:.3f} "
        f"({metrics.best_single_low:.3f} to {metrics.best_single_high:.3f})"
    )


def _details(fitted: Fitted) -> Iterator[str]:
    if fitted.model is None:
        return
    for rates in fitted.strongest:
        yield from _column(rates)
    yield "Strongest terms (log-odds; ≥ from there on, → rising between):"
    for text, coefficient in _strongest_terms(fitted):
        yield f"  {coefficient:+6.2f}  {text}"


def _strongest_terms(fitted: Fitted) -> list[tuple[str, float]]:
    """Terms and coefficients by how far they move the log-odds of the customers (standard deviation)."""
    model, moves = fitted.model, []
    for group, coefficients in zip(model.groups, model.coefficients, strict=True) if model else ():
        deviations = np.abs(coefficients) * group.matrix(fitted.screened.frame).std(axis=0)
        for product, coefficient, deviation in zip(group.products, coefficients, deviations, strict=True):
            moves.append((float(deviation), product_text(product), float(coefficient)))
    strongest = sorted(moves, key=lambda move: -move[0])[:_MAX_TERMS]
    return [(text, coefficient) for _, text, coefficient in strongest]


def _column(rates: LeaverRates) -> Iterator[str]:
    yield f"{rates.column}{_step(rates.step)}"
    width = max(len(part.label) for part in rates.bins)
    yield from (_bar(part, width) for part in rates.bins)
    yield ""


def _step(step: Step | None) -> str:
    if step is None:
        return ""
    return f": from {step.at:g} on {step.above:.1%} left, below {step.below:.1%} ({step.odds_ratio:.2f} times the odds)"


def _bar(part: Bin, width: int) -> str:
    share = part.left / part.n
    return f"  {part.label:>{width}}  {part.n:7,} customers  {share:6.1%} left  {'█' * round(share * _BAR_CHARS)}"
