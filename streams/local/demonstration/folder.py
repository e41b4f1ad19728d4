"""Where a demo lives: a folder with its settings, logs and database, gone at the end unless it is kept."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from streams.errors import ConfigError
from streams.local.embedded_broker import free_port
from streams.local.supervision import Child, environment
from streams.settings import DEFAULT_FILE, Settings, load

SESSION_SECONDS = 2
"""The embedded broker lets a new member of a group wait for it, so it is short."""

_SETTINGS = """\
# what `cxstream demo` ran with; other commands take it by --config
[app]
id = "demo"
[kafka]
brokers = {broker}
partitions = 1  # the embedded broker slows down with the number of batches it holds
transactions = "off"
session_timeout = {session}
[clickhouse]
url = {database}
flush_seconds = 3  # fewer inserts leave fewer files to remove
[metrics]
streams_port = {streams}
sinks_port = {sinks}
[windows]
cuts = ["total", "touchpoint", "team", "channel"]
"""


@contextmanager
def workspace(keep: Path | None) -> Iterator[Path]:
    """A folder to run in: `keep`, which must be empty or new, or a temporary one.

    The temporary one is removed, unless somebody failed and left a log there. Raises `ConfigError`.
    """
    if keep is not None:
        yield _fresh(keep)
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
        session=SESSION_SECONDS,
        database=json.dumps(f"chdb://{quote(str(folder / 'chdb'))}"),
        streams=first_port + 1 if first_port else free_port(),
        sinks=first_port + 2 if first_port else free_port(),
    )
    (folder / DEFAULT_FILE).write_text(text)
    return load(folder / DEFAULT_FILE, env={})


def start_in(folder: Path, *arguments: str) -> Child:
    """Start a command with the folder's settings; its log is called after the last word."""
    name, temporary = arguments[-1], folder / "tmp"
    temporary.mkdir(exist_ok=True)
    return Child(
        f"the {name} process",
        [*arguments, "--config", str(folder / DEFAULT_FILE)],
        env=environment(temporary),
        log=folder / f"{name}.log",
    )


def _fresh(keep: Path) -> Path:
    try:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            # the broker starts at offset 0 again: its records would be taken for those of the run before
            raise ConfigError(f"--keep {keep}: the folder is not empty; name a new one")
    except OSError as error:
        raise ConfigError(f"--keep {keep}: {error.strerror}; name a folder that can be written to") from None
    return keep.resolve()
