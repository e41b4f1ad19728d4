"""What a fit has found, to read or as JSON."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from streams.fitting.figures import NAMES, Figures
from streams.fitting.rates import Bin, Rates, Step
from streams.fitting.run import Fitted
from streams.fitting.terms import term_text

_DIGITS = 6
_TERMS = 15
_BAR = 30
_NAMED = 12


def as_json(fitted: Fitted, written: Path | None) -> str:
    """One object; shares and AUCs 0…1, `model_file` null when nothing was written."""
    found = fitted.figures
    document = {
        "table": fitted.table.name,
        "label": fitted.labels.column,
        "positive": fitted.labels.positive,
        "rows": len(fitted.labels.values),
        "positives": int(fitted.labels.values.sum()),
        "predicted": found.rows,
        "base_rate": round(float(fitted.labels.values.mean()), _DIGITS),
        "verdict": found.verdict,
        **{name: round(getattr(found, name), _DIGITS) for name in NAMES},
        "best_single": found.best_single,
        "auc_interval": "95 %, DeLong, on out-of-sample predictions",
        "method": fitted.method,
        "calibration": [{key: round(v, _DIGITS) for key, v in d._asdict().items()} for d in found.calibration],
        "variables": [_variable(shown) for shown in fitted.strongest],
        "left_out": [{"column": name, "reason": reason} for name, reason in fitted.screened.left_out],
        "notes": list(fitted.notes),
        "model_file": str(written) if written else None,
    }
    return json.dumps(document, ensure_ascii=False, indent=2)


def as_text(fitted: Fitted, written: Path | None) -> str:
    """The same to read, with what the strongest columns do."""
    return "\n".join([*_head(fitted), *_verdict(fitted, written), *_comparison(fitted), *_details(fitted)])


def _variable(shown: Rates) -> dict[str, object]:
    step = shown.step and {key: round(value, _DIGITS) for key, value in shown.step._asdict().items() if key != "p"}
    return {"column": shown.column, "step": step, "rates": [part._asdict() for part in shown.bins]}


def _head(fitted: Fitted) -> Iterator[str]:
    rows, left = len(fitted.labels.values), int(fitted.labels.values.sum())
    share = left / rows
    yield (
        f"{fitted.table.name}: {rows:,} customers, of whom {left:,} left "
        f"({fitted.labels.column} = {fitted.labels.positive}): {share:.1%}"
    )
    yield f"  from {len(fitted.screened.frame)} columns: {_listed(list(fitted.screened.frame))}"
    yield from (f"  left out: {name} {reason}" for name, reason in fitted.screened.left_out)
    yield from (f"  note: {note}" for note in fitted.notes)
    yield ""


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _verdict(fitted: Fitted, written: Path | None) -> Iterator[str]:
    found = fitted.figures
    interval = f"AUC {found.auc:.3f} (95 % {found.auc_low:.3f} to {found.auc_high:.3f})"
    if fitted.model is None:
        yield f"NO SIGNAL: nothing in this table was found to tell who left; {interval}, where 0.5 is a coin."
        yield "No model was written."
    else:
        yield f"SIGNAL: out of sample the model tells who left with {interval}."
        yield f"Its {len(fitted.model.terms())} terms are in {written}."
    yield ""


def _comparison(fitted: Fitted) -> Iterator[str]:
    found = fitted.figures
    yield f"Out of sample ({fitted.method}, every choice made without those predicted):"
    yield f"  AUC              {found.auc:.3f}   {_single(found)}; nobody's rule 0.500"
    lift = f"({found.top_decile_lift_low:.2f} to {found.top_decile_lift_high:.2f})"
    yield f"  top-decile lift  {found.top_decile_lift:.2f}    {lift} times the base rate among the tenth most at risk"
    brier = f"({found.brier_low:.4f} to {found.brier_high:.4f})"
    yield f"  Brier score      {found.brier:.4f}  {brier}; base rate for all: {found.brier_base:.4f}; less is better"
    yield "  by predicted risk, in tenths:"
    yield "    predicted  left     95 % interval   customers"
    yield from (
        f"    {d.predicted:8.1%}  {d.observed:7.1%}  {d.low:6.1%} … {d.high:6.1%}  {d.n:9,}" for d in found.calibration
    )
    yield ""


def _single(found: Figures) -> str:
    return (
        f"best single column, {found.best_single}: {found.best_single_auc:.3f} "
        f"({found.best_single_low:.3f} to {found.best_single_high:.3f})"
    )


def _details(fitted: Fitted) -> Iterator[str]:
    if fitted.model is None:
        return
    for shown in fitted.strongest:
        yield from _column(shown)
    yield "Strongest terms (log-odds; ≥ from there on, → rising between):"
    for term, coefficient, _ in _strongest_terms(fitted):
        yield f"  {coefficient:+6.2f}  {term}"


def _strongest_terms(fitted: Fitted) -> list[tuple[str, float, float]]:
    """Term, coefficient and how far it moves the log-odds of the customers (standard deviation), strongest first."""
    model, found = fitted.model, []
    for block, weights in zip(model.blocks, model.coefficients, strict=True) if model else ():
        spread = np.abs(weights) * block.matrix(fitted.screened.frame).std(axis=0)
        found += [(term_text(t), float(w), float(s)) for t, w, s in zip(block.terms, weights, spread, strict=True)]
    return sorted(found, key=lambda item: -item[2])[:_TERMS]


def _column(shown: Rates) -> Iterator[str]:
    yield f"{shown.column}{_step(shown.step)}"
    width = max(len(part.label) for part in shown.bins)
    yield from (_bar(part, width) for part in shown.bins)
    yield ""


def _step(step: Step | None) -> str:
    if step is None:
        return ""
    return f": from {step.at:g} on {step.above:.1%} left, below {step.below:.1%} ({step.odds_ratio:.2f} times the odds)"


def _bar(part: Bin, width: int) -> str:
    share = part.left / part.n
    return f"  {part.label:>{width}}  {part.n:7,} customers  {share:6.1%} left  {'█' * round(share * _BAR)}"
