"""The Kubernetes base: builds, is valid, restricted, and agrees with the settings it ships."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.settings import ENV_PREFIX, load
from tests.deploy.tools import DEPLOY, run

pytestmark = pytest.mark.io
BASE = DEPLOY / "kubernetes" / "base"


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("kubernetes") / "manifest.yaml"
    path.write_text(run("kubectl", "kustomize", BASE))
    return path


@pytest.fixture(scope="module")
def resources(manifest: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(manifest.read_text()))


def pods(resources: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        resource["metadata"]["name"]: resource["spec"]["template"]["spec"]
        for resource in resources
        if "template" in resource.get("spec", {})
    }


def test_every_resource_is_valid(manifest: Path) -> None:
    run("kubernetes-validate", "--strict", manifest)


def test_every_pod_is_restricted(resources: list[dict[str, Any]]) -> None:
    assert set(pods(resources)) == {"streams", "sinks", "init"}
    for name, pod in pods(resources).items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["automountServiceAccountToken"] is False, name
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True, name
            assert context["allowPrivilegeEscalation"] is False, name
            assert container["resources"]["limits"]["memory"], name


def test_the_workers_accept_their_settings(resources: list[dict[str, Any]]) -> None:
    for pod in pods(resources).values():
        given = {
            variable["name"]: "http://cxstream@clickhouse:8123/cxstream"
            for variable in pod["containers"][0]["env"]
            if variable["name"].startswith(ENV_PREFIX) and variable["name"] != ENV_PREFIX + "CONFIG"
        }
        load(BASE / "cxstream.toml", given)


def test_probes_and_scrapes_use_the_ports_the_workers_listen_on(resources: list[dict[str, Any]]) -> None:
    metrics = load(BASE / "cxstream.toml", {}).metrics
    ports = {"streams": metrics.streams_port, "sinks": metrics.sinks_port}
    for name, port in ports.items():
        container = pods(resources)[name]["containers"][0]
        assert container["ports"] == [{"name": "metrics", "containerPort": port}]
        assert container["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": "metrics"}
        assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "metrics"}
        service = next(r for r in resources if r["kind"] == "Service" and r["metadata"]["name"] == name)
        assert service["spec"]["ports"][0]["port"] == port
