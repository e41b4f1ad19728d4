"""The guard of `conftest.py`: a test without a mark neither connects nor starts a program."""

import asyncio
import socket
import subprocess
import sys

import pytest

REFUSED = pytest.raises(pytest.fail.Exception, match=r"without one of the marks")
PROGRAM = [sys.executable, "-c", ""]


def test_an_unmarked_test_that_connects_fails() -> None:
    with socket.socket() as client, REFUSED:
        client.connect(("127.0.0.1", 9))


def test_an_unmarked_test_that_starts_a_program_fails() -> None:
    with REFUSED:
        subprocess.run(PROGRAM, check=True)


async def test_an_unmarked_test_that_starts_a_program_with_asyncio_fails() -> None:
    with REFUSED:
        await asyncio.create_subprocess_exec(*PROGRAM)


@pytest.mark.io
def test_a_marked_test_may_connect() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()


@pytest.mark.io
def test_a_marked_test_may_start_a_program() -> None:
    subprocess.run(PROGRAM, check=True)
