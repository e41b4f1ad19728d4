"""docker-compose.yml: valid, closed to the outside, started in order, with settings the workers accept."""

import re
from typing import Any

import pytest
import yaml

from streams.settings import ENV_PREFIX, load
from tests.deploy.tools import DEPLOY, ROOT, run

FILE = ROOT / "docker-compose.yml"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())["services"]
WORKERS = ("streams", "sinks")
OURS = ("init", *WORKERS)


def substituted(value: str) -> str:
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)


@pytest.mark.io
def test_the_file_follows_the_compose_specification() -> None:
    run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", FILE)


def test_every_published_port_is_on_the_loopback() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_every_image_names_its_version() -> None:
    images = [service["image"] for service in SERVICES.values()]
    assert [image for image in images if not re.search(r":[v\d][\d.]+$|^cxstream:local$", image)] == []


@pytest.mark.parametrize("worker", WORKERS)
def test_workers_can_be_scaled_and_start_after_topics_and_tables_exist(worker: str) -> None:
    service = SERVICES[worker]
    assert service["depends_on"] == {"init": {"condition": "service_completed_successfully"}}
    assert "container_name" not in service
    assert "ports" not in service, "a fixed port of the host cannot be shared by several workers"


def test_what_runs_for_long_is_watched_and_started_again() -> None:
    for name, service in SERVICES.items():
        if name != "init":
            assert "healthcheck" in service, name
            assert service["restart"] == "unless-stopped", name


def test_every_file_that_is_mounted_exists() -> None:
    mounts = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", ())]
    files = [ROOT / mount for mount in mounts if mount.startswith("./")]
    assert files
    assert [file for file in files if not file.exists()] == []


@pytest.mark.parametrize("name", OURS)
def test_the_workers_accept_their_settings(name: str) -> None:
    environment = {
        key: substituted(value)
        for key, value in SERVICES[name]["environment"].items()
        if key.startswith(ENV_PREFIX) and key != ENV_PREFIX + "CONFIG"
    }
    settings = load(DEPLOY / "compose" / "cxstream.toml", environment)
    assert settings.kafka.brokers == "kafka:19092"
    assert "INSIDE://kafka:19092" in SERVICES["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
    assert settings.clickhouse.url == "http://cxstream:cxstream@clickhouse:8123/cxstream"


def test_prometheus_scrapes_the_ports_the_workers_listen_on() -> None:
    settings = load(DEPLOY / "compose" / "cxstream.toml", {})
    scraped = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    targets = {
        discovery["names"][0]: discovery["port"] for job in scraped for discovery in job.get("dns_sd_configs", ())
    }
    assert targets == {"streams": settings.metrics.streams_port, "sinks": settings.metrics.sinks_port}
