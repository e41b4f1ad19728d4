"""Every client gets the same, safe way to the broker; transactions are asked for, not assumed."""

import asyncio
import socket
import ssl
import time

import pytest
from aiokafka import AIOKafkaProducer
from faust.auth import SASLCredentials, SSLCredentials

from streams.errors import BrokerError, ConfigError
from streams.local.embedded_broker import EmbeddedBroker
from streams.runtime.connection import (
    aiokafka_options,
    brokers,
    connected,
    faust_broker,
    faust_credentials,
    kafka_python_options,
    transactions_supported,
)
from tests.support.apache_kafka import KafkaCluster
from tests.support.brokers import MakeSettings

SASL = {"security": "sasl_ssl", "username": "cx", "password": "secret"}


@pytest.mark.parametrize("text", ["", " , ", "kafka", "kafka:", ":9092", "kafka:0", "kafka:70000", "http://kafka:9092"])
def test_an_address_without_host_and_port_is_refused(make_settings: MakeSettings, text: str) -> None:
    with pytest.raises(ConfigError, match=r"^kafka\.brokers: .* is not host:port"):
        brokers(make_settings(text))


def test_several_brokers_reach_every_client(make_settings: MakeSettings) -> None:
    settings = make_settings("a:9092, [::1]:9093")
    assert aiokafka_options(settings)["bootstrap_servers"] == ["a:9092", "[::1]:9093"]
    assert kafka_python_options(settings)["bootstrap_servers"] == ["a:9092", "[::1]:9093"]
    assert faust_broker(settings) == ["kafka://a:9092", "kafka://[::1]:9093"]


def test_plaintext_needs_no_credentials(make_settings: MakeSettings) -> None:
    assert aiokafka_options(make_settings())["security_protocol"] == "PLAINTEXT"
    assert faust_credentials(make_settings()) is None


def test_a_password_always_travels_with_tls(make_settings: MakeSettings) -> None:
    settings = make_settings(kafka=SASL)
    options, credentials = aiokafka_options(settings), faust_credentials(settings)
    assert options["security_protocol"] == "SASL_SSL"
    assert options["sasl_plain_password"] == "secret"
    assert options["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert isinstance(credentials, SASLCredentials)
    assert credentials.protocol.value == "SASL_SSL"
    assert credentials.ssl_context


def test_tls_without_a_password_is_possible(make_settings: MakeSettings) -> None:
    settings = make_settings(kafka={"security": "ssl"})
    assert aiokafka_options(settings)["ssl_context"].check_hostname
    assert isinstance(faust_credentials(settings), SSLCredentials)


def test_an_unencrypted_password_must_be_allowed(make_settings: MakeSettings) -> None:
    clear = SASL | {"security": "sasl_plaintext"}
    for options in (aiokafka_options, kafka_python_options, faust_credentials):
        with pytest.raises(ConfigError, match="sends the password in clear"):
            options(make_settings(kafka=clear))
    allowed = make_settings(kafka=clear | {"allow_plaintext_password": True})
    assert aiokafka_options(allowed)["security_protocol"] == "SASL_PLAINTEXT"
    credentials = faust_credentials(allowed)
    assert isinstance(credentials, SASLCredentials)
    assert credentials.protocol.value == "SASL_PLAINTEXT"


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ({"security": "sasl_ssl", "password": "secret"}, "kafka.username"),
        ({"security": "sasl_ssl", "username": "cx"}, "kafka.username"),
        ({"password": "secret"}, "kafka.password"),
        ({"security": "ssl", "password": "secret"}, "kafka.password"),
        ({"security": "ssl", "ca_file": "/no/such/ca.pem"}, "kafka.ca_file"),
        ({"security": "ssl", "ca_file": __file__}, "kafka.ca_file"),
    ],
)
def test_contradictions_name_the_key(make_settings: MakeSettings, section: dict[str, str], key: str) -> None:
    with pytest.raises(ConfigError, match=f"^{key}: "):
        aiokafka_options(make_settings(kafka=section))


async def test_the_embedded_broker_has_no_transactions_and_asking_logs_no_error(
    embedded_broker: EmbeddedBroker, make_settings: MakeSettings, caplog: pytest.LogCaptureFixture
) -> None:
    assert not await transactions_supported(make_settings(embedded_broker.address))
    with pytest.raises(BrokerError, match='has no transactions: set kafka.transactions = "off"'):
        await transactions_supported(make_settings(embedded_broker.address, kafka={"transactions": "on"}))
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize(("wish", "expected"), [("auto", True), ("on", True), ("off", False)])
async def test_apache_kafka_has_transactions(
    kafka: KafkaCluster, make_settings: MakeSettings, wish: str, expected: bool
) -> None:
    assert await transactions_supported(make_settings(kafka.address, kafka={"transactions": wish})) is expected


async def test_transactions_that_are_off_are_not_asked_for(make_settings: MakeSettings) -> None:
    assert not await transactions_supported(make_settings("127.0.0.1:1", kafka={"transactions": "off"}))


async def test_asking_disturbs_no_running_producer(kafka: KafkaCluster, make_settings: MakeSettings) -> None:
    settings = make_settings(kafka.address)
    async with AIOKafkaProducer(**aiokafka_options(settings), transactional_id=f"{settings.app.id}-0") as producer:
        await producer.begin_transaction()
        assert await transactions_supported(settings)
        await producer.abort_transaction()


@pytest.mark.io
async def test_without_a_broker_there_is_no_answer_about_transactions(make_settings: MakeSettings) -> None:
    with pytest.raises(BrokerError, match="no broker at 127.0.0.1:1"):
        await transactions_supported(make_settings("127.0.0.1:1"))


@pytest.mark.io
@pytest.mark.slow
async def test_a_broker_that_never_answers_is_given_up(make_settings: MakeSettings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        with pytest.raises(BrokerError):
            await transactions_supported(make_settings(f"127.0.0.1:{silent.getsockname()[1]}"))
        assert time.monotonic() - started < 20


@pytest.mark.parametrize("failure", [None, OSError("refused")])
async def test_a_client_that_is_cancelled_while_it_connects_ends_connecting_first(failure: OSError | None) -> None:
    begun, answered, order = asyncio.Event(), asyncio.Event(), list[str]()

    async def start() -> None:
        begun.set()
        await answered.wait()
        order.append("connected")
        if failure:
            raise failure

    waiting = asyncio.ensure_future(connected(start()))
    await begun.wait()
    waiting.cancel()
    asyncio.get_running_loop().call_soon(answered.set)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert order == ["connected"]


async def test_a_client_that_cannot_connect_raises_its_error() -> None:
    async def start() -> None:
        raise OSError("refused")

    with pytest.raises(OSError, match="refused"):
        await connected(start())
