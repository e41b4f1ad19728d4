"""The guard of `conftest.py`: a test without a mark does not get onto the network."""

import socket

import pytest


def test_an_unmarked_test_that_connects_fails() -> None:
    with socket.socket() as client, pytest.raises(pytest.fail.Exception, match=r"without one of the marks"):
        client.connect(("127.0.0.1", 9))


@pytest.mark.io
def test_a_marked_one_may() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
