"""The listener answers Prometheus and probes on one address; if the address is taken, the error names the fix."""

import socket
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from prometheus_client import CollectorRegistry, Gauge

from streams.errors import ConfigError
from streams.runtime.http import Listener

pytestmark = pytest.mark.io


class Verdicts:
    """What the two probes find; None is well."""

    healthy: str | None = None
    ready: str | None = "reading the state of partitions [0]"


@pytest.fixture
def verdicts() -> Verdicts:
    return Verdicts()


@pytest.fixture
async def listener(verdicts: Verdicts) -> AsyncIterator[Listener]:
    registry = CollectorRegistry()
    Gauge("cxstream_sink_up", "Whether the last flush was stored", registry=registry).set(1)
    made = Listener("127.0.0.1", 0, registry, lambda: verdicts.healthy, lambda: verdicts.ready)
    await made.on_start()
    yield made
    await made.on_stop()


async def get(listener: Listener, path: str) -> tuple[int, str, str]:
    async with ClientSession() as session, session.get(f"http://127.0.0.1:{listener.port}{path}") as answer:
        return answer.status, await answer.text(), answer.headers["Content-Type"]


async def test_port_0_takes_a_free_one_and_names_it(listener: Listener) -> None:
    assert listener.port > 0


async def test_metrics_are_what_the_registry_holds(listener: Listener) -> None:
    status, text, kind = await get(listener, "/metrics")
    assert status == 200
    assert "cxstream_sink_up 1.0" in text
    assert kind.startswith("text/plain; version=")


async def test_probes_name_the_problem(listener: Listener, verdicts: Verdicts) -> None:
    assert (await get(listener, "/healthz"))[:2] == (200, "ok\n")
    assert (await get(listener, "/readyz"))[:2] == (503, "reading the state of partitions [0]\n")
    verdicts.healthy, verdicts.ready = "input waits", None
    assert (await get(listener, "/healthz"))[:2] == (503, "input waits\n")
    assert (await get(listener, "/readyz"))[:2] == (200, "ok\n")


async def test_no_other_path_is_served(listener: Listener) -> None:
    assert (await get(listener, "/"))[0] == 404


async def test_a_taken_port_is_named_with_the_setting_that_moves_it() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        second = Listener("127.0.0.1", taken.getsockname()[1], CollectorRegistry(), lambda: None, lambda: None)
        with pytest.raises(ConfigError, match=r"cannot listen on 127\.0\.0\.1.*set another metrics\.streams_port"):
            await second.on_start()
        await second.on_stop()
