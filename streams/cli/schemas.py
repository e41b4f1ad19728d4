"""`cxstream schemas`: write the JSON Schemas and the AsyncAPI document, or check that they are up to date."""

from pathlib import Path

import click

from schemas import generate
from streams.errors import ConfigError, CxError


@click.command("schemas")
@click.option("--check", is_flag=True, help="Write nothing; fail where a file is not up to date.")
@click.option("--breaking", is_flag=True, help="Write even what breaks users of the present files.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder of the files.  [default: schemas/generated of a checkout]",
)
def command(check: bool, breaking: bool, folder: Path | None) -> None:
    """Write the JSON Schema of every topic, and one AsyncAPI document, from the structs.

    A change that would break those who send or read these records is refused: give the topic a
    new version instead. Before a first release, --breaking writes it all the same. An installed
    package is checked but never written to; with --folder the files go somewhere else.

    Example:  cxstream schemas --check
    """
    if folder is None:
        folder = generate.FOLDER
        if not check:
            _require_checkout(folder)
    problems = [] if breaking else generate.incompatibilities(folder)
    problems += generate.drift(folder) if check else []
    if problems:
        raise CxError("\n".join(problems))
    if check:
        click.echo(f"{folder}: up to date")
        return
    changed = generate.write(folder)
    for name in changed:
        click.echo(f"{folder / name}: {'written' if (folder / name).exists() else 'removed'}")
    click.echo(f"{len(changed)} changed, {len(generate.documents()) - len(changed)} unchanged")


def _require_checkout(folder: Path) -> None:
    package = folder.parent
    if not (package.parent / "pyproject.toml").exists():
        raise ConfigError(f"{package} is an installed package; give --folder FOLDER, or run in a checkout of cxstream")
