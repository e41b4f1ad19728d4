"""Account events: when a customer relation starts, renews and ends, and its value."""

from typing import Literal

from schemas.envelope import Envelope, Label

AccountChange = Literal["started", "renewed", "cancelled", "updated"]


class Account(Envelope, frozen=True, kw_only=True, gc=False):
    """One change of one account at `time`; `value` is the revenue per year in the reporting currency."""

    change: AccountChange
    value: float | None = None
    plan: Label = ""
