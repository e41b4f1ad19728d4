"""Examples of records: what is accepted, and what is refused for which reason."""

from dataclasses import dataclass
from pathlib import Path

from schemas.catalogue import Topic

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Example:
    """One example file: a record's bytes, and for a refused one the reason its name states."""

    name: str
    payload: bytes
    reason: str | None
    is_json: bool


def examples(topic: Topic) -> list[Example]:
    """The examples of one topic by name: `valid/<what>.json`, `invalid/<reason>--<field>-<what>.json`.

    The field is left out where a reason has none. What no JSON value stands for is a `.bin` file.
    """
    files = sorted((FOLDER / topic.examples).glob("*/*.*"))
    return [Example(path.stem, path.read_bytes(), _reason(path), path.suffix == ".json") for path in files]


def _reason(path: Path) -> str | None:
    return path.stem.partition("--")[0] if path.parent.name == "invalid" else None
