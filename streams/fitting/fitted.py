"""The result of a fit: an evaluation out of sample and, when that shows a signal, a model of all rows."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from streams.fitting.evaluation import Evaluation, evaluate
from streams.fitting.labels import Labels
from streams.fitting.leaver_rates import LeaverRates, leaver_rates
from streams.fitting.predictions import Predictions, Progress
from streams.fitting.screening import Screened
from streams.fitting.selection import fit_models
from streams.fitting.table_model import TableModel, columns_by_strength

SEED = 1
"""The seed of the folds; the same input gives the same evaluation."""

MAX_DESCRIBED = 5
"""The report describes this many of the strongest columns."""


class InputFile(NamedTuple):
    """The file that the labels came from."""

    name: str
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "InputFile":
        """The name of a file and the digest of its content. Raises `OSError`."""
        return cls(path.name, hashlib.sha256(path.read_bytes()).hexdigest())


@dataclass(frozen=True)
class Fitted:
    """A fit; `model` is None when there is no signal. `strongest` has the strongest column first.

    `method` says how the customers that were predicted were kept apart from those learned from.
    """

    source: InputFile
    labels: Labels
    screened: Screened
    evaluation: Evaluation
    model: TableModel | None
    strongest: tuple[LeaverRates, ...]
    notes: tuple[str, ...]
    method: str


def fit_after(
    predictions: Predictions,
    source: InputFile,
    labels: Labels,
    screened: Screened,
    notes: Sequence[str],
    method: str,
    progress: Progress,
) -> Fitted:
    """Evaluate the out-of-sample predictions, and fit the model to all rows when they show a signal."""
    frame, y = screened.frame, labels.values
    evaluation = evaluate(predictions)
    model = fit_models(frame, y).model if evaluation.verdict == "signal" else None
    names = columns_by_strength(model, frame) if model else [evaluation.best_single]
    strongest = tuple(leaver_rates(frame[name], y) for name in names[:MAX_DESCRIBED])
    fits = predictions.best_columns.total() + 1
    progress(fits, fits)
    return Fitted(source, labels, screened, evaluation, model, strongest, tuple(notes), method)
