"""The one place where everything is put together; `faust -A streams.app worker` finds its app here."""

from collections.abc import Callable
from functools import partial
from typing import Any

from click import ClickException

from streams.core.stage1.definition import Definition
from streams.core.time.lateness import Lateness
from streams.errors import CxError
from streams.runtime.fatal import end_worker
from streams.runtime.faust_app import BatchApp
from streams.runtime.churn_model_watch import load_churn_model
from streams.runtime.sink_worker import SinkWorker
from streams.runtime.topics import verify_topics
from streams.runtime.worker import Ends, StreamsWorker
from streams.settings import Settings, load


def definition(settings: Settings) -> Definition:
    """How events are counted under these settings."""
    allowance, future = settings.seconds("lateness.allowance"), settings.seconds("lateness.future")
    return Definition(
        partitions=settings.kafka.partitions,
        cuts=settings.cuts(),
        lateness=Lateness.of(settings.spans(), allowance, future, settings.seconds("lateness.final_after")),
        horizon_ms=settings.seconds("ledger.horizon") * 1000,
        max_cells=settings.windows.max_cells,
        max_records=settings.ledger.max_records,
        churn_model=load_churn_model(settings),
        replay=settings.app.mode == "replay",
        hours=settings.business_hours(),
    )


def streams(
    settings: Settings, ends: Ends | None = None, failed: Callable[[BaseException], None] = end_worker
) -> StreamsWorker:
    """Both stages, ready to start; with `ends` a replay of the source topics up to there.

    `failed` is told of an error that makes going on impossible; a worker then ends at once.
    """
    return StreamsWorker(settings, definition(settings), ends, failed)


def sinks(settings: Settings) -> SinkWorker:
    """The worker that stores every topic in ClickHouse, ready to start."""
    from sinks.clickhouse import ClickHouseSink  # its client takes half a second that streams need not wait

    sink = ClickHouseSink(settings.clickhouse.url, flush_rows=settings.clickhouse.flush_rows)
    return SinkWorker(settings, sink, "clickhouse")


class _Refused(ClickException):
    """What Faust's command says in one line, where it would show a traceback."""

    exit_code = 2


def __getattr__(name: str) -> Any:
    """`app` is made when it is asked for, so that importing this module reads no settings."""
    if name == "app":
        return globals().setdefault("app", _app_for_faust())
    raise AttributeError(name)


def _app_for_faust() -> BatchApp:
    try:
        settings = load()
        app = streams(settings).app
    except CxError as error:
        raise _Refused(str(error)) from None
    app.check = partial(verify_topics, settings)  # as `cxstream worker` does, which says it in one line
    return app
