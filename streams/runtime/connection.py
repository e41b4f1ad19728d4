"""How every client reaches the broker, and whether the broker has transactions."""

import asyncio
import logging
import re
import ssl
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import aiokafka.errors
from aiokafka import AIOKafkaProducer
from faust.auth import SASLCredentials, SSLCredentials
from faust.types.auth import CredentialsT

from streams.errors import BrokerError, ConfigError
from streams.settings import Settings

_PROBE_S = 10.0
"""How long a broker may take to answer whether it has transactions; a new one creates a topic first."""

_ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):([0-9]{1,5})")
_NO_TRANSACTIONS = (
    aiokafka.errors.UnknownError,
    aiokafka.errors.UnsupportedVersionError,
    aiokafka.errors.IncompatibleBrokerVersion,
)


def brokers(settings: Settings) -> list[str]:
    """The bootstrap servers as `host:port`; raises `ConfigError` for anything else."""
    servers = [part.strip() for part in settings.kafka.brokers.split(",") if part.strip()]
    for server in servers or [""]:
        address = _ADDRESS.fullmatch(server)
        if not address or not 0 < int(address[2]) < 65_536:
            raise ConfigError(
                f'kafka.brokers: {server!r} is not host:port; write for example "kafka-1:9092,kafka-2:9092"'
            )
    return servers


def aiokafka_options(settings: Settings) -> dict[str, Any]:
    """Keyword arguments for any aiokafka client; raises `ConfigError` if settings contradict each other."""
    security = settings.kafka.security.upper()
    options: dict[str, Any] = {"bootstrap_servers": brokers(settings), "security_protocol": security}
    context = _ssl_context(settings)
    if context:
        options["ssl_context"] = context
    return options | _sasl(settings)


def kafka_python_options(settings: Settings, timeout_s: float = 5.0) -> dict[str, Any]:
    """Keyword arguments for kafka-python's clients, which give up on the broker after `timeout_s` seconds."""
    return aiokafka_options(settings) | {"bootstrap_timeout_ms": round(timeout_s * 1000), "request_timeout_ms": 15_000}


async def connected(start: Coroutine[Any, Any, object]) -> None:
    """Wait for a client's `start()`. A cancellation takes effect only after `start()` has ended.

    An aiokafka client that is cancelled while it connects never closes its socket.
    """
    starting = asyncio.ensure_future(start)
    try:
        await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait({starting})
        _ = starting.cancelled() or starting.exception()  # retrieved, so that asyncio does not log it
        raise


def faust_broker(settings: Settings) -> list[str]:
    """The `broker` setting of a Faust app."""
    return [f"kafka://{server}" for server in brokers(settings)]


def faust_credentials(settings: Settings) -> CredentialsT | None:
    """The `broker_credentials` of a Faust app.

    Faust sends a password unencrypted if it is given no SSL context. A password therefore always comes with one,
    unless `kafka.allow_plaintext_password` is set.
    """
    context, sasl = _ssl_context(settings), _sasl(settings)
    if sasl:
        return SASLCredentials(username=settings.kafka.username, password=settings.kafka.password, ssl_context=context)
    return SSLCredentials(context) if context else None


def no_broker(settings: Settings) -> BrokerError:
    """The error for a broker that does not answer, or not to us."""
    refused = "" if settings.kafka.security == "plaintext" else ", or it refused us: check kafka.security and the rest"
    return BrokerError(f"no broker at {settings.kafka.brokers}: start it or set kafka.brokers{refused}")


async def transactions_supported(settings: Settings) -> bool:
    """Whether checkpoints are transactions: `kafka.transactions` asks for them and the broker has them.

    Asks the broker for a producer id, unless the setting is "off". Raises `BrokerError` if it is "on" and the broker
    has no transactions, and if the broker does not answer. Going on without transactions then was rejected: two
    workers without them would overwrite each other's state.
    """
    setting = settings.kafka.transactions
    if setting == "off":
        return False
    supported = await _probe(settings)
    if setting == "on" and not supported:
        raise BrokerError(
            f'the broker at {settings.kafka.brokers} has no transactions: set kafka.transactions = "off" '
            "(one worker only) or use Apache Kafka"
        )
    return supported


async def _probe(settings: Settings) -> bool:
    # "unknown error" may be temporary; twice in a row it is how the embedded broker answers that it has none
    return await _opens_transactions(settings) or await _opens_transactions(settings)


@contextmanager
def _without_probe_errors() -> Iterator[None]:
    """Keep the client from logging an error when the broker answers that it has no transactions."""

    def is_other_error(record: logging.LogRecord) -> bool:
        return not record.msg.startswith("Unexpected error during InitProducerIdRequest")

    sender = logging.getLogger("aiokafka.producer.sender")
    sender.addFilter(is_other_error)
    try:
        yield
    finally:
        sender.removeFilter(is_other_error)


async def _opens_transactions(settings: Settings) -> bool:
    producer = AIOKafkaProducer(
        **aiokafka_options(settings), transactional_id=f"{settings.app.id}-probe", request_timeout_ms=5_000
    )
    try:
        with _without_probe_errors():
            async with asyncio.timeout(_PROBE_S):
                await producer.start()
    except _NO_TRANSACTIONS:
        return False
    except aiokafka.errors.KafkaConnectionError:
        raise no_broker(settings) from None
    except (TimeoutError, aiokafka.errors.KafkaError) as error:
        raise BrokerError(
            f"the broker at {settings.kafka.brokers} did not open a transaction "
            f"({_reason(error)}): see its log and the rights on transactional ids "
            f'"{settings.app.id}-*", or set kafka.transactions = "off" (one worker only)'
        ) from None
    finally:
        await producer.stop()
    return True


def _reason(error: BaseException) -> str:
    return f"no answer in {_PROBE_S:g} s" if isinstance(error, TimeoutError) else type(error).__name__


def _ssl_context(settings: Settings) -> ssl.SSLContext | None:
    if "ssl" not in settings.kafka.security:
        return None
    try:
        return ssl.create_default_context(cafile=settings.kafka.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"kafka.ca_file: {settings.kafka.ca_file}: {error}; name a PEM file") from None


def _sasl(settings: Settings) -> dict[str, str]:
    kafka = settings.kafka
    if not kafka.security.startswith("sasl_"):
        if kafka.password:
            raise ConfigError(
                f'kafka.password: not used while kafka.security is "{kafka.security}"; '
                'set kafka.security = "sasl_ssl", or drop the password'
            )
        return {}
    if not (kafka.username and kafka.password):
        raise ConfigError(
            f'kafka.username: kafka.security = "{kafka.security}" needs kafka.username and kafka.password'
        )
    if kafka.security == "sasl_plaintext" and not kafka.allow_plaintext_password:
        raise ConfigError(
            "kafka.security: sasl_plaintext sends the password in clear; use sasl_ssl, "
            "or set kafka.allow_plaintext_password = true"
        )
    return {"sasl_mechanism": "PLAIN", "sasl_plain_username": kafka.username, "sasl_plain_password": kafka.password}
