"""Ports for servers that take seconds to bind them."""

import random
import socket

from streams.local.embedded_broker import HOST

_RANGE = range(12_000, 32_000)
"""Below the ports that Linux and macOS give to clients, one of which could otherwise take the port meanwhile."""


def free_port() -> int:
    """A random TCP port of the loopback interface that is free now and that no client is given."""
    while True:
        port = random.choice(_RANGE)
        with socket.socket() as listener:
            try:
                listener.bind((HOST, port))
            except OSError:
                continue
            return port
