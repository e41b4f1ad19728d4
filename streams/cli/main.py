"""`cxstream`: a table of commands, of which only the one that runs is imported."""

import logging
from importlib import import_module
from typing import Any

import click

from streams.errors import CxError

COMMANDS = (
    ("demo", "streams.cli.demo", "Run everything on this machine on a simulated company, and watch the scores."),
    ("try", "streams.cli.try_", "Compute the scores of your own export on this machine; no server, no Docker."),
    ("worker", "streams.cli.worker", "Read events, compute windows, publish and store them, until stopped."),
    ("check", "streams.cli.check", "Check the settings and mappings, and print the settings in effect."),
    ("doctor", "streams.cli.doctor", "Examine broker, topics, sinks, ports and versions; name the fixes."),
    ("topics", "streams.cli.topics", "Create, verify or list the topics."),
    ("migrate", "streams.cli.migrate", "Bring the tables of the sinks up to date."),
    ("import", "streams.cli.import_", "Send an export (CSV, TSV, NDJSON) to a source topic, by a mapping file."),
    ("replay", "streams.cli.replay", "Compute windows in event time over what the source topics hold."),
    ("fit", "streams.cli.fit", "Fit a churn model to labelled customers, and measure how well it predicts."),
    ("schemas", "streams.cli.schemas", "Write the JSON Schemas and the AsyncAPI document, or check them."),
)
"""Every command: its name, the module that defines it as `command`, and its line in `cxstream --help`."""

_CLIENT_LOGGERS = ("aiokafka", "clickhouse_connect", "faust", "kafka", "mode")


class _Commands(click.Group):
    """Imports a command when it is needed; reports a `CxError` in one line, any other error with its traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name, _, _ in COMMANDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        module = next((module for name, module, _ in COMMANDS if name == cmd_name), None)
        if module is None:
            return None
        command: click.Command = import_module(module).command
        # click keeps the lines after \b as they are; in a raw docstring \b is two characters
        command.help = (command.help or "").replace("\\b\n", "\b\n")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, _, text in COMMANDS])

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CxError as error:
            for line in str(error).splitlines():
                click.echo(f"cxstream: {line}", err=True)
            ctx.exit(error.exit_code)


@click.group(
    "cxstream",
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Settings come from cxstream.toml and CXSTREAM_SECTION_KEY in the environment; "
    "`cxstream check` shows them. Example:  cxstream demo --seconds 60",
)
@click.version_option(package_name="cxstream")
def main() -> None:
    """Satisfaction signals as a stream: ticket, call and survey events in, rolling scores with their intervals out."""
    for name in _CLIENT_LOGGERS:
        # without a handler their warnings would go to stderr, beside our one line with the fix
        logging.getLogger(name).addHandler(logging.NullHandler())


if __name__ == "__main__":
    main(prog_name="cxstream")
