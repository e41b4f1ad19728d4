"""`cxstream demo` as a new user meets it: scores soon, a last table, and no process or file left behind."""

import os
import random
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from streams.local.embedded_broker import BINARY, HOST
from tests.support.commands import in_process
from tests.support.processes import mentioning, wait_until

ROOT = Path(__file__).parents[2]
WITHIN = 120.0
"""Seconds for anything, on a busy machine."""

ON_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
FIRST_LINE = "cxstream demo: a simulated company"
ROW = re.compile(
    r"^ (?P<cell>\S+) +(?P<nps>\S+) +(?:\S+ … \S+|–) +(?P<n>[\d,]+|–) +(?:–|\S+ s|\S+ min) "
    r"+(?P<reference>\S+) +(?P<reference_n>\S+) ",
    re.MULTILINE,
)

pytestmark = [pytest.mark.broker, pytest.mark.slow]


class Run:
    """A demo in a process of its own, its temporary files in `folder`, its output in files beside it."""

    def __init__(self, folder: Path, *arguments: str, terminal: bool, env: Mapping[str, str]) -> None:
        self.folder = folder / "tmp"
        self.folder.mkdir(parents=True)
        self._out, self._err = folder / "out", folder / "err"
        ours = {"PYTHONPATH": str(ROOT), "TMPDIR": str(self.folder), "TERM": "xterm", "COLUMNS": "120", "LINES": "50"}
        command = [sys.executable, *(["-c", ON_A_TERMINAL, sys.executable] if terminal else []),
                   "-m", "streams.cli.main", "demo", *arguments]  # fmt: skip
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                command, cwd=folder, env=os.environ | ours | dict(env), stdin=subprocess.PIPE, stdout=out, stderr=err
            )

    @property
    def out(self) -> str:
        return self._out.read_text(errors="replace")

    @property
    def err(self) -> str:
        return self._err.read_text(errors="replace")

    def waits_for(self, text: str) -> None:
        """Return when the output matches the pattern."""
        ended = self.process.poll
        wait_until(f"{text} in {self.out}", lambda: re.search(text, self.out) or ended() is not None, WITHIN)
        assert re.search(text, self.out), self.err

    def press_ctrl_c(self) -> None:
        assert self.process.stdin
        self.process.stdin.write(b"\x03")
        self.process.stdin.flush()

    def exit_code(self) -> int:
        """The exit code, once it has ended."""
        return self.process.wait(WITHIN)

    @property
    def left(self) -> dict[int, str]:
        """The processes of the demo that still run."""
        return mentioning(str(self.folder))

    def child(self, text: str) -> int:
        """Process id of the one child whose command line contains the text."""
        (pid,) = (pid for pid, line in self.left.items() if text in line)
        return pid


@contextmanager
def running(
    folder: Path, *arguments: str, terminal: bool = False, env: Mapping[str, str] | None = None
) -> Iterator[Run]:
    run = Run(folder, *arguments, terminal=terminal, env=env or {})
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait()
        if run.process.stdin:
            run.process.stdin.close()


def last_table(out: str) -> dict[str, re.Match[str]]:
    """The rows of the last table, by cell."""
    return {row["cell"]: row for row in ROW.finditer(out[out.rindex(" touchpoint ") :])}


def three_free_ports() -> int:
    """The first of them; not of those that the system gives to anybody who connects."""
    for first in random.Random().sample(range(20_000, 32_000), 100):
        with ExitStack() as taken:
            try:
                for port in range(first, first + 3):
                    taken.enter_context(socket.socket()).bind((HOST, port))
            except OSError:
                continue
            return first
    pytest.fail("no three free ports in a row")


def number(text: str) -> int:
    return int(text.replace(",", "").replace("−", "-"))


def test_without_a_terminal_it_ends_by_itself_with_a_last_table_and_leaves_nothing(tmp_path: Path) -> None:
    port = three_free_ports()
    with running(tmp_path, "--seconds", "21", "--port", str(port), env={"CXSTREAM_KAFKA_BROKERS": "nowhere:1"}) as run:
        assert run.exit_code() == 0, run.err
    assert run.err == ""
    assert "\x1b" not in run.out
    rows = last_table(run.out)
    assert len(rows) == 13
    assert number(rows["total"]["n"]) > 50
    assert sum(row["n"] != "–" for row in rows.values()) > 9
    assert "staged incident (billing, app): under way" in run.out
    assert re.search(r"([\d,]+) events sent, \1 received", run.out)
    assert not run.left
    assert not mentioning(f"127.0.0.1:{port}")
    assert not list(run.folder.iterdir())


def test_ctrl_c_in_a_terminal_ends_all_of_it(tmp_path: Path) -> None:
    with running(tmp_path, terminal=True) as run:
        run.waits_for("live 00:0[1-9]")
        wait_until("both workers", lambda: {"streams", "sinks"} <= set(re.findall(r"--only (\w+)", str(run.left))))
        run.press_ctrl_c()
        assert run.exit_code() == 0, run.out
    assert "Traceback" not in run.out
    assert "everything has ended" in run.out
    assert number(last_table(re.sub(r"\x1b\[[0-9;?]*\w|\r", "", run.out))["total"]["n"]) > 0
    assert not run.left
    assert not list(run.folder.iterdir())


