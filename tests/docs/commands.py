"""Reads the shell commands that the documents show."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_FENCE = re.compile(r"^```(?:sh|bash|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ASSIGNMENT = re.compile(r"[A-Z_]+=\S*")


class Command(NamedTuple):
    """One command as shown: where, and its words without settings put before it."""

    document: str
    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.document}: {shlex.join(self.words)}"


def documents() -> list[Path]:
    """Everything a reader may copy a command from."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def shown(document: Path) -> Iterator[Command]:
    """The commands in the shell blocks of a document; a pipeline is several."""
    name = str(document.relative_to(ROOT))
    for block in _FENCE.findall(document.read_text()):
        for line in block.replace("\\\n", " ").splitlines():
            for part in _parts(line.removeprefix("$ ")):
                yield Command(name, part)


def _parts(line: str) -> Iterator[tuple[str, ...]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    for word in (*lexer, ";"):
        if set(word) <= set(";|&"):
            if words:
                yield tuple(words)
            words = []
        elif words or not _ASSIGNMENT.fullmatch(word):
            words.append(word)
