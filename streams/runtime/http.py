"""The worker's HTTP listener: /metrics for Prometheus, /healthz for restarts, /readyz for traffic."""

from collections.abc import Callable

from aiohttp import web
from mode import Service
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from streams.errors import ConfigError

Check = Callable[[], str | None]
"""Returns None if all is well, otherwise what is wrong."""


class Listener(Service):
    """Serves on one address while the app runs; for port 0, `port` is the free one that was bound."""

    def __init__(self, host: str, port: int, registry: CollectorRegistry, healthy: Check, ready: Check) -> None:
        self.port = port
        self._host = host
        self._registry = registry
        self._checks = {"/healthz": healthy, "/readyz": ready}
        self._runner: web.AppRunner | None = None
        super().__init__()

    async def on_start(self) -> None:
        """Bind the address. Raises `ConfigError` if the port is taken."""
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        for path in self._checks:
            app.router.add_get(path, self._check)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        try:
            await site.start()
        except OSError as error:
            raise ConfigError(
                f"metrics: cannot listen on {self._host}:{self.port} ({error.strerror}); "
                "set another metrics.streams_port / metrics.sinks_port, or 0 for a free one"
            ) from None
        self.port = self._runner.addresses[0][1]

    async def on_stop(self) -> None:
        """Release the address."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def _check(self, request: web.Request) -> web.Response:
        wrong = self._checks[request.path]()
        return web.Response(text=(wrong or "ok") + "\n", status=503 if wrong else 200)