@pytest.mark.parametrize("text", [FIRST_LINE, "settings", "loading"])
def test_ctrl_c_while_it_starts_ends_all_of_it(tmp_path: Path, text: str) -> None:
    with running(tmp_path, terminal=True) as run:
        run.waits_for(text)
        run.press_ctrl_c()
        assert run.exit_code() == 0, run.out
    assert "Traceback" not in run.out
    wait_until(f"the end of {run.left}", lambda: not run.left)
    assert not list(run.folder.iterdir())


def test_ctrl_c_ends_it_also_where_a_script_had_it_ignored(tmp_path: Path) -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell does for what it runs in the background
    try:
        with running(tmp_path, terminal=True) as run:
            run.waits_for(FIRST_LINE)
            run.press_ctrl_c()
            assert run.exit_code() == 0, run.out
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_it_also_while_a_named_tuple_is_made(tmp_path: Path) -> None:
    (tmp_path / "interrupted.py").write_text(
        "import signal\n"
        "from streams.cli import demo\n"
        "demo.workspace = lambda keep: eval('signal.raise_signal(signal.SIGINT)', globals())\n"
        "demo.command([])\n"
    )
    process = subprocess.run(
        [sys.executable, "-m", "interrupted"], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False
    )
    assert process.returncode == 0


def test_killed_it_leaves_no_process_behind(tmp_path: Path) -> None:
    port = three_free_ports()
    with running(tmp_path, "--port", str(port)) as run:
        run.waits_for("live")
        wait_until("the sinks process", lambda: "--only sinks" in str(run.left))
        run.process.kill()
        wait_until(f"the end of {run.left}", lambda: not run.left and not mentioning(f"127.0.0.1:{port}"))


def test_a_worker_that_dies_is_named_and_all_others_end(tmp_path: Path) -> None:
    port = three_free_ports()
    with running(tmp_path, "--port", str(port)) as run:
        run.waits_for("live")
        os.kill(run.child("--only streams"), signal.SIGKILL)
        assert run.exit_code() == 128 + signal.SIGKILL
    assert re.fullmatch(r"cxstream: the streams process ended with 137: .+; its log: (.+/streams\.log)\n", run.err)
    assert Path(run.err.split()[-1]).stat().st_size
    assert not run.left
    assert not mentioning(f"127.0.0.1:{port}")


def test_a_broker_that_dies_is_named_and_all_others_end(tmp_path: Path) -> None:
    port = three_free_ports()
    with running(tmp_path, "--port", str(port)) as run:
        run.waits_for("live")
        (broker,) = (pid for pid, line in mentioning(f"127.0.0.1:{port}").items() if "broker" in line)
        os.kill(broker, signal.SIGKILL)
        assert run.exit_code() == 2
    assert re.match(r"cxstream: the embedded broker ended with -9", run.err)
    assert len(run.err.splitlines()) == 1
    assert not run.left


def test_a_kept_database_has_the_values_of_the_last_table(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    with running(tmp_path, "--seconds", "2", "--keep", str(kept)) as run:
        assert run.exit_code() == 0, run.err
    total = last_table(run.out)["total"]
    question = (
        f"from chdb.session import Session; print(Session('{kept}/chdb').query(\"SELECT round(value), n "
        "FROM scores_latest WHERE score = 'nps' AND cut = 'total' AND window = '7d'\", 'CSV'))"
    )
    answer = subprocess.run([sys.executable, "-c", question], capture_output=True, text=True, check=True).stdout
    assert [int(float(part)) for part in answer.split(",")] == [
        number(total["reference"]),
        number(total["reference_n"]),
    ]
    assert {path.name for path in kept.glob("*.log")} == {"streams.log", "sinks.log", "migrate.log"}

    with running(tmp_path / "again", "--keep", str(kept)) as again:
        assert again.exit_code() == 2
    assert again.err == f"cxstream: --keep {kept}: the folder is not empty; name a new one\n"


def test_a_broker_that_cannot_start_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    with running(tmp_path, env={BINARY: "/no/such/tansu"}) as run:
        assert run.exit_code() == 2
    assert run.err.startswith(f"cxstream: {BINARY}: /no/such/tansu is not executable")
    assert len(run.err.splitlines()) == 1
    assert not list(run.folder.iterdir())


@pytest.fixture
def signal_handlers() -> Iterator[None]:
    """Restores the handlers that a demo in this process replaces."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("signal_handlers")
def test_a_folder_that_cannot_be_made_is_one_line_and_exit_code_2() -> None:
    result = in_process("demo", "--keep", "/proc/cxdemo")
    assert result.exit_code == 2
    assert result.stderr.startswith("cxstream: --keep /proc/cxdemo: ")
    assert len(result.stderr.splitlines()) == 1
