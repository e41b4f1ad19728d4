"""The folder of `--keep` is created or empty; another one is refused with the fix."""

from pathlib import Path

import pytest

from streams.errors import ConfigError
from streams.local.folders import new_folder


def test_a_new_folder_is_created_with_its_parents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert new_folder(Path("a/b")) == tmp_path / "a" / "b"
    assert (tmp_path / "a" / "b").is_dir()


def test_an_empty_folder_is_accepted(tmp_path: Path) -> None:
    assert new_folder(tmp_path) == tmp_path


def test_a_folder_with_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=f"^--keep {tmp_path}: the folder is not empty; name a new one$"):
        new_folder(tmp_path)


@pytest.mark.parametrize("path", ["file", "file/below"])
def test_a_path_that_cannot_be_a_folder_is_refused(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"^--keep .*: .+; name a folder that can be written to$"):
        new_folder(tmp_path / path)
