"""The file and the environment become settings; a mistake names its key and the fix."""

from pathlib import Path

import pytest

from streams.errors import ConfigError
from streams.settings import Settings, load


def load_text(folder: Path, text: str, **env: str) -> Settings:
    path = folder / "cxstream.toml"
    path.write_text(text)
    return load(path, env)


def test_without_a_file_all_settings_have_their_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(env={}) == Settings()


def test_the_file_in_the_working_directory_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cxstream.toml").write_text("[kafka]\npartitions = 7")
    assert load(env={}).kafka.partitions == 7


def test_the_environment_overrides_the_file_with_typed_values(tmp_path: Path) -> None:
    settings = load_text(
        tmp_path,
        "[kafka]\npartitions = 7\nreplication = 3",
        CXSTREAM_KAFKA_PARTITIONS="9",
        CXSTREAM_WINDOWS_LENGTHS="1h, 24h,",
        CXSTREAM_RISK_ENABLED="false",
        CXSTREAM_CLICKHOUSE_FLUSH_SECONDS="0.5",
    )
    assert (settings.kafka.partitions, settings.kafka.replication) == (9, 3)
    assert settings.windows.lengths == ["1h", "24h"]
    assert settings.risk.enabled is False
    assert settings.clickhouse.flush_seconds == 0.5


def test_variables_that_are_not_settings_are_left_alone(tmp_path: Path) -> None:
    environment = {"CXSTREAM_BROKER_BIN": "/bin/x", "CXSTREAM_DATA": "/data", "CXSTREAM_FAUST_ANY": "1", "PATH": "/bin"}
    assert load_text(tmp_path, "", **environment) == Settings()


@pytest.mark.parametrize(
    ("text", "env", "message"),
    [
        ("", {"CXSTREAM_KAFKA_BROKERZ": "x:1"}, "CXSTREAM_KAFKA_BROKERZ: there is no setting kafka.brokerz; see"),
        ("", {"CXSTREAM_KAFFEE_BROKERS": "x:1"}, "CXSTREAM_KAFFEE_BROKERS: there is no setting kaffee.brokers; see"),
        ("", {"CXSTREAM_KAFKA_PARTITIONS": "many"}, "kafka.partitions: Expected `int`, got `str`"),
        ("[kafka]\nbrokerz = 1", {}, "kafka.brokerz: no such setting; see docs/configuration.md"),
        ("[kaffee]\nbrokers = 1", {}, "kaffee: no such setting; see docs/configuration.md"),
        ("[metrics]\nsinks_port = 65536", {}, "metrics.sinks_port: Expected `int` <= 65535"),
        ("[kafka", {}, "cxstream.toml: not valid TOML"),
    ],
)
def test_a_mistake_names_the_key_and_the_fix(tmp_path: Path, text: str, env: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as raised:
        load_text(tmp_path, text, **env)
    assert message in str(raised.value)


@pytest.mark.parametrize("named_by", ["option", "environment"])
def test_a_file_that_is_named_must_exist(tmp_path: Path, named_by: str) -> None:
    path = tmp_path / "absent.toml"
    with pytest.raises(ConfigError, match=r"absent\.toml: no such file; create it or drop the option that names it"):
        load(path, {}) if named_by == "option" else load(env={"CXSTREAM_CONFIG": str(path)})
