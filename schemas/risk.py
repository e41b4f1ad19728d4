"""Churn risk of one customer, with the contributions that add up to it."""

from datetime import datetime
from typing import Literal

import msgspec

Band = Literal["low", "medium", "high", "unknown"]


class Contribution(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The share of the risk that is due to one feature, in probability (`points`)."""

    feature: str
    value: float
    points: float


class Risk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The risk, 0…1, that this customer leaves within `horizon_days`, as known at `time`.

    Without evidence `risk` is null and the band `unknown`, because missing evidence does not mean a low risk. `base`
    plus the `points` of all contributions equals `risk`. `coverage`, 0…1, is the share of the kinds of evidence used by
    the model that this customer has. Of two records the one with the higher `revision` is newer.
    """

    customer: str
    time: datetime
    risk: float | None
    band: Band
    base: float
    contributions: list[Contribution]
    coverage: float
    horizon_days: int
    model: str
    revision: int
