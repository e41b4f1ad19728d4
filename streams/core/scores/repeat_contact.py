"""Repeat contact."""

from collections.abc import Mapping

from streams.core.events.derived_kinds import CONTACT
from streams.core.events.record_fields import RecordFields
from streams.core.scores.base import Result, Score, Slots, Unit
from streams.core.scores.survey import share_of_slots

_REPEATED = 1


class RepeatContact(Score):
    """Share of contacts after which the customer made contact again within 7 days, on any channel.

    It is counted at the first contact and provisional until the 7 days are over. First-contact resolution is 1 minus
    this share.

    >>> RepeatContact().result({0: 2, 1: 8})
    Result(value=0.8, lower=0.490162, upper=0.943318, n=10, counts={'repeated': 8})
    """

    name = "repeat_contact"
    unit: Unit = "ratio"
    code = 24
    derived = True
    source = CONTACT

    def slots(self, fields: RecordFields) -> Slots:
        """Whether the customer made contact again."""
        return ((fields[1], 1),) if fields[0] == CONTACT else ()

    def result(self, acc: Mapping[int, int]) -> Result | None:
        """As a ratio, with Wilson's interval."""
        return share_of_slots(acc, (_REPEATED,), "repeated")
