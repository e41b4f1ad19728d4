"""The churn model's file while a worker runs: a change is taken over, a wrong file is refused and the model stays."""

import logging
from pathlib import Path

import pytest

from streams.errors import ConfigError
from streams.runtime.churn_model_watch import ChurnModelWatch, load_churn_model, read_churn_model, shipped_churn_model
from tests.core.churn.test_churn_model_file import LEAST, SHIPPED
from tests.support.stream import settings_with


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "model.toml"
    path.write_text(LEAST)
    return path


@pytest.fixture
def watch(path: Path) -> ChurnModelWatch:
    watch = ChurnModelWatch(path, read_churn_model(path))
    assert (watch.poll(), watch.poll(), watch.poll()) == (None, None, None)
    return watch


def test_the_settings_name_the_model_or_else_it_is_the_shipped_one(path: Path) -> None:
    assert load_churn_model(settings_with()) is shipped_churn_model()
    assert load_churn_model(settings_with(risk={"enabled": False})) is None
    named = load_churn_model(settings_with(risk={"model": str(path)}))
    assert named is not None
    assert named.version == "mine-1"


def test_a_change_is_taken_over_when_it_reads_the_same_twice(path: Path, watch: ChurnModelWatch) -> None:
    path.write_text(SHIPPED)
    assert watch.poll() is None
    taken = watch.poll()
    assert taken is not None
    assert taken.name == shipped_churn_model().name == watch.model.name
    assert watch.poll() is None


@pytest.mark.parametrize("broken", ["format = 2", LEAST.replace("contacts", "mood"), LEAST.replace("1.5", "nan")])
def test_a_wrong_file_is_refused_once_and_the_old_model_stays(
    path: Path, watch: ChurnModelWatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    caplog.set_level(logging.INFO)
    before = watch.model
    path.write_text(broken)
    assert [watch.poll() for _ in range(4)] == [None] * 4
    assert (watch.refused, watch.model) == (1, before)
    [line] = caplog.messages
    assert str(path) in line
    assert before.name in line
    path.write_text(SHIPPED)
    assert [watch.poll(), watch.poll()][1] is not None


def test_a_file_that_is_deleted_or_no_text_is_refused_too(path: Path, watch: ChurnModelWatch) -> None:
    path.unlink()
    assert [watch.poll(), watch.poll(), watch.poll(), watch.refused] == [None, None, None, 1]
    path.write_bytes(b"\xff\xfe")
    assert [watch.poll(), watch.poll(), watch.refused] == [None, None, 2]
    path.write_text(LEAST)
    assert [watch.poll(), watch.poll()] == [None, None], "the model that is in use already"


def test_another_comment_does_not_make_another_model(path: Path, watch: ChurnModelWatch) -> None:
    path.write_text("# ours\n" + LEAST)
    assert [watch.poll(), watch.poll(), watch.refused] == [None, None, 0]


def test_the_shipped_model_is_not_watched() -> None:
    watch = ChurnModelWatch.of(settings_with(), shipped_churn_model())
    assert watch is not None
    assert watch.poll() is None
    assert ChurnModelWatch.of(settings_with(risk={"enabled": False}), None) is None


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"format = 2"])
def test_a_wrong_file_at_the_start_is_an_error_that_names_it(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "model.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"model\.toml: "):
        load_churn_model(settings_with(risk={"model": str(path)}))
