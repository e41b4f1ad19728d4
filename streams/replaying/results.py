"""Window results as they are in `cx.scores.v1`, read back in a stable order."""

import re
from collections.abc import Collection, Iterable
from contextlib import aclosing
from datetime import datetime
from typing import NamedTuple

import msgspec

from schemas.catalogue import SCORES as TOPIC
from schemas.score import Score
from streams.core.scores import SCORES
from streams.runtime.connection import aiokafka_options
from streams.runtime.recovery import read_to_end
from streams.settings import Settings

_ORDER = {score.name: number for number, score in enumerate(SCORES)}
_decode = msgspec.json.Decoder(Score).decode


class Result(NamedTuple):
    """One record, decoded and as it was published."""

    score: Score
    raw: bytes


async def read_results(settings: Settings) -> list[Result]:
    """The newest record of each key and window end in the topic, ordered by end, score, cut, cell and window.

    Raises `BrokerError`.
    """
    newest: dict[tuple[bytes, datetime], Result] = {}
    options = aiokafka_options(settings)
    for partition in range(settings.kafka.partitions):
        async with aclosing(read_to_end(options, settings.topic(TOPIC.name), partition)) as chunks:
            async for records in chunks:
                for record in records:
                    if record.value is not None:
                        score = _decode(record.value)
                        newest[record.key or b"", score.end] = Result(score, record.value)
    return sorted(newest.values(), key=lambda result: (result.score.end, *sort_key(result.score)))


def of_scores(results: Iterable[Result], names: Collection[str]) -> list[Result]:
    """The results of the scores with these names; all results where `names` is empty."""
    return [result for result in results if not names or result.score.score in names]


def sort_key(score: Score) -> tuple[int, tuple[int, str], list[tuple[int, str]], str]:
    """Orders by score (as in `SCORES`), cut (the total first), cell and window."""
    cut = (-1 if score.cut == "total" else score.cut.count("+"), score.cut)
    return _ORDER.get(score.score, len(_ORDER)), cut, _natural(score.cell), score.window


def _natural(name: str) -> list[tuple[int, str]]:
    """Orders `Category 2` before `Category 10`."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", name)]
