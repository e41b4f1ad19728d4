"""Survey events: an invitation, an answer, or a declined survey."""

from typing import Annotated, Literal

import msgspec

from schemas.envelope import Envelope, Label

Kind = Literal["nps", "ces2", "ces1", "csat"]
State = Literal["answered", "invited", "declined"]
Program = Literal["transactional", "relationship"]
Comment = Annotated[str, msgspec.Meta(max_length=20_000)]

SCALES: dict[str, tuple[int, int]] = {"nps": (0, 10), "ces2": (1, 7), "ces1": (1, 5), "csat": (1, 5)}
"""Lowest and highest answer of each kind of question; in CES 1.0 a low answer is good."""


class Survey(Envelope, frozen=True, kw_only=True, gc=False):
    """One state of one survey sent to one customer; `record_id` identifies the survey sent.

    `score` is a whole number on the scale of its kind, or the same number as a string ("10" is 10). Anything else is
    refused: building the struct raises `ValueError`.
    """

    survey: Annotated[str, msgspec.Meta(min_length=1, max_length=128)]
    kind: Kind
    state: State = "answered"
    score: int | str | None = None
    scale: Label = ""
    program: Program = "transactional"
    comment: Comment = ""

    def __post_init__(self) -> None:
        score = self.score
        if self.scale:
            _refuse_foreign_scale(self.kind, self.scale)
        if score is None:
            if self.state == "answered":
                raise ValueError("missing_field: score: an answered survey needs a score")
            return
        if isinstance(score, str):
            score = _whole_number(score)
            msgspec.structs.force_setattr(self, "score", score)
        low, high = SCALES[self.kind]
        if not low <= score <= high:
            raise ValueError(f"out_of_range: score: {self.kind} takes {low} to {high}, got {score}")


def _whole_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 2):
        raise ValueError(f"wrong_type: score: not a whole number: {text[:32]!r}")
    return int(text)


def _refuse_foreign_scale(kind: str, scale: str) -> None:
    low, high = SCALES[kind]
    if scale != f"{low}-{high}":
        raise ValueError(f"foreign_scale: scale: {kind} is asked on {low}-{high}, not on {scale!r}")
