"""`cxstream doctor` and `cxstream migrate` on a real broker and a real chDB."""

import socket
from pathlib import Path

import pytest

from tests.support.commands import in_process, own_process, refusal

pytestmark = pytest.mark.io


def levels(output: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in output.splitlines():
        level, subject, _ = line.split(maxsplit=2)
        found.setdefault(subject, set()).add(level)
    return found


def environment(address: str, **variables: str) -> dict[str, str]:
    """A broker, no sink and free ports, unless `variables` say otherwise."""
    settings = {"KAFKA_BROKERS": address, "CLICKHOUSE_URL": "", "METRICS_STREAMS_PORT": "0", "METRICS_SINKS_PORT": "0"}
    return {f"CXSTREAM_{name}": value for name, value in (settings | variables).items()}


@pytest.mark.slow
def test_it_fails_until_topics_and_tables_exist(any_broker: str, tmp_path: Path) -> None:
    env = environment(any_broker, CLICKHOUSE_URL=f"chdb://{tmp_path}/db")
    before = own_process("doctor", folder=tmp_path, variables=env)
    assert before.returncode == 2
    assert levels(before.stdout)["topics"] == levels(before.stdout)["sinks"] == {"FAIL"}
    assert "create with `cxstream topics`" in before.stdout
    assert "run `cxstream migrate`" in before.stdout

    assert own_process("topics", folder=tmp_path, variables=env).returncode == 0
    assert own_process("migrate", folder=tmp_path, variables=env).stdout.count("applied ") > 0
    again = own_process("migrate", folder=tmp_path, variables=env)
    assert again.stdout == f"chdb://{tmp_path}/db is up to date\n"

    after = own_process("doctor", folder=tmp_path, variables=env)
    assert after.returncode == 0, after.stdout
    assert levels(after.stdout)["topics"] == levels(after.stdout)["sinks"] == {"ok"}
    assert (after.stderr, before.stderr) == ("", "")


def test_it_names_the_state_of_every_configured_sink(tmp_path: Path) -> None:
    none = in_process("doctor", **environment("127.0.0.1:1")).stdout
    assert "warn  sinks     none is configured: nothing is stored; set clickhouse.url or sinks.urls" in none
    files = in_process("doctor", **environment("127.0.0.1:1", SINKS_URLS=f"ndjson://{tmp_path}/out")).stdout
    assert f"ok    sinks     ndjson://{tmp_path}/out: created when the worker starts, " in files
    assert "metrics.sinks_port (ndjson) takes a free one" in files
    assert "clickhouse" not in files
    wrong = in_process("doctor", **environment("127.0.0.1:1", SINKS_URLS="s3://x")).stdout
    assert "FAIL  sinks     sinks.urls: no sink takes a URL that begins with 's3'" in wrong
    assert list(tmp_path.iterdir()) == []


def test_migrate_names_the_sinks_that_need_no_migrations(tmp_path: Path) -> None:
    done = in_process("migrate", CXSTREAM_CLICKHOUSE_URL="", CXSTREAM_SINKS_URLS=f"ndjson://{tmp_path}/out")
    assert (done.exit_code, done.stdout) == (0, f"ndjson://{tmp_path}/out needs no migrations\n")


def test_it_names_whether_the_broker_has_transactions(any_broker: str) -> None:
    output = in_process("doctor", **environment(any_broker)).stdout
    kafka = "has transactions: checkpoints are fenced" in output
    embedded = "has no transactions: run one worker only" in output
    assert kafka != embedded
    assert levels(output)["broker"] == ({"ok"} if kafka else {"ok", "warn"})


def test_an_absent_broker_and_database_fail_with_the_fix() -> None:
    done = in_process("doctor", **environment("127.0.0.1:1", CLICKHOUSE_URL="http://127.0.0.1:1/cxstream"))
    assert done.exit_code == 2
    assert "FAIL  broker    no broker at 127.0.0.1:1: start it or set kafka.brokers" in done.stdout
    assert levels(done.stdout)["sinks"] == {"FAIL"}
    assert done.stderr == ""


def test_ports_in_use_and_open_to_the_network_are_warned_of() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        env = environment("127.0.0.1:1", METRICS_STREAMS_PORT=str(port))
        used = in_process("doctor", **env).stdout
        wide = in_process("doctor", **env, CXSTREAM_METRICS_HOST="0.0.0.0").stdout
    assert f"warn  ports     metrics.streams_port {port} is in use" in used
    assert "warn  ports     metrics.host 0.0.0.0 is reachable from outside" in wide


def test_an_address_of_another_machine_fails() -> None:
    env = environment("127.0.0.1:1", METRICS_HOST="192.0.2.1", METRICS_STREAMS_PORT="9464")
    output = in_process("doctor", **env).stdout
    assert "FAIL  ports     metrics.streams_port: cannot listen on 192.0.2.1:9464" in output


def test_migrate_reports_an_absent_database_in_one_line() -> None:
    line = refusal("migrate", CXSTREAM_CLICKHOUSE_URL="http://127.0.0.1:1/cxstream")
    assert line.startswith("cxstream: http://127.0.0.1:1/cxstream: not available")
