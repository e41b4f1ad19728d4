"""The latest churn risk of each customer of one source partition, renewed as time passes and corrected by events."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import NamedTuple

import msgspec

from streams.core.churn.band_changes import band_changes
from streams.core.churn.churn_model import Assessment, ChurnModel
from streams.core.events.derived_kinds import assessment_fields, band_change_fields
from streams.core.events.entry import Entry
from streams.core.events.record_fields import RecordFields
from streams.core.ledger.ledger import Ledger
from streams.core.time.lateness import NO_WATERMARK_MS


class StoredAssessment(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What was last counted for a customer: its risk as known at `at_ms`, by the churn model of this number.

    It is counted at the time and with the dimensions of the customer's newest event. `version` rises with every
    assessment, also when the state is rebuilt from nothing.
    """

    version: int
    time_ms: int
    dims: int
    fields: RecordFields
    at_ms: int
    model: int


class AssessmentDelta(NamedTuple):
    """Fields to add to the scores (`sign` 1) or to take back from them (−1)."""

    fields: RecordFields
    time_ms: int
    dims: int
    sign: int


AssessmentChange = tuple[bytes, bytes | None, StoredAssessment | None, Assessment | None]
"""A customer, its changelog value, and the record to publish; None for a customer that is forgotten."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(StoredAssessment).decode


class Assessments:
    """Assesses customers when their ledger changed and when time has passed; without a model it does nothing.

    `on_events` is false in a replay: there a change is no reason to assess, and every customer is assessed once, at
    the end. A checkpoint's size is estimated from the customers still to be assessed (`touched`), from the changed
    assessments (`pending`), and from the bytes of their keys.
    """

    def __init__(self, model: ChurnModel | None, horizon_ms: int, *, on_events: bool = True) -> None:
        self.model = model
        self.pending_key_bytes = 0
        self.touched_key_bytes = 0
        self._on_events = on_events
        self._horizon_ms = horizon_ms
        self._assessed: dict[bytes, bytes] = {}
        self._touched: dict[bytes, None] = {}
        self._changed: dict[bytes, Assessment | None] = {}
        self._round: Iterator[bytes] = iter(())
        self._settling: int | None = None

    @property
    def enabled(self) -> bool:
        """Whether customers are assessed when their ledger changed."""
        return self.model is not None and self._on_events

    def __len__(self) -> int:
        return len(self._assessed)

    def touch(self, customer: bytes) -> None:
        """Note that this customer's ledger changed; anonymous records have no risk."""
        if customer not in self._touched and self.enabled and customer[:1] == b"c":
            self._touched[customer] = None
            self.touched_key_bytes += len(customer)

    @property
    def touched(self) -> int:
        """How many customers are still to be assessed because their ledger changed."""
        return len(self._touched)

    @property
    def pending(self) -> int:
        """How many assessments changed since the last drain."""
        return len(self._changed)

    def assess(self, ledger: Ledger, at_ms: int) -> Iterator[AssessmentDelta]:
        """The deltas of the customers that changed since the last call, assessed with what is known at `at_ms`."""
        touched, self._touched, self.touched_key_bytes = self._touched, {}, 0
        for customer in touched:
            yield from self._reassess(customer, ledger, at_ms, None)

    def due(self, ledger: Ledger, before_ms: int, look: int) -> Iterator[bytes]:
        """Of the next `look` customers those whose assessment was made at `before_ms` or earlier.

        An assessment by another model is due too, and so is that of a customer the ledger no longer has. Each call
        goes on where the last one stopped, and begins again after the last customer.
        """
        for customer in islice(self._around(ledger), look if self.model is not None else 0):
            if self._is_due(customer, ledger, before_ms):
                yield customer

    def renew(self, customer: bytes, ledger: Ledger, at_ms: int) -> Iterator[AssessmentDelta]:
        """Assess a customer anew as time has passed; one that left the ledger becomes unknown, then is forgotten."""
        return self._reassess(customer, ledger, at_ms, at_ms)

    def unsettled(self, ledger: Ledger, at_ms: int) -> Iterator[bytes]:
        """The customers not yet assessed at the end of a replay, `at_ms`; a call goes on where the last one stopped."""
        if self._settling != at_ms:
            self._settling, self._round = at_ms, iter(list(ledger.customers) if self.model is not None else ())
        return (c for c in self._round if c[:1] == b"c" and not self._is_settled(c, at_ms))

    def settle(self, customer: bytes, ledger: Ledger, at_ms: int, span_ms: int) -> Iterator[AssessmentDelta]:
        """Assess a customer at the end of a replay, and count the changes of its band in the last `span_ms`."""
        if self.model is not None:
            for change in band_changes(self.model, ledger.entries(customer), at_ms, self._horizon_ms, span_ms):
                yield AssessmentDelta(band_change_fields(change.into_high), change.time_ms, change.dims, 1)
            yield from self._reassess(customer, ledger, at_ms, None, silent=True)

    def drain(self) -> list[AssessmentChange]:
        """The assessments that changed since the last call."""
        changed, self._changed, self.pending_key_bytes = self._changed, {}, 0
        return [self._drained(customer, assessment) for customer, assessment in changed.items()]

    def last_assessed(self, customers: Iterable[bytes], ledger: Ledger) -> list[AssessmentChange]:
        """The last assessments of these customers, in the form of `drain`, where the ledger still has evidence."""
        found: list[AssessmentChange] = []
        for customer in customers if self.model is not None else ():
            if customer not in self._assessed:
                found.append((customer, None, None, None))
            elif customer in ledger.customers:
                assessed = _decode(self._assessed[customer])
                found.append(self._drained(customer, self._judge(customer, ledger, assessed.at_ms)[1]))
        return found

    def load(self, customer: bytes, value: bytes) -> None:
        """Restore one assessment from the changelog."""
        self._assessed[customer] = value

    def unload(self, customer: bytes) -> None:
        """Apply a deletion from the changelog."""
        self._assessed.pop(customer, None)

    def _drained(self, customer: bytes, assessment: Assessment | None) -> AssessmentChange:
        if assessment is None:
            return customer, None, None, None
        value = self._assessed[customer]
        return customer, value, _decode(value), assessment

    def _around(self, ledger: Ledger) -> Iterator[bytes]:
        """All customers from where the last call stopped, and then from the first one again."""
        yield from self._round
        self._round = iter([*ledger.customers, *self._assessed])
        yield from self._round

    def _is_due(self, customer: bytes, ledger: Ledger, before_ms: int) -> bool:
        value = self._assessed.get(customer)
        if value is None:
            return customer[:1] == b"c" and customer in ledger.customers
        if customer not in ledger.customers:
            return True
        assessed = _decode(value)
        return assessed.at_ms <= before_ms or self.model is None or assessed.model != self.model.number

    def _is_settled(self, customer: bytes, at_ms: int) -> bool:
        value = self._assessed.get(customer)
        return value is not None and _decode(value).at_ms == at_ms

    def _reassess(
        self, customer: bytes, ledger: Ledger, at_ms: int, changed_at_ms: int | None, silent: bool = False
    ) -> Iterator[AssessmentDelta]:
        if self.model is None:
            return
        before = self._assessed.get(customer)
        old = None if before is None else _decode(before)
        if old is not None and not old.fields and customer not in ledger.customers:
            self._forget(customer)
            return
        newest, assessment = self._judge(customer, ledger, at_ms)
        place = newest or old
        if place is None:
            return
        fields = () if assessment.ppm is None else _fields(assessment)
        version = max(at_ms, 1) if old is None else max(at_ms, old.version + 1)
        new = StoredAssessment(version, place.time_ms, place.dims, fields, at_ms, self.model.number)
        self._note(customer, new, assessment)
        yield from _moved(old, new)
        if not silent and (old is None or old.model == new.model):
            yield from _crossed(old, new, place.time_ms if changed_at_ms is None else changed_at_ms)

    def _judge(self, customer: bytes, ledger: Ledger, at_ms: int) -> tuple[Entry | None, Assessment]:
        if self.model is None:
            raise ValueError("a risk without a model")
        entries = ledger.entries(customer) if customer in ledger.customers else []
        return _newest(entries, at_ms), self.model.assess(entries, at_ms, self._horizon_ms)

    def _note(self, customer: bytes, assessed: StoredAssessment, assessment: Assessment) -> None:
        self._assessed[customer] = _encode(assessed)
        self._mark(customer, assessment)

    def _forget(self, customer: bytes) -> None:
        del self._assessed[customer]
        self._mark(customer, None)

    def _mark(self, customer: bytes, assessment: Assessment | None) -> None:
        if customer not in self._changed:
            self.pending_key_bytes += len(customer)
        self._changed[customer] = assessment


