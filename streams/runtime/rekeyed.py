"""Reading records of the re-keyed topic: a header names the source topic each of them came from."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from schemas.catalogue import REKEYED, SOURCE_TOPICS
from schemas.decoding import Invalid
from streams.core.stage1.outcomes import SourceRecord
from streams.runtime.publishing import ORIGIN

NO_ORIGIN = Invalid("wrong_topic", "", f"{REKEYED.name} is internal: send events to their source topics")
"""Why a record of the re-keyed topic is rejected that no worker has sent there."""

_SOURCE_NAMES = frozenset(topic.name for topic in SOURCE_TOPICS)


def runs_by_origin(records: Sequence[SourceRecord]) -> list[tuple[str | None, Sequence[SourceRecord]]]:
    """Runs of consecutive records from the same source topic; None where the header names no source topic."""
    return [(origin, list(run)) for origin, run in groupby(records, _origin)]


def _origin(record: Any) -> str | None:
    origin = dict(record.headers).get(ORIGIN, b"").decode(errors="replace").partition("|")[0]
    return origin if origin in _SOURCE_NAMES else None
