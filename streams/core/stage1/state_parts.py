"""The parts of one partition's state, and what a checkpoint takes out of them."""

from typing import NamedTuple

from schemas.decoding import Invalid
from streams.core.cells.dimensions import Cell, Combination, DimensionRegistry
from streams.core.churn.assessments import AssessmentChange, Assessments
from streams.core.derived.derived_records import DerivedRecords
from streams.core.ledger.ledger import Ledger
from streams.core.stage1.checkpoint_budget import CheckpointSize
from streams.core.stage1.definition import Definition
from streams.core.stage1.outcomes import RejectedRecord, RekeyedRecord, SourceRecord, TopicProgress
from streams.core.stage1.partials import PaneKey, PanePartial, Partials

_SWEEPS_PER_HORIZON = 64
"""How often a ledger is gone through while its horizon passes. An entry that is too old but still there counts for
nothing, so rounds cost more than they gain when they come more often."""


class StateChanges(NamedTuple):
    """Everything that changed since the last checkpoint, in the order in which a checkpoint writes it.

    Records that leave (`rejected`, `rekeyed`) are in no state: they must be published before or with it. All other
    changes are in the state, so that a successor can publish them again.
    """

    rejected: list[RejectedRecord]
    rekeyed: list[RekeyedRecord]
    assessments: list[AssessmentChange]
    ledger: list[tuple[bytes, bytes | None]]
    panes: list[tuple[PaneKey, int, PanePartial]]
    closed_panes: list[tuple[PaneKey, int]]
    dimensions: list[tuple[int, Combination, list[Cell | None]]]


class StateParts:
    """The parts that hold one partition number over all source topics; `PartitionState` moves them.

    `progress` and `watermarks` are kept for each topic, or source label: offsets applied, and event time reached (ms).
    """

    def __init__(self, partition: int, definition: Definition) -> None:
        self.partition = partition
        self.definition = definition
        self.progress: dict[str, TopicProgress] = {}
        self.watermarks: dict[str, int] = {}
        lateness, horizon_ms = definition.lateness, definition.horizon_ms
        self.ledger = Ledger(definition.max_records, horizon_ms // _SWEEPS_PER_HORIZON)
        self.partials = Partials(lateness)
        self.dimensions = DimensionRegistry(definition.cuts, definition.max_cells)
        self.derived = DerivedRecords(lateness.wait_ms, horizon_ms, definition.hours)
        self.assessments = Assessments(definition.churn_model, horizon_ms, on_events=not definition.replay)
        self.rejected: list[RejectedRecord] = []
        self.rekeyed: list[RekeyedRecord] = []
        self.size = CheckpointSize(
            self.ledger,
            self.partials,
            self.dimensions,
            self.derived,
            self.assessments,
            len(definition.cuts),
            len(lateness.keep_ms),
        )

    def reject(self, topic: str, record: SourceRecord, invalid: Invalid) -> None:
        """Keep a refused record for its dead letter, and count the reason."""
        self.rejected.append(RejectedRecord(topic, record, invalid))
        reasons = self.progress[topic].reasons
        reasons[invalid.reason] = reasons.get(invalid.reason, 0) + 1

    def drain(self, most_closed_panes: int) -> StateChanges:
        """Take out everything that changed since the last call, but delete at most so many closed panes.

        No pane is both changed and closed: one that closes while it changes is deleted by the next call, so that
        every change is in the state of some checkpoint.
        """
        closed: list[tuple[PaneKey, int]] = []
        for label, watermark_ms in self.watermarks.items():
            closed += self.partials.expire(label, watermark_ms, most_closed_panes - len(closed))
        rejected, self.rejected = self.rejected, []
        rekeyed, self.rekeyed = self.rekeyed, []
        return StateChanges(
            rejected,
            rekeyed,
            self.assessments.drain(),
            self.ledger.drain(),
            self.partials.drain(),
            closed,
            self.dimensions.drain(),
        )
