"""A partition's files hold every line once, whatever was interrupted and delivered again."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from sinks.errors import SinkError, SinkUnavailable
from sinks.ndjson import segments
from sinks.ndjson.segments import Line, store


def lines(begin: int, end: int, content: str = "old") -> list[Line]:
    return [
        Line(offset, b'{"topic":"t","partition":0,"offset":%d,"record":"%s"}' % (offset, content.encode()))
        for offset in range(begin, end)
    ]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cx.surveys.v1" / "0"


def files(folder: Path) -> dict[str, list[bytes]]:
    return {path.name: path.read_bytes().splitlines() for path in sorted(folder.glob("*.ndjson"))}


def content(folder: Path) -> list[bytes]:
    return [line for part in files(folder).values() for line in part]


def texts(*parts: Sequence[Line]) -> list[bytes]:
    return [line.text for part in parts for line in part]


def test_lines_are_appended_and_segments_follow_each_other_by_size(folder: Path) -> None:
    for begin in range(0, 50, 10):
        store(folder, lines(begin, begin + 10), segment_bytes=900)
    assert {name: len(part) for name, part in files(folder).items()} == {
        "000001.ndjson": 20,
        "000002.ndjson": 20,
        "000003.ndjson": 10,
    }
    assert content(folder) == texts(lines(0, 50))


def test_a_file_cut_at_any_byte_is_completed_by_what_is_delivered_again(folder: Path) -> None:
    store(folder, lines(0, 6))
    segment = folder / "000001.ndjson"
    whole = segment.read_bytes()
    for size in range(len(whole) + 1):
        segment.write_bytes(whole[:size])
        store(folder, lines(0, 8))
        assert content(folder) == texts(lines(0, 8)), f"cut after {size} bytes"


def test_an_empty_segment_of_a_process_killed_when_it_began_one_is_no_end(folder: Path) -> None:
    store(folder, lines(0, 10))
    (folder / "000002.ndjson").touch()
    store(folder, lines(5, 15), segment_bytes=1)
    assert files(folder) == {"000001.ndjson": texts(lines(0, 10)), "000002.ndjson": texts(lines(10, 15))}


def test_lines_of_earlier_segments_that_are_delivered_again_are_recognised(folder: Path) -> None:
    for begin in range(0, 60, 10):
        store(folder, lines(begin, begin + 10), segment_bytes=1)
    store(folder, lines(15, 70), segment_bytes=1)
    store(folder, lines(0, 5), segment_bytes=1)
    assert content(folder) == texts(lines(0, 70))


def test_a_topic_created_anew_begins_a_segment_and_both_are_recognised_afterwards(folder: Path) -> None:
    store(folder, lines(0, 10))
    store(folder, lines(0, 4, "new"))
    store(folder, lines(2, 6, "new"))
    store(folder, lines(5, 10))
    store(folder, lines(6, 8, "new"))
    assert files(folder) == {"000001.ndjson": texts(lines(0, 10)), "000002.ndjson": texts(lines(0, 8, "new"))}


def test_a_line_longer_than_a_block_is_found(folder: Path) -> None:
    store(folder, lines(0, 2, "x" * 200_000))
    store(folder, lines(1, 4, "x" * 200_000))
    assert content(folder) == texts(lines(0, 4, "x" * 200_000))


def test_a_file_of_somebody_else_is_named_with_what_to_do(folder: Path) -> None:
    store(folder, lines(0, 2))
    (folder / "000001.ndjson").write_text("hello\n")
    with pytest.raises(
        SinkError, match=r"000001\.ndjson: a line was not written by this sink; move the file elsewhere"
    ):
        store(folder, lines(2, 3))


def test_other_files_in_the_folder_are_left_alone(folder: Path) -> None:
    folder.mkdir(parents=True)
    for name in ("000007.ndjson.gz", "notes.txt", "ndjson"):
        (folder / name).write_text("mine")
    store(folder, lines(0, 2))
    assert sorted(files(folder)) == ["000001.ndjson"]
    assert (folder / "000007.ndjson.gz").read_text() == "mine"


def test_a_second_writer_waits_for_the_first(folder: Path) -> None:
    store(folder, lines(0, 2))
    with segments._locked(folder), pytest.raises(SinkUnavailable, match="another process is writing there"):
        store(folder, lines(2, 4))
    store(folder, lines(2, 4))
    assert content(folder) == texts(lines(0, 4))


def test_a_root_folder_that_is_gone_is_not_created_again(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store(tmp_path / "unmounted" / "cx.surveys.v1" / "0", lines(0, 1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("seed", range(20))
def test_any_sequence_of_deliveries_cuts_and_sizes_stores_each_line_once(folder: Path, seed: int) -> None:
    dice = random.Random(seed)
    acknowledged = 0
    while acknowledged < 300:
        begin = dice.randint(max(0, acknowledged - 40), acknowledged)
        end = acknowledged + dice.randint(1, 40)
        store(folder, lines(begin, end), segment_bytes=dice.choice([1, 500, 10_000]))
        if dice.random() < 0.3:  # killed in the middle of the last write, which was not acknowledged
            newest = max(folder.glob("*.ndjson"))
            kept = sum(len(text) + 1 for text in newest.read_bytes().splitlines() if _offset(text) < acknowledged)
            newest.write_bytes(newest.read_bytes()[: dice.randint(kept, newest.stat().st_size)])
        else:
            acknowledged = end
    store(folder, lines(max(0, acknowledged - 80), 400))
    assert content(folder) == texts(lines(0, 400))


def _offset(text: bytes) -> int:
    return int(text.split(b'"offset":')[1].split(b",")[0])
