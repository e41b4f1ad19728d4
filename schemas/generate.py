"""The files generated from the structs: a JSON Schema for each topic and one AsyncAPI document."""

import json
from pathlib import Path

from schemas.asyncapi import document
from schemas.catalogue import TOPICS, Topic
from schemas.compatibility import breaks
from schemas.json_schema import record_schema

FOLDER = Path(__file__).parent / "generated"
ASYNCAPI = "asyncapi.json"
COMMAND = "cxstream schemas"


def documents() -> dict[str, str]:
    """The text of every generated file, by file name."""
    schemas = {file_name(topic): record_schema(topic) for topic in TOPICS if topic.role != "internal"}
    contents = {**schemas, ASYNCAPI: document()}
    return {name: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for name, content in contents.items()}


def file_name(topic: Topic) -> str:
    """Name of the file with the schema of a topic."""
    return f"{topic.name}.json"


def drift(folder: Path = FOLDER) -> list[str]:
    """The files in `folder` that differ from the structs, one line each with the fix."""
    expected = documents()
    found = _found(folder)
    stale = [f"{name}: differs from the structs" for name, text in expected.items() if found.get(name) != text]
    orphans = [f"{name}: belongs to no topic of the catalogue" for name in found if name not in expected]
    return [f"{line}; run `{COMMAND}`" for line in stale + orphans]


def incompatibilities(folder: Path = FOLDER) -> list[str]:
    """Breaking changes from the schemas in `folder` to the structs, one line for each field with the fix."""
    topics = {file_name(topic): topic for topic in TOPICS if topic.role != "internal"}
    found: list[str] = []
    for name, text in _found(folder).items():
        if name in topics:
            topic = topics[name]
            lines = breaks(json.loads(text), record_schema(topic), topic.role)
            found += [f"{topic.name}: {line}; {_remedy(topic)}" for line in lines]
        elif name != ASYNCAPI:
            found.append(f"{name}: its topic was removed; keep it in schemas/catalogue.py while it is still used")
    return found


def write(folder: Path = FOLDER) -> list[str]:
    """Bring the files in `folder` up to date; returns the names of the files written or removed."""
    folder.mkdir(parents=True, exist_ok=True)
    expected, found = documents(), _found(folder)
    changed = [name for name, text in expected.items() if found.get(name) != text]
    for name in changed:
        (folder / name).write_text(expected[name], encoding="utf-8")
    orphans = [name for name in found if name not in expected]
    for name in orphans:
        (folder / name).unlink()
    return changed + orphans


def _found(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.json"))}


def _remedy(topic: Topic) -> str:
    keep = "accept what was sent so far" if topic.role == "source" else "write it as before"
    return f"{keep}, or add version {topic.version + 1} of the topic to schemas/catalogue.py"
