"""Checks of survey mappings: a score stays on the scale on which the question was asked."""

import re
from collections.abc import Iterator

from schemas.survey import SCALES
from streams.importing.mapping import FieldMapping, Mapping, Scalar, with_cases


def scale_problems(mapping: Mapping) -> Iterator[tuple[str, str]]:
    """Keys of a mapping to surveys that lack the scale or would move a score to another scale, with the fix."""
    fields = mapping.fields
    if "scale" not in fields:
        yield (
            "fields.scale",
            'missing; state the scale of the question, e.g. scale = { value = "0-10" }; '
            "answers on another scale cannot become NPS",
        )
    elif "kind" in fields:
        yield from _wrong_scale(fields["kind"].value, fields["scale"].value)
    if "score" in fields:
        for key, field in with_cases("fields.score", fields["score"]):
            yield from _changed_scores(key, field)


def _wrong_scale(kind: Scalar | None, scale: Scalar | None) -> Iterator[tuple[str, str]]:
    if not isinstance(kind, str) or not isinstance(scale, str):
        return
    low, high = SCALES[kind]
    if scale != f"{low}-{high}":
        yield (
            "fields.scale",
            f"{kind} is asked on {low}-{high}, not on {scale}; answers on another scale "
            "(stars, smileys) are another kind of question, e.g. csat on 1-5",
        )


def _changed_scores(key: str, field: FieldMapping) -> Iterator[tuple[str, str]]:
    for source, target in field.values.items():
        if re.findall(r"\d+", source) != [str(target)]:
            yield (
                f"{key}.values.{source}",
                f"{target!r} is another answer than {source!r}; values may only remove words from "
                "an answer, never move it to another scale",
            )
    if field.value is not None or field.otherwise is not None:
        yield key, "a score is read from a column; it cannot be a constant"
