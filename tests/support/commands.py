"""`cxstream` as tests run it: in this process, which is quick, or in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from click.testing import CliRunner, Result

from streams.cli.main import main

ROOT = Path(__file__).parents[2]


def in_process(*arguments: str, **variables: str | None) -> Result:
    """The command in this process, with no settings in the environment but `variables`."""
    cleared: dict[str, str | None] = {name: None for name in os.environ if name.startswith("CXSTREAM_")}
    return CliRunner().invoke(main, arguments, env=cleared | variables)


def refusal(*arguments: str, **variables: str | None) -> str:
    """The only line of a command that is refused with exit code 2, without its line end; run in this process."""
    result = in_process(*arguments, **variables)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    (line,) = result.stderr.splitlines()
    assert result.stderr == f"{line}\n"
    return line


def own_process(
    *arguments: str, folder: Path, variables: Mapping[str, str] | None = None, timeout_s: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, with `folder` as working directory and no settings but `variables`."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("CXSTREAM_")}
    path = os.pathsep.join([str(ROOT), env.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "streams.cli.main", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
        env=env | dict(variables or {}) | {"PYTHONPATH": path},
    )
