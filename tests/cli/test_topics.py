"""`cxstream topics` against real brokers."""

import socket
import time

import pytest
from click.testing import Result

from schemas.catalogue import TOPICS
from tests.support.commands import in_process, refusal


def topics(address: str, *options: str) -> Result:
    return in_process("topics", *options, CXSTREAM_KAFKA_BROKERS=address)


@pytest.mark.parametrize("options", [[], ["--create"]])
def test_it_creates_what_is_missing_and_verifies(any_broker: str, options: list[str]) -> None:
    first, second = topics(any_broker, *options), topics(any_broker, *options)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout.count("created  ") == second.stdout.count("exists   ") == len(TOPICS)
    assert f"{len(TOPICS)} topics with 4 partitions each at {any_broker}" in second.stdout


def test_verify_creates_nothing(any_broker: str) -> None:
    for _ in range(2):
        result = topics(any_broker, "--verify")
        assert result.exit_code == 2
        assert "lacks cx.tickets.v1" in result.stderr
    topics(any_broker)
    assert topics(any_broker, "--verify").exit_code == 0


def test_list_needs_no_broker() -> None:
    result = topics("127.0.0.1:1", "--list")
    assert result.exit_code == 0
    assert [line.split()[0] for line in result.stdout.splitlines()] == [topic.name for topic in TOPICS]


@pytest.mark.io
def test_a_broker_that_never_answers_is_given_up_in_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        started = time.monotonic()
        line = refusal("topics", "--verify", CXSTREAM_KAFKA_BROKERS=address)
        assert time.monotonic() - started < 15
    assert line == f"cxstream: no broker at {address}: start it or set kafka.brokers"