def _newest(entries: Iterable[Entry], at_ms: int) -> Entry | None:
    newest, newest_ms = None, NO_WATERMARK_MS
    for entry in entries:
        if newest_ms <= entry.time_ms <= at_ms and (
            entry.time_ms > newest_ms or newest is None or entry.identity > newest.identity
        ):
            newest, newest_ms = entry, entry.time_ms
    return newest


def _fields(assessment: Assessment) -> RecordFields:
    return assessment_fields(assessment.ppm or 0, assessment.band == "high", assessment.value)


def _moved(old: StoredAssessment | None, new: StoredAssessment) -> Iterator[AssessmentDelta]:
    """Take back the old assessment and add the new one, where the risk, its time or its dimensions changed."""
    if old and (old.time_ms, old.dims, old.fields) == (new.time_ms, new.dims, new.fields):
        return
    if old and old.fields:
        yield AssessmentDelta(old.fields, old.time_ms, old.dims, -1)
    if new.fields:
        yield AssessmentDelta(new.fields, new.time_ms, new.dims, 1)


def _crossed(old: StoredAssessment | None, new: StoredAssessment, time_ms: int) -> Iterator[AssessmentDelta]:
    """The change of the band into or out of high; a customer whose risk became unknown has not recovered."""
    was, high = bool(old and old.fields and old.fields[2]), bool(new.fields and new.fields[2])
    if high != was and (high or new.fields):
        yield AssessmentDelta(band_change_fields(high), time_ms, new.dims, 1)
