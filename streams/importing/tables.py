"""Tables: from a text to its header and its rows. The format and the delimiter are detected where not given."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.decoding import MAX_RECORD_BYTES
from streams.errors import ConfigError
from streams.importing.mapping import Mapping, TableFormat
from streams.importing.rows import BadRow, LineReader, NumberedLines, Row, csv_rows, json_rows

_ENDINGS: dict[str, TableFormat] = {"tsv": "tsv", "tab": "tsv", "ndjson": "ndjson", "jsonl": "ndjson", "csv": "csv"}


@dataclass(frozen=True, slots=True)
class Table:
    """One table: its name for messages, its header (None for NDJSON) and its rows, which can be read once."""

    name: str
    header: list[str] | None
    rows: Iterator[Row | BadRow]


def read_table(name: str, text: LineReader, mapping: Mapping) -> Table:
    r"""The table in a text; only its first line is read at once. The ending of `name` hints at the format.

    Raises `ConfigError` when the text is not a table.

    >>> import io
    >>> from streams.importing.mapping_text import parse_mapping
    >>> toml = 'topic = "cx.calls.v1"\n[fields]\ntime = "at"\noutcome = "outcome"'
    >>> mapping = parse_mapping(toml, name="demo", origin="demo.toml")
    >>> table = read_table("calls", io.StringIO("at;outcome\n2024-05-01T10:00:00Z;answered\n"), mapping)
    >>> table.header, [row.values for row in table.rows]
    (['at', 'outcome'], [['2024-05-01T10:00:00Z', 'answered']])
    """
    first = text.readline(MAX_RECORD_BYTES)
    table_format = mapping.format or _format_by_name(name) or _detect(first)
    lines = NumberedLines(first, text)
    if table_format == "ndjson":
        if first.lstrip().startswith("["):
            raise ConfigError(f"{name}: a JSON array; write one object per line, for example with jq -c '.[]'")
        return Table(name, None, json_rows(lines))
    if not first.strip():
        raise ConfigError(f"{name}: no header in the first line; the mapping finds columns by their names")
    return _csv_table(name, lines, mapping, mapping.delimiter or _delimiter(table_format, first))


def _csv_table(name: str, lines: NumberedLines, mapping: Mapping, delimiter: str) -> Table:
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quoting=csv.QUOTE_MINIMAL if mapping.quote else csv.QUOTE_NONE,
        quotechar=mapping.quote or None,
        strict=True,
    )
    try:
        header = [column.strip() for column in next(reader)]
    except csv.Error as error:
        raise ConfigError(f"{name}: the first line is not a header: {error}") from None
    return Table(name, header, csv_rows(reader, lines, len(header)))


def _format_by_name(name: str) -> TableFormat | None:
    stem, _, ending = name.rpartition(".")
    return _ENDINGS.get(ending.lower()) if stem else None


def _detect(first: str) -> TableFormat:
    if first.lstrip()[:1] in ("{", "["):
        return "ndjson"
    return "tsv" if _delimiter("csv", first) == "\t" else "csv"


def _delimiter(table_format: TableFormat, first: str) -> str:
    return "\t" if table_format == "tsv" else max(",;\t|", key=first.count)
