"""What the contract suite needs to know of each sink: URLs to store at, and a way to read back what is there."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tests.sinks.conftest import Ask

Address = tuple[int, int, str]
"""Partition, offset and record id of a stored survey."""

FIXTURES = {"clickhouse": ("chdb_store", "http_store"), "ndjson": ("folder_store",)}
"""The fixtures that give a store, by the name of the sink."""
FOR_OTHER_PROCESSES = {"clickhouse": "http_store", "ndjson": "folder_store"}
"""Those of them that another process can store in while this one reads."""


class Store(Protocol):
    """A place to store at."""

    url: str

    def surveys(self) -> list[Address]:
        """All surveys that are stored, sorted; one that is stored twice is there twice."""


class ClickHouseStore:
    """A migrated database. Its engine removes duplicates when it merges, so it merges before it is read."""

    def __init__(self, url: str, ask: "Ask") -> None:
        self.url, self._ask = url, ask

    def surveys(self) -> list[Address]:
        self._ask("OPTIMIZE TABLE surveys FINAL")
        rows = self._ask("SELECT partition, offset, record_id FROM surveys ORDER BY 1, 2, 3")
        return [(partition, offset, record_id) for partition, offset, record_id in rows]


class FolderStore:
    """A folder that does not exist yet."""

    def __init__(self, folder: Path) -> None:
        self.url, self._folder = f"ndjson://{folder}", folder

    def surveys(self) -> list[Address]:
        lines = [
            json.loads(line)
            for path in self._folder.glob("cx.surveys.v1/*/*.ndjson")
            for line in path.read_text().splitlines()
        ]
        return sorted((line["partition"], line["offset"], line["record"]["record_id"]) for line in lines)
