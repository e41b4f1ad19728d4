"""`cxstream check`: the settings in effect, and every problem with its key."""

import tomllib
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from streams.cli.main import main
from streams.settings import Settings, load
from streams.settings.rendering import HIDDEN, to_toml
from tests.support.brokers import MakeSettings


def check(folder: Path, text: str = "", *options: str) -> Result:
    path = folder / "cxstream.toml"
    path.write_text(text)
    return CliRunner().invoke(main, ["check", "--config", str(path), *options])


def test_the_output_is_a_file_with_the_same_settings(tmp_path: Path) -> None:
    owner = '"touchpoint:Straße \\"Ost\\"" = "mail@example.org"'
    given = f'[kafka]\npartitions = 12\n[owners]\n{owner}\n[lateness]\nfuture = "1h"'
    result = check(tmp_path, given)
    assert result.exit_code == 0, result.output
    again = tmp_path / "again.toml"
    again.write_text(result.stdout)
    assert load(again, {}) == load(tmp_path / "cxstream.toml", {})
    assert load(again, {}).kafka.partitions == 12


def test_the_output_without_settings_is_the_defaults(tmp_path: Path) -> None:
    result = check(tmp_path)
    assert result.exit_code == 0, result.output
    assert msgspec.convert(tomllib.loads(result.stdout), Settings) == Settings()


def test_passwords_are_hidden(make_settings: MakeSettings) -> None:
    settings = make_settings(
        kafka={"security": "sasl_ssl", "username": "cx", "password": "s3cret"},
        clickhouse={"url": "https://cx:s3c@ret@db.example:8443/cxstream"},
        sinks={"urls": ["other://cx:s3cret@store.example/x"]},
    )
    text = to_toml(settings)
    assert "s3c" not in text
    assert "ret@" not in text
    assert f'password = "{HIDDEN}"' in text
    assert f'url = "https://cx:{HIDDEN}@db.example:8443/cxstream"' in text
    assert f'urls = ["other://cx:{HIDDEN}@store.example/x"]' in text


def test_every_problem_is_a_line_that_names_its_key(tmp_path: Path) -> None:
    mapping = tmp_path / "mine.toml"
    mapping.write_text("topic = 1")
    result = check(tmp_path, '[kafka]\nbrokers = "here"\n[clickhouse]\nurl = "mysql://x"', "--mapping", str(mapping))
    assert (result.exit_code, result.stdout) == (2, "")
    lines = result.stderr.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("cxstream: kafka.brokers: 'here' is not host:port")
    assert lines[1].startswith("cxstream: clickhouse.url: ")
    assert str(mapping) in lines[2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[sinks]\nurls = ["s3://bucket"]', "sinks.urls: no sink takes a URL that begins with 's3'"),
        (
            '[sinks]\nurls = ["ndjson://out"]',
            "sinks.urls: 'ndjson://out' is no absolute folder; write ndjson:///folder",
        ),
        ("[kafka]\nbrokerz = 1", "kafka.brokerz: no such setting"),
        ("[kafka]\npartitions = 0", "kafka.partitions: Expected `int` >= 1"),
        ("[windows]\ncuts = ['shop']", "windows.cuts: 'shop' is no cut"),
        ("[kafka", "not valid TOML"),
    ],
)
def test_a_broken_configuration_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    result = check(tmp_path, text)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("cxstream: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
