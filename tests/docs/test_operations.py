"""docs/operations.md names tests that exist, and what it says about the state is tried out on the embedded broker."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from kafka.admin import KafkaAdminClient

from schemas.catalogue import CHANGELOG, PANES, SCORES
from streams.local.embedded_broker import EmbeddedBroker
from streams.runtime.topics import create_topics
from streams.settings import Settings
from tests.docs.commands import ROOT
from tests.docs.deployments import (
    Start,
    anew,
    changed,
    delete_topic,
    n_of_windows,
    run_until_settled,
    send_some,
    settings_of,
)
from tests.faults.agreement import settled
from tests.faults.processes import Worker, until
from tests.faults.readback import read
from tests.faults.traffic import WINDOWS

PAGE = ROOT / "docs" / "operations.md"
EXIT_HOLE, EXIT_STATE = 3, 5


def sections() -> dict[str, list[str]]:
    """The tests that each section of the page names, as `path::name`."""
    parts = re.split(r"^## (.+)$", PAGE.read_text(), flags=re.MULTILINE)[1:]
    texts = zip(parts[::2], parts[1::2], strict=True)
    return {title: re.findall(r"`(tests/[\w/]+\.py::test_\w+)`", text) for title, text in texts}


@pytest.mark.parametrize("section", sections())
def test_each_section_names_tests_and_they_exist(section: str) -> None:
    assert sections()[section], f"docs/operations.md: {section}: name the tests that show this"
    for named in sections()[section]:
        path, _, name = named.partition("::")
        assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), re.MULTILINE), f"there is no {named}"


def test_the_page_names_every_test_that_tries_it_out() -> None:
    named = {name for names in sections().values() for name in names}
    for path in ("tests/docs/test_operations.py", "tests/docs/test_operations_kafka.py"):
        own = re.findall(
            r"^def (test_\w+)\([^)]*\b(?:deployment|fresh_kafka):", (ROOT / path).read_text(), re.MULTILINE
        )
        assert {f"{path}::{name}" for name in own} <= named


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A worker has counted some input on a broker of its own, and has ended. A test leaves it as it was."""
    with EmbeddedBroker() as broker:
        settings = settings_of(broker.address, partitions=2)
        create_topics(settings)
        send_some(settings, seed=1)
        worker = Worker("streams", settings, tmp_path_factory.mktemp("first"))
        try:
            settled(lambda: [worker], settings)
            assert worker.stop() == 0
        finally:
            worker.kill()
        yield settings


OTHER_CUTS = {"cuts": ["total", "channel"]}


@pytest.mark.broker
@pytest.mark.parametrize(
    ("also", "code", "message"),
    [
        ({}, EXIT_STATE, "the state was written with other windows, cuts"),
        ({"app": {"id": "another"}}, EXIT_STATE, "the state was written with other windows, cuts"),
        ({"kafka": {"prefix": "another."}}, EXIT_HOLE, "acknowledged without being in the state"),
    ],
    ids=["cut", "cut-and-id", "cut-and-prefix"],
)
def test_a_changed_cut_is_refused_unless_id_and_prefix_are_new(
    deployment: Settings, start: Start, also: dict[str, dict[str, Any]], code: int, message: str
) -> None:
    settings = changed(deployment, windows=OTHER_CUTS, **also)
    create_topics(settings)
    state = read(deployment, CHANGELOG.name)
    worker = start(settings)
    assert worker.wait(60) == code
    assert message in worker.said.splitlines()[-1]
    assert read(deployment, CHANGELOG.name) == state, "the settings before can still go on with it"


@pytest.mark.broker
def test_a_new_id_with_a_new_prefix_counts_everything_anew_beside_the_old_one(
    deployment: Settings, start: Start
) -> None:
    before = n_of_windows(deployment)
    rebuilt = anew(deployment, "cuts", windows=OTHER_CUTS)
    create_topics(rebuilt)
    run_until_settled(start, rebuilt)
    after = n_of_windows(rebuilt)
    assert {cut for _, cut, _, _ in after} == {"total", "channel"}
    total = {key: n for key, n in before.items() if key[1] == "total"}
    assert {key: after[key] for key in total} == total
    assert n_of_windows(deployment) == before


@pytest.mark.broker
def test_a_window_shorter_than_the_longest_of_its_panes_comes_and_goes_without_a_rebuild(
    deployment: Settings, start: Start
) -> None:
    without = anew(deployment, "windows")
    create_topics(without)
    run_until_settled(start, without)
    run_until_settled(start, changed(without, windows={"lengths": [*WINDOWS, "12h"]}))
    added = {key: n for key, n in n_of_windows(without).items() if key[3] == "12h"}
    assert added
    worker = start(without)
    worker.wait_ready()
    assert worker.stop() == 0
    assert {key: n for key, n in n_of_windows(without).items() if key[3] == "12h"} == added


@pytest.mark.broker
def test_offsets_of_the_group_may_be_lost(deployment: Settings, start: Start) -> None:
    with KafkaAdminClient(bootstrap_servers=deployment.kafka.brokers) as client:
        client.delete_groups([deployment.group("streams")])
    run_until_settled(start, deployment)


@pytest.mark.broker
def test_lost_scores_are_published_again_at_the_next_start(deployment: Settings, start: Start) -> None:
    before = n_of_windows(deployment)
    delete_topic(deployment, SCORES.name)
    create_topics(deployment)
    assert not n_of_windows(deployment)
    run_until_settled(start, deployment)
    assert n_of_windows(deployment) == before


@pytest.mark.broker
def test_lost_panes_make_windows_too_low_and_nothing_reports_it(deployment: Settings, start: Start) -> None:
    settings = anew(deployment, "panes")
    create_topics(settings)
    run_until_settled(start, settings)
    before = n_of_windows(settings)
    delete_topic(settings, PANES.name)
    create_topics(settings)
    worker = start(settings)
    until("windows are too low", lambda: len(n_of_windows(settings)) < len(before), 60)
    assert worker.stop() == 0
