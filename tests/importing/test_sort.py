"""The external sort against `sorted`."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from streams.importing.sort import Spool, SpooledEvent

ROWS = st.lists(
    st.tuples(st.integers(-(2**40), 2**40) | st.integers(0, 3), st.binary(max_size=4), st.binary(max_size=40)),
    max_size=60,
)


@given(rows=ROWS, run_bytes=st.integers(1, 2_000), max_runs=st.integers(2, 5))
def test_the_order_is_by_time_then_by_position_however_small_the_runs(
    rows: list[tuple[int, bytes, bytes]], run_bytes: int, max_runs: int
) -> None:
    events = [SpooledEvent(time_ms, position, key, payload) for position, (time_ms, key, payload) in enumerate(rows)]
    with TemporaryDirectory() as folder:
        spool = Spool(Path(folder), run_bytes, max_runs)
        for event in events:
            spool.add(event)
        assert len(spool) == len(events)
        assert len(list(Path(folder).iterdir())) < max_runs
        assert list(spool.merged()) == sorted(events, key=lambda event: (event.time_ms, event.position))


def test_events_that_do_not_fit_into_memory_are_on_disk(tmp_path: Path) -> None:
    spool = Spool(tmp_path, run_bytes=10_000)
    for position in range(1_000):
        spool.add(SpooledEvent(-position, position, b"", b"x" * 100))
        assert len(spool._buffer) < 26
    assert sum(run.stat().st_size for run in tmp_path.iterdir()) > 90_000
    assert [event.position for event in spool.merged()] == list(range(999, -1, -1))
