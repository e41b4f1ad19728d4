"""The image: a clean Dockerfile that copies only what exists and what the context lets in."""

import re

import pytest

from tests.deploy.tools import DEPLOY, ROOT, run

DOCKERFILE = DEPLOY / "Dockerfile"


@pytest.mark.io
def test_hadolint_finds_nothing() -> None:
    run("hadolint", DOCKERFILE)


def test_everything_copied_is_in_the_build_context() -> None:
    copied = [
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE.read_text(), re.MULTILINE)
        for source in line.split()[:-1]
    ]
    admitted = re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    assert copied
    assert [source for source in copied if not (ROOT / source).exists()] == []
    assert [source for source in copied if source.split("/")[0] not in admitted] == []


def test_the_image_does_not_run_as_root() -> None:
    assert re.findall(r"^USER (\d+)$", DOCKERFILE.read_text(), re.MULTILINE)[-1] == "10001"
