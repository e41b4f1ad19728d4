"""The composition root: settings become workers. `faust -A streams.app worker` finds its app here."""

from functools import partial
from typing import Any

from click import ClickException

from streams.core.stage1.definition import Definition
from streams.core.time.lateness import Lateness
from streams.errors import CxError
from streams.runtime.churn_model_watch import load_churn_model
from streams.runtime.fatal import OnFatal, end_worker
from streams.runtime.faust_app import BatchApp
from streams.runtime.opening import Ends
from streams.runtime.sink_worker import SinkWorker
from streams.runtime.topics import verify_topics
from streams.runtime.worker import StreamsWorker
from streams.settings import Settings, load
from streams.settings.configured_sinks import ConfiguredSink


def definition(settings: Settings) -> Definition:
    """The definition of all computations under these settings."""
    allowance, future = settings.seconds("lateness.allowance"), settings.seconds("lateness.future")
    return Definition(
        partitions=settings.kafka.partitions,
        cuts=settings.cuts(),
        lateness=Lateness.for_spans(settings.spans(), allowance, future, settings.seconds("lateness.final_after")),
        horizon_ms=settings.seconds("ledger.horizon") * 1000,
        max_cells=settings.windows.max_cells,
        max_records=settings.ledger.max_records,
        churn_model=load_churn_model(settings),
        replay=settings.app.mode == "replay",
        hours=settings.business_hours(),
    )


def streams(settings: Settings, ends: Ends | None = None, on_fatal: OnFatal = end_worker) -> StreamsWorker:
    """Both stages, ready to start; with `ends` a replay of the source topics up to there.

    `on_fatal` is called with an error after which the worker cannot go on; by default the process ends at once.
    """
    return StreamsWorker(settings, definition(settings), ends, on_fatal)


def sink(settings: Settings, configured: ConfiguredSink) -> SinkWorker:
    """The worker that stores the topics in one of `configured_sinks(settings)`, ready to start."""
    return SinkWorker(settings, configured)


class _Refused(ClickException):
    """An error that Faust's command reports in one line instead of a traceback."""

    exit_code = 2


def __getattr__(name: str) -> Any:
    """Build `app` at its first use, so that importing this module reads no settings."""
    if name == "app":
        return globals().setdefault("app", _app_for_faust())
    raise AttributeError(name)


def _app_for_faust() -> BatchApp:
    try:
        settings = load()
        app = streams(settings).app
    except CxError as error:
        raise _Refused(str(error)) from None
    app.check = partial(verify_topics, settings)  # as `cxstream worker` does before it starts
    return app
