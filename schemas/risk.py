"""Churn risk of one customer, with the contributions it is made of."""

from datetime import datetime
from typing import Literal

import msgspec

Band = Literal["low", "medium", "high", "unknown"]


class Contribution(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What one feature adds to the risk, in probability; all of them and the base sum to `risk`."""

    feature: str
    value: float
    points: float


class Risk(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The risk, 0…1, that this customer leaves within `horizon_days`, as known at `time`.

    `risk` is null (band `unknown`) without evidence: missing is not healthy. `base` plus the
    `points` of all contributions equals `risk`. `coverage` is the share 0…1 of the kinds of
    evidence the model can use that this customer has. Of two records, the higher `revision` is newer.
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
