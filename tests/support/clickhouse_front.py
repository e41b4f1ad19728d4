"""ClickHouse's HTTP interface over chDB, with faults: what a client sees of a server in trouble."""

import base64
import re
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from chdb.state import connect

Fault = Literal["dropped_after", "dropped_before", "answers_503", "answers_429", "slow"]
USER, PASSWORD = "cx", "s3cret"
_TRANSPORT = frozenset(
    {
        "query",
        "database",
        "query_id",
        "session_id",
        "wait_end_of_query",
        "default_format",
        "compress",
        "decompress",
        "buffer_size",
        "client_protocol_version",
        "enable_http_compression",
        "send_progress_in_http_headers",
        "http_headers_progress_interval_ms",
        "quota_key",
        "role",
    }
)
_STATUS = {60: 404, 81: 404, 516: 403}
_ROWS = re.compile(rb"^\s*(SELECT|WITH|SHOW|DESCRIBE|EXISTS)\b", re.IGNORECASE)
INSERT = re.compile(rb"^\s*INSERT\s+INTO\s+(?!cx_migrations)(\w+)", re.IGNORECASE)


class ClickHouseFront:
    """One server on a free port of 127.0.0.1; stop and start keep the port and the data.

    `attempts` lists the table and token of every insert that came.
    """

    def __init__(self, folder: str) -> None:
        self._engine = connect(folder)
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self.release = threading.Event()
        self.connections: set[socket.socket] = set()
        self.port = 0
        self.attempts: list[tuple[str, str]] = []

    def url(self, database: str, password: str = PASSWORD) -> str:
        return f"http://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        front = self

        class Handler(_Handler):
            owner = front

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        """Refuse connections from now on, as a server that is down."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            for connection in list(self.connections):  # a client may keep one open for its next request
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._thread.join()
            self._server = self._thread = None

    def close(self) -> None:
        self.release.set()
        self.stop()
        self._engine.close()

    @contextmanager
    def down(self) -> Iterator[None]:
        self.stop()
        try:
            yield
        finally:
            self.start()

    def fail_next_inserts(self, *faults: Fault) -> None:
        """The next inserts meet these faults, one each; `slow` waits, after execution, until `release` is set."""
        self.release.clear()
        self._faults = list(faults)

    def next_fault(self) -> Fault | None:
        return self._faults.pop(0) if self._faults else None

    def execute(self, sql: bytes, params: Mapping[str, str]) -> bytes:
        settings = {k: v for k, v in params.items() if k not in _TRANSPORT and not k.startswith("param_")}
        bound = {k.removeprefix("param_"): v for k, v in params.items() if k.startswith("param_")}
        with self._lock:
            self._run(f"USE `{params.get('database', 'default')}`")
            for name, value in settings.items():
                self._run(f"SET {name} = '{value}'")
            try:
                return self._run(sql.decode(), params.get("default_format", "TabSeparated"), bound)
            finally:
                for name in settings:
                    self._run(f"SET {name} = DEFAULT")

    def _run(self, sql: str, output: str = "TabSeparated", bound: Mapping[str, Any] | None = None) -> bytes:
        return bytes(self._engine.query(sql, output, params=dict(bound or {})).bytes() or b"")


class _Handler(BaseHTTPRequestHandler):
    owner: ClickHouseFront
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.owner.connections.add(self.connection)

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = urlsplit(self.path)
        params = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
        if parts.path == "/ping":
            self._answer(200, b"Ok.\n")
        elif not self._known():
            self._refuse(516, "Authentication failed: password is incorrect, or there is no user with such name")
        else:
            query = params.get("query", "").encode()
            self._perform(query + b"\n" + body if query else body, params)

    def _known(self) -> bool:
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        return self.headers.get("Authorization") == f"Basic {expected}"

    def _perform(self, sql: bytes, params: dict[str, str]) -> None:
        insert = INSERT.match(sql)
        if not insert:
            self._execute(sql, params)
            return
        named = insert[1].decode(), params.get("insert_deduplication_token", "")
        self.owner.attempts.append(named)
        fault = self.owner.next_fault()
        if fault in ("answers_503", "answers_429"):
            self._answer(int(fault.removeprefix("answers_")), b"busy\n")
        elif fault == "dropped_before":
            self._drop()
        elif fault == "dropped_after":
            self.owner.execute(sql, params)
            self._drop()
        else:
            self._execute(sql, params, wait=fault == "slow")

    def _execute(self, sql: bytes, params: dict[str, str], wait: bool = False) -> None:
        try:
            answer = self.owner.execute(sql, params)
        except RuntimeError as error:
            code = re.search(r"Code: (\d+)", str(error))
            self._refuse(int(code[1]) if code else 1002, str(error))
            return
        if wait:
            self.owner.release.wait(60)
        output = params.get("default_format", "TabSeparated")
        self._answer(200, answer, {"X-ClickHouse-Format": output} if _ROWS.match(sql) else {})

    def _refuse(self, code: int, text: str) -> None:
        body = text if text.startswith("Code:") else f"Code: {code}. DB::Exception: {text}"
        self._answer(_STATUS.get(code, 500), body.encode(), {"X-ClickHouse-Exception-Code": str(code)})

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        try:
            self.send_response(status)
            for name, value in {**(headers or {}), "X-ClickHouse-Timezone": "UTC"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except OSError:  # the client did not wait for the answer
            self.close_connection = True

    def _drop(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def finish(self) -> None:
        self.owner.connections.discard(self.connection)
        with suppress(OSError):  # dropped on purpose
            super().finish()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests look at `attempts` and `inserts`."""
