"""Passwords and certificates, against an Apache Kafka that asks for them."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth

from streams.errors import BrokerError
from streams.runtime.connection import aiokafka_options, faust_credentials, transactions_supported
from streams.runtime.offsets import high_watermarks
from streams.runtime.topics import create_topics, verify_topics
from tests.support import loud
from tests.support.apache_kafka import KafkaCluster
from tests.support.brokers import MakeSettings
from tests.support.jars import Unavailable

pytestmark = [pytest.mark.kafka, pytest.mark.slow]

STORE_PASSWORD = "store-password"
LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"


class Secured(NamedTuple):
    """A broker that wants TLS and a password, and the certificate it shows."""

    cluster: KafkaCluster
    certificate: Path

    def kafka(self, **changed: Any) -> dict[str, Any]:
        """Section `kafka` of settings that it accepts."""
        accepted = {"security": "sasl_ssl", "username": "cx", "password": "secret", "ca_file": str(self.certificate)}
        return accepted | changed


def keytool(*arguments: str) -> bytes:
    tool = shutil.which("keytool")
    if not tool:
        loud.skip("Apache Kafka with TLS: keytool is missing; install a Java 17 runtime")
    return subprocess.run([tool, *arguments, "-storepass", STORE_PASSWORD], check=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    folder = tmp_path_factory.mktemp("tls")
    store, certificate = folder / "broker.p12", folder / "ca.pem"
    keytool(
        "-genkeypair",
        "-alias",
        "broker",
        "-keyalg",
        "EC",
        "-validity",
        "2",
        "-dname",
        "CN=broker",
        "-ext",
        "san=ip:127.0.0.1",
        "-storetype",
        "PKCS12",
        "-keystore",
        str(store),
    )
    certificate.write_bytes(keytool("-exportcert", "-rfc", "-alias", "broker", "-keystore", str(store)))
    properties = {
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.client.plain.sasl.jaas.config": f'{LOGIN} user_cx="secret";',
        "ssl.keystore.location": str(store),
        "ssl.keystore.password": STORE_PASSWORD,
        "ssl.keystore.type": "PKCS12",
    }
    try:
        cluster = KafkaCluster(1, "SASL_SSL", properties)
    except Unavailable as missing:
        loud.skip(f"Apache Kafka: {missing}")
    with cluster:
        yield Secured(cluster, certificate)


async def test_every_client_gets_through_with_the_right_password(secured: Secured, make_settings: MakeSettings) -> None:
    settings = make_settings(secured.cluster.address, kafka=secured.kafka())
    create_topics(settings)
    verify_topics(settings)
    assert await transactions_supported(settings)
    async with AIOKafkaProducer(**aiokafka_options(settings), acks="all") as producer:
        await producer.send_and_wait("cx.surveys.v1", b"value", partition=0)
    partition = TopicPartition("cx.surveys.v1", 0)
    assert await high_watermarks(aiokafka_options(settings), [partition], "read_committed") == {partition: 1}


def test_faust_gets_the_same_credentials(secured: Secured, make_settings: MakeSettings) -> None:
    settings = make_settings(secured.cluster.address, kafka=secured.kafka())
    ours, faust = aiokafka_options(settings), dict(credentials_to_aiokafka_auth(faust_credentials(settings)))
    assert faust.pop("ssl_context").get_ca_certs() == ours.pop("ssl_context").get_ca_certs()
    assert faust == {key: value for key, value in ours.items() if key != "bootstrap_servers"}


@pytest.mark.parametrize(
    "changed", [{"password": "wrong"}, {"ca_file": ""}, {"security": "plaintext", "username": "", "password": ""}]
)
async def test_a_refused_login_is_reported_in_one_sentence(
    secured: Secured, make_settings: MakeSettings, changed: dict[str, str]
) -> None:
    settings = make_settings(secured.cluster.address, kafka=secured.kafka(**changed))
    with pytest.raises(BrokerError, match=f"no broker at {secured.cluster.address}"):
        await transactions_supported(settings)
