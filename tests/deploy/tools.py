"""Runs the validators: those of the lock file must be there, Debian's may be missing and are skipped loudly."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
DEBIAN = {"promtool": "prometheus", "amtool": "prometheus-alertmanager"}


def find(tool: str) -> str:
    """Path of a program of this environment or this machine."""
    found = shutil.which(tool, path=str(Path(sys.executable).parent)) or shutil.which(tool)
    if found:
        return found
    if tool in DEBIAN:
        pytest.skip(f"{tool} is not installed, so this stays unchecked: apt-get install {DEBIAN[tool]}")
    pytest.fail(f"{tool} is locked in requirements/dev.txt but not installed: run make venv")


def run(tool: str, *arguments: str | Path, cwd: Path = ROOT) -> str:
    """What the program prints; the test fails with that when it is not content."""
    done = subprocess.run(
        [find(tool), *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
    )
    output = done.stdout + done.stderr
    if done.returncode:
        pytest.fail(f"{tool} {' '.join(map(str, arguments))}\n{output}")
    return output
