"""`cxstream replay` beside a live deployment: its output, the topics it leaves, and its refusals."""

import asyncio
import json
import subprocess
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient

from streams.local.embedded_broker import EmbeddedBroker
from streams.runtime.topics import create_topics
from streams.settings import Settings
from tests.support.brokers import make_settings
from tests.support.commands import in_process, own_process, refusal
from tests.support.replays import NOON, answer, send

pytestmark = pytest.mark.broker

HOUR = 3_600_000


@pytest.fixture
def live(fresh_broker: EmbeddedBroker) -> Settings:
    """A deployment with all its topics."""
    settings = make_settings(fresh_broker.address, kafka={"partitions": 2})
    create_topics(settings)
    return settings


def environment(settings: Settings) -> dict[str, str]:
    return {
        "CXSTREAM_KAFKA_BROKERS": settings.kafka.brokers,
        "CXSTREAM_KAFKA_PREFIX": settings.kafka.prefix,
        "CXSTREAM_KAFKA_PARTITIONS": "2",
        "CXSTREAM_APP_ID": settings.app.id,
    }


def replay(settings: Settings, folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    return own_process("replay", *options, folder=folder, timeout_s=120, variables=environment(settings))


def topics(settings: Settings) -> set[str]:
    with KafkaAdminClient(bootstrap_servers=settings.kafka.brokers) as client:
        return set(client.list_topics())


async def test_a_replay_prints_its_windows_and_leaves_nothing_behind(live: Settings, tmp_path: Path) -> None:
    before = topics(live)
    await send(live.kafka.brokers, [answer(n, NOON + n * HOUR, 10) for n in range(48)])
    options = ["--window", "24h", "--cut", "total", "--score", "nps", "--every", "12h", "--format", "ndjson"]
    done = replay(live, tmp_path, *options)
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(r["end"], r["n"], r["value"]) for r in records] == [
        ("2024-01-02T00:00:00Z", 12, 100.0),
        ("2024-01-02T12:00:00Z", 24, 100.0),
        ("2024-01-03T00:00:00Z", 24, 100.0),
        ("2024-01-03T11:05:00Z", 24, 100.0),
    ]
    assert all(record["final"] and record["window"] == "24h" for record in records)
    assert "cx.surveys.v1: 48 received = 48 accepted" in done.stderr
    assert topics(live) == before


async def test_a_kept_replay_has_topics_of_its_own_and_its_name_is_taken(live: Settings, tmp_path: Path) -> None:
    await send(live.kafka.brokers, [answer(1, NOON, 10)])
    before = topics(live)
    done = replay(live, tmp_path, "--name", "march", "--keep")
    assert done.returncode == 0, done.stderr
    added = topics(live) - before
    assert {name.removeprefix(f"{live.kafka.prefix}replay-march.") for name in added} == {
        "cx.rekeyed.v1",
        "cx.intake-changelog.v1",
        "cx.panes.v1",
        "cx.scores.v1",
        "cx.risk.v1",
        "cx.rejects.v1",
    }
    line = await asyncio.to_thread(refusal, "replay", "--name", "march", **environment(live))
    assert "a replay of this name was kept" in line
    assert topics(live) == before | added


def test_without_records_a_line_says_so(live: Settings) -> None:
    result = in_process("replay", **environment(live))
    assert (result.exit_code, result.stdout) == (0, "")
    assert "the source topics hold no records" in result.stderr


def test_it_creates_no_source_topic(fresh_broker: EmbeddedBroker) -> None:
    settings = make_settings(fresh_broker.address)
    assert "lacks cx.tickets.v1" in refusal("replay", **environment(settings))
    assert not [name for name in topics(settings) if name.startswith("cx.")]


@pytest.mark.parametrize(
    ("option", "text", "reason"),
    [
        ("--window", "soon", "not a duration"),
        ("--cut", "colour", "is no cut"),
        ("--every", "7", "not a duration"),
        ("--score", "happiness", "there is no 'happiness'"),
        ("--name", "a b", "cannot be part of a topic's name"),
    ],
)
def test_a_wrong_option_is_one_line(option: str, text: str, reason: str) -> None:
    line = refusal("replay", option, text)
    assert f"{option}: " in line
    assert reason in line
