"""The folder of a demo, with its settings, logs and database; it is removed at the end unless it is kept."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from streams.local.embedded_broker import free_port
from streams.local.folders import new_folder
from streams.local.supervision import Child, child_environment
from streams.settings import DEFAULT_FILE, Settings, load

SESSION_TIMEOUT_S = 2
"""Short, because the embedded broker delays a new member of a group by it."""

_SETTINGS = """\
# the settings of a `cxstream demo`; other commands take this file with --config
[app]
id = "demo"
[kafka]
brokers = {broker}
partitions = 1  # the embedded broker slows down with the number of batches it stores
transactions = "off"
session_timeout = {session_timeout_s}
[clickhouse]
url = {database}
flush_seconds = 3  # fewer inserts leave fewer files to remove
[metrics]
streams_port = {streams_port}
sinks_port = {sinks_port}
[windows]
cuts = ["total", "touchpoint", "team", "channel"]
"""


@contextmanager
def workspace(keep: Path | None) -> Iterator[Path]:
    """A folder to run in: `keep`, which must be empty or new, or a temporary one.

    The temporary one is removed, unless the run fails and has written to a log. Raises `ConfigError`.
    """
    if keep is not None:
        yield new_folder(keep)
        return
    folder = Path(tempfile.mkdtemp(prefix="cxstream-demo-"))
    try:
        yield folder
    except BaseException:
        if not any(log.stat().st_size for log in folder.glob("*.log")):
            shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)


def write_settings(folder: Path, broker: str, first_port: int) -> Settings:
    """Write `cxstream.toml` and read it back. The metrics ports follow `first_port`; 0 takes free ones."""
    text = _SETTINGS.format(
        broker=json.dumps(broker),
        session_timeout_s=SESSION_TIMEOUT_S,
        database=json.dumps(f"chdb://{quote(str(folder / 'chdb'))}"),
        streams_port=first_port + 1 if first_port else free_port(),
        sinks_port=first_port + 2 if first_port else free_port(),
    )
    (folder / DEFAULT_FILE).write_text(text)
    return load(folder / DEFAULT_FILE, env={})


def start_in(folder: Path, *arguments: str) -> Child:
    """Start a command with the folder's settings; its log is named after the last argument."""
    name, temporary = arguments[-1], folder / "tmp"
    temporary.mkdir(exist_ok=True)
    return Child(
        f"the {name} process",
        [*arguments, "--config", str(folder / DEFAULT_FILE)],
        env=child_environment(temporary),
        log=folder / f"{name}.log",
    )
