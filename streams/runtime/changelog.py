"""The state of a source partition as changelog records, and back."""

import msgspec

from streams.core.cells.dimensions import Cell
from streams.core.stage1.outcomes import TopicProgress
from streams.core.stage1.partials import PaneKey, PanePartial
from streams.core.stage1.partition_state import PartitionState
from streams.core.stage1.state_parts import StateChanges
from streams.errors import StateError
from streams.runtime.checkpoint import Change

META, LEDGER, RISK, DIMENSIONS, PANE = b"m", b"l", b"r", b"d", b"p"
"""First byte of a changelog key: what kind of state it holds."""


class Meta(msgspec.Struct, array_like=True):
    """What every checkpoint writes: under which definition, and how far each topic was applied."""

    fingerprint: str
    progress: dict[str, TopicProgress]
    watermarks: dict[str, int]
    overflow: int


_NumberedCell = tuple[int, Cell] | None


class _Dimensions(msgspec.Struct, array_like=True):
    values: tuple[str, ...]
    cells: list[_NumberedCell]


_encode = msgspec.msgpack.Encoder().encode
_meta = msgspec.msgpack.Decoder(Meta).decode
_dimensions = msgspec.msgpack.Decoder(_Dimensions).decode
_partial = msgspec.msgpack.Decoder(PanePartial).decode
_pane_key = msgspec.msgpack.Decoder(tuple[str, int, int, int]).decode


def changelog_records(state: PartitionState, changes: StateChanges) -> list[Change]:
    """Changes of a state as the records of one checkpoint; the record with the offsets is the last."""
    records: list[Change] = [(RISK + key, value) for key, value, _, _ in changes.assessments]
    records += [(LEDGER + key, value) for key, value in changes.ledger]
    records += [(PANE + _encode((*key, cell)), _encode(partial)) for key, cell, partial in changes.panes]
    records += [(PANE + _encode((*key, cell)), None) for key, cell in changes.closed_panes]
    for number, combination, cells in changes.dimensions:
        numbered = [cell and (n, cell) for n, cell in zip(combination.cells, cells, strict=True)]
        records.append((DIMENSIONS + number.to_bytes(4, "big"), _encode((combination.values, numbered))))
    meta = Meta(state.definition.fingerprint, state.progress, state.watermarks, state.ledger.overflow)
    records.append((META, _encode(meta)))
    return records


def load(state: PartitionState, key: bytes, value: bytes | None) -> None:
    """Put one changelog record back into the state; raises `StateError` when it is not ours to continue."""
    kind, name = key[:1], key[1:]
    if kind == LEDGER:
        if value is None:
            state.ledger.unload(name)
        else:
            state.ledger.load(name, value)
    elif kind == RISK:
        if value is None:
            state.assessments.unload(name)
        else:
            state.assessments.load(name, value)
    elif kind == PANE:
        if value is None:
            state.partials.unload(*_pane(name))
        else:
            state.partials.load(*_pane(name), _partial(value))
    elif kind == DIMENSIONS and value is not None:
        loaded = _dimensions(value)
        state.dimensions.load(int.from_bytes(name, "big"), loaded.values, loaded.cells)
    elif kind == META and value is not None:
        _load_meta(state, _meta(value))


class LastCheckpoint:
    """Of a changelog that is being read, the records of the newest checkpoint: each ends with the offsets."""

    def __init__(self) -> None:
        self._records: list[Change] = []
        self._following: list[Change] = []

    def add(self, key: bytes, value: bytes | None) -> None:
        """Take the next record."""
        self._following.append((key, value))
        if key == META:
            self._records, self._following = self._following, []

    def panes(self) -> list[tuple[PaneKey, int, PanePartial]]:
        """The partials it changed."""
        return [(*_pane(key[1:]), _partial(value)) for key, value in self._of(PANE) if value is not None]

    def closed(self) -> list[tuple[PaneKey, int]]:
        """The partials it deleted."""
        return [_pane(key[1:]) for key, value in self._of(PANE) if value is None]

    def assessed(self) -> list[bytes]:
        """The customers whose risk it changed."""
        return [key[1:] for key, _ in self._of(RISK)]

    def _of(self, kind: bytes) -> list[Change]:
        return [change for change in self._records if change[0][:1] == kind]


def _pane(name: bytes) -> tuple[PaneKey, int]:
    label, resolution, start, cell = _pane_key(name)
    return (label, resolution, start), cell


def _load_meta(state: PartitionState, meta: Meta) -> None:
    if meta.fingerprint != state.definition.fingerprint:
        raise StateError(
            "the state was written with other windows, cuts, lateness, partitions or scores, with risk.enabled "
            "set otherwise, or by a version that keeps it in another form; undo that change, "
            "or set a new app.id and a new kafka.prefix to build the state anew from the source topics"
        )
    state.progress = meta.progress
    state.watermarks = meta.watermarks
    state.ledger.overflow = meta.overflow
