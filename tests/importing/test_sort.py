"""The external sort against `sorted`."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from streams.importing.sort import Entry, Spool

ROWS = st.lists(
    st.tuples(st.integers(-(2**40), 2**40) | st.integers(0, 3), st.binary(max_size=4), st.binary(max_size=40)),
    max_size=60,
)


@given(rows=ROWS, run_bytes=st.integers(1, 2_000), fan_in=st.integers(2, 5))
def test_the_order_is_by_time_then_by_place_however_small_the_runs(
    rows: list[tuple[int, bytes, bytes]], run_bytes: int, fan_in: int
) -> None:
    entries = [Entry(time_ms, ordinal, key, payload) for ordinal, (time_ms, key, payload) in enumerate(rows)]
    with TemporaryDirectory() as folder:
        spool = Spool(Path(folder), run_bytes, fan_in)
        for entry in entries:
            spool.add(entry)
        assert len(spool) == len(entries)
        assert len(list(Path(folder).iterdir())) < fan_in
        assert list(spool.merged()) == sorted(entries, key=lambda entry: (entry.time_ms, entry.ordinal))


def test_what_does_not_fit_into_memory_lies_on_disk(tmp_path: Path) -> None:
    spool = Spool(tmp_path, run_bytes=10_000)
    for ordinal in range(1_000):
        spool.add(Entry(-ordinal, ordinal, b"", b"x" * 100))
        assert len(spool._buffer) < 26
    assert sum(run.stat().st_size for run in tmp_path.iterdir()) > 90_000
    assert [entry.ordinal for entry in spool.merged()] == list(range(999, -1, -1))
