"""The latest churn risk of every customer of one source partition, as a record that can be corrected."""

from collections.abc import Iterable, Iterator

import msgspec

from streams.core.facts import RISK, Facts
from streams.core.ledger import Entry, Ledger
from streams.core.risk import Assessment, RiskModel

_BYTES = 80
"""An upper estimate of one assessment in a checkpoint, without its key."""

_PARTIAL_BYTES = 160
"""An upper estimate of a partial of assessments in a checkpoint."""


class Assessed(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """What was last counted for a customer; `version` counts the ledger changes behind it."""

    version: int
    time: int
    dims: int
    facts: Facts


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Assessed).decode


class Risks:
    """Assesses customers whose ledger changed, once per chunk; without a model it does nothing.

    `pending_bytes` is roughly what the changes since the last drain take in a checkpoint, and
    `touched_bytes` the most that the assessments still to be made can add to one: each may leave
    `panes_of_one` panes and enter as many.
    """

    def __init__(self, model: RiskModel | None, horizon: int, panes_of_one: int = 0) -> None:
        self.pending_bytes = 0
        self.touched_bytes = 0
        self._model = model
        self._horizon = horizon
        self._moved_bytes = 2 * panes_of_one * _PARTIAL_BYTES
        self._assessed: dict[bytes, bytes] = {}
        self._touched: dict[bytes, int] = {}
        self._changed: dict[bytes, Assessment] = {}

    @property
    def enabled(self) -> bool:
        """Whether there is a model."""
        return self._model is not None

    def touch(self, customer: bytes) -> None:
        """Note that this customer's ledger changed; records of nobody have no risk."""
        if self._model is not None and customer[:1] == b"c":
            touches = self._touched.get(customer, 0)
            self._touched[customer] = touches + 1
            if not touches:
                self.touched_bytes += self._moved_bytes + len(customer) + _BYTES

    def assess(self, ledger: Ledger) -> Iterator[tuple[Assessed, int]]:
        """What to retract (−1) and to add (1), customer by customer."""
        touched, self._touched, self.touched_bytes = self._touched, {}, 0
        for customer, changes in touched.items():
            yield from self._reassess(customer, changes, ledger)

    def drain(self) -> list[tuple[bytes, bytes, Assessed, Assessment]]:
        """Changed customers since the last call: key, changelog value, and the record to publish."""
        changed, self._changed, self.pending_bytes = self._changed, {}, 0
        return [(c, self._assessed[c], _decode(self._assessed[c]), a) for c, a in changed.items()]

    def known(self, customers: Iterable[bytes], ledger: Ledger) -> list[tuple[bytes, bytes, Assessed, Assessment]]:
        """The same for these customers as they are known now, where the ledger still has evidence."""
        if self._model is None:
            return []
        values = [(customer, self._assessed[customer]) for customer in customers if customer in ledger.customers]
        return [(c, value, _decode(value), self._assess(self._model, c, ledger)[1]) for c, value in values]

    def load(self, customer: bytes, value: bytes) -> None:
        """Take one assessment back from the changelog."""
        self._assessed[customer] = value

    def _reassess(self, customer: bytes, changes: int, ledger: Ledger) -> Iterator[tuple[Assessed, int]]:
        if self._model is None:
            return
        newest, assessment = self._assess(self._model, customer, ledger)
        facts = () if assessment.ppm is None else (RISK, assessment.ppm, int(assessment.band == "high"))
        before = self._assessed.get(customer)
        old = None if before is None else _decode(before)
        new = Assessed((old.version if old else 0) + changes, newest.time, newest.dims, facts)
        self._assessed[customer] = _encode(new)
        if customer not in self._changed:
            self.pending_bytes += len(customer) + _BYTES
        self._changed[customer] = assessment
        if old and (old.time, old.dims, old.facts) == (new.time, new.dims, new.facts):
            return
        if old:
            yield old, -1
        yield new, 1

    def _assess(self, model: RiskModel, customer: bytes, ledger: Ledger) -> tuple[Entry, Assessment]:
        entries = ledger.entries(customer)
        newest = max(entries, key=lambda entry: (entry.time, entry.record))
        floor = newest.time - self._horizon
        return newest, model.assess([e for e in entries if e.time >= floor], newest.time)
