"""The files made from the structs: a JSON Schema for each topic and one AsyncAPI document."""

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
    """Every generated file: its name and its text."""
    schemas = {file_name(topic): record_schema(topic) for topic in TOPICS if topic.role != "internal"}
    contents = {**schemas, ASYNCAPI: document()}
    return {name: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for name, content in contents.items()}


def file_name(topic: Topic) -> str:
    """Name of the file with a topic's schema."""
    return f"{topic.name}.json"


def drift(folder: Path = FOLDER) -> list[str]:
    """What the files in `folder` differ in from what the structs say, one line a file; each names the fix."""
    wanted = documents()
    found = _found(folder)
    stale = [f"{name}: not what the structs say" for name, text in wanted.items() if found.get(name) != text]
    orphans = [f"{name}: belongs to no topic of the catalogue" for name in found if name not in wanted]
    return [f"{line}; run `{COMMAND}`" for line in stale + orphans]


def incompatibilities(folder: Path = FOLDER) -> list[str]:
    """What the structs would break for users of the schemas in `folder`, one line a field; each names the fix."""
    now = {file_name(topic): topic for topic in TOPICS if topic.role != "internal"}
    found: list[str] = []
    for name, text in _found(folder).items():
        if name in now:
            topic = now[name]
            lines = breaks(json.loads(text), record_schema(topic), topic.role)
            found += [f"{topic.name}: {line}; {_remedy(topic)}" for line in lines]
        elif name != ASYNCAPI:
            found.append(f"{name}: its topic was removed; keep it in schemas/catalogue.py while somebody uses it")
    return found


def write(folder: Path = FOLDER) -> list[str]:
    """Bring the files in `folder` up to date; returns the names of those written or removed."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted, found = documents(), _found(folder)
    changed = [name for name, text in wanted.items() if found.get(name) != text]
    for name in changed:
        (folder / name).write_text(wanted[name], encoding="utf-8")
    orphans = [name for name in found if name not in wanted]
    for name in orphans:
        (folder / name).unlink()
    return changed + orphans


def _found(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.json"))}


def _remedy(topic: Topic) -> str:
    keep = "accept what was sent so far" if topic.role == "source" else "write it as before"
    return f"{keep}, or add version {topic.version + 1} of the topic to schemas/catalogue.py"
