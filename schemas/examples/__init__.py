"""Examples of records: accepted ones, and refused ones with the reason."""

from dataclasses import dataclass
from pathlib import Path

from schemas.catalogue import Topic

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Example:
    """One example file: the bytes of a record, and the reason in the file name if it is to be refused."""

    name: str
    payload: bytes
    reason: str | None
    is_json: bool


def examples(topic: Topic) -> list[Example]:
    """The examples of one topic, sorted by path: `valid/<name>.json` and `invalid/<reason>--<field>-<name>.json`.

    The field is left out if the reason has none. Bytes that are no JSON are in a `.bin` file.
    """
    files = sorted((FOLDER / topic.examples).glob("*/*.*"))
    return [Example(path.stem, path.read_bytes(), _reason(path), path.suffix == ".json") for path in files]


def _reason(path: Path) -> str | None:
    return path.stem.partition("--")[0] if path.parent.name == "invalid" else None
