"""The size of a checkpoint: the largest allowed, and an estimate of the next one.

A broker without transactions appends a checkpoint as one record batch, which must not exceed its limit. A step
therefore stops while what it has changed, and what follows from it and is not computed yet, still fits. The sizes are
estimates in bytes; only the ledger and the new dimensions know what they really take.
"""

from dataclasses import dataclass

from streams.core.cells.dimensions import DimensionRegistry
from streams.core.churn.assessments import Assessments
from streams.core.derived.derived_records import DerivedRecords
from streams.core.ledger.ledger import Ledger
from streams.core.stage1.accumulator import ChunkAccumulator
from streams.core.stage1.partials import Partials

UNBOUNDED_BYTES = 2**60

PARTIAL_BYTES = 320
"""One partial with its key."""

_ASSESSMENT_BYTES = 120
"""One assessment without its key."""

_ASSESSMENT_PARTIAL_BYTES = 240
"""One partial of assessments: they have few scores."""

_LONGEST_KEY_BYTES = 1 + 4 * 256
"""A customer of 256 characters of four bytes each."""

_LONGEST_EVENT_BYTES = 16_384
"""More than the names in one event take in the ledger and the dimensions."""

_DERIVED_PER_CHANGE = 8
"""Derived records that one changed ticket, contact or membership is taken to change."""

_PANES_PER_ASSESSMENT = 3
"""An assessment leaves panes, enters as many, and enters as many again when its band changes."""

_SAFETY = 0.6
"""The share of a record batch that the estimate may fill where the checkpoint must fit into one: some partials are
larger than estimated, and the batch has an overhead."""

_TRANSACTION_BYTES = 16 << 20
_CLOSED_PANE_BYTES = 80
_MOST_CLOSED_PANES = 100_000


@dataclass(frozen=True)
class CheckpointBudget:
    """What one checkpoint may hold: bytes of changes, and how many closed panes it deletes.

    A watermark that jumps closes all panes at once, so the deletions have a bound of their own.
    """

    step_bytes: int
    closed_panes: int

    @classmethod
    def of(cls, atomic_limit_bytes: int | None) -> "CheckpointBudget":
        """The budget for a broker whose largest atomic write is this; None where transactions make any size atomic."""
        if atomic_limit_bytes is None:
            return cls(_TRANSACTION_BYTES, _MOST_CLOSED_PANES)
        return cls(int(atomic_limit_bytes * _SAFETY), atomic_limit_bytes // 10 // _CLOSED_PANE_BYTES)


class CheckpointSize:
    """Estimates of what the parts of one partition's state will take in its next checkpoint.

    `cuts` and `resolutions` are how many there are: a record counts in one cell of each cut, in one pane of each
    resolution.
    """

    def __init__(
        self,
        ledger: Ledger,
        partials: Partials,
        dimensions: DimensionRegistry,
        derived: DerivedRecords,
        assessments: Assessments,
        cuts: int,
        resolutions: int,
    ) -> None:
        self._ledger = ledger
        self._partials = partials
        self._dimensions = dimensions
        self._derived = derived
        self._assessments = assessments
        panes = cuts * resolutions
        self._record_bytes = panes * PARTIAL_BYTES
        self._derived_delta_bytes = cuts * PARTIAL_BYTES
        self._derived_change_bytes = _DERIVED_PER_CHANGE * panes * PARTIAL_BYTES
        self._assessment_bytes = _PANES_PER_ASSESSMENT * panes * _ASSESSMENT_PARTIAL_BYTES + _ASSESSMENT_BYTES

    @property
    def pending_bytes(self) -> int:
        """What has changed since the last checkpoint and would be in the next one."""
        assessments = self._assessments
        return (
            self._ledger.pending_bytes
            + self._dimensions.pending_bytes
            + len(self._partials.changed) * PARTIAL_BYTES
            + assessments.pending * _ASSESSMENT_BYTES
            + assessments.pending_key_bytes
        )

    def with_chunk(self, accumulator: ChunkAccumulator) -> int:
        """The same with what the chunk under way has accumulated, and with all that follows from it."""
        derived, assessments = self._derived, self._assessments
        return (
            self.pending_bytes
            + accumulator.places * self._record_bytes
            + derived.possible_changes * self._derived_change_bytes
            + derived.pending_deltas * self._derived_delta_bytes
            + assessments.touched * self._assessment_bytes
            + assessments.touched_key_bytes
        )

    def most_of_one_event(self, has_derived_records: bool) -> int:
        """The most that one event can add: a correction changes two places, and its customer is assessed."""
        derived = self._derived_change_bytes if has_derived_records else 0
        return 2 * self._record_bytes + derived + self.most_of_one_assessment + _LONGEST_EVENT_BYTES

    @property
    def most_of_one_assessment(self) -> int:
        """The most that one assessment can add."""
        return self._assessment_bytes + _LONGEST_KEY_BYTES
