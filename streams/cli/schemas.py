"""`cxstream schemas`: write the JSON Schemas and the AsyncAPI document, or check that they are up to date."""

from pathlib import Path

import click

from schemas import generate
from streams.errors import CxError


@click.command("schemas")
@click.option("--check", is_flag=True, help="Write nothing; fail where a file is not up to date.")
@click.option("--breaking", is_flag=True, help="Write even what breaks users of the present files.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=generate.FOLDER,
    help="Where the files are.  [default: schemas/generated]",
)
def command(check: bool, breaking: bool, folder: Path) -> None:
    """Write the JSON Schema of every topic, and one AsyncAPI document, from the structs.

    A change that would break those who send or read these records is refused: give the topic a
    new version instead. Before a first release, --breaking writes it all the same.

    Example:  cxstream schemas --check
    """
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
    click.echo(f"{len(changed)} changed, {len(generate.documents()) - len(changed)} as they were")
