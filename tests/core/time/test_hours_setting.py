"""Opening hours that cannot be read are refused by name, before anything starts."""

from pathlib import Path

import pytest

from streams.errors import ConfigError
from streams.settings import load


def settings_file(folder: Path, text: str) -> Path:
    path = folder / "cxstream.toml"
    path.write_text(f"[hours]\n{text}\n")
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('zone = "Mars/Olympus"', r"hours\.zone: 'Mars/Olympus' is no time zone; write one .* \"Europe/Berlin\""),
        ('zone = ""', r"hours\.zone: '' is no time zone"),
        ('open = ["always"]', r"hours\.open: 'always': write opening hours as"),
        ('open = ["mon-fri 09:00-17:00"]\nholidays = ["Easter"]', r"hours\.holidays: 'Easter': write a holiday as"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named_with_its_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^{message}"):
        load(settings_file(tmp_path, text), {})


def test_without_opening_hours_only_calendar_time_is_counted(tmp_path: Path) -> None:
    assert load(settings_file(tmp_path, 'zone = "Europe/Berlin"'), {}).business_hours() is None


def test_opening_hours_can_be_set_by_environment_variables() -> None:
    env = {"CXSTREAM_HOURS_OPEN": "mon-fri 09:00-17:00,sat 10:00-12:00", "CXSTREAM_HOURS_ZONE": "Europe/Berlin"}
    hours = load(None, env).business_hours()
    assert hours is not None
    assert [len(day) for day in hours.week] == [1, 1, 1, 1, 1, 1, 0]
