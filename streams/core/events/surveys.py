"""Surveys: invitations, answers and refusals."""

from schemas.catalogue import SURVEYS
from schemas.survey import Survey
from streams.core.events.entry import Entry
from streams.core.events.evidence import Evidence
from streams.core.events.record_fields import UNKNOWN, RecordFields, codes_of
from streams.core.events.source import EventSource

SURVEY = 2
SURVEY_KINDS = ("nps", "ces2", "ces1", "csat")
SURVEY_STATES = ("invited", "declined", "answered")
SURVEY_PROGRAMS = ("transactional", "relationship")

FIELDS = ("kind", "state", "score", "program")
KIND, STATE, SCORE, PROGRAM = range(1, 5)

_KINDS, _STATES, _PROGRAMS = codes_of(SURVEY_KINDS), codes_of(SURVEY_STATES), codes_of(SURVEY_PROGRAMS)
_ANSWERED = _STATES["answered"]
_NPS, _CES1 = _KINDS["nps"], _KINDS["ces1"]
_LOW_ANSWERS = {
    _KINDS["nps"]: (6, "days_since_detractor"),
    _KINDS["ces2"]: (3, "days_since_high_effort"),
    _KINDS["csat"]: (2, "days_since_dissatisfied"),
}
"""By kind, the highest answer that is bad news, and the feature that tells its age. CES 1.0 counts low as good."""


def read_survey(event: Survey) -> RecordFields:
    """The fields of an event; its score is `UNKNOWN` where there is none.

    >>> from datetime import datetime, UTC
    >>> at = datetime(2024, 1, 1, tzinfo=UTC)
    >>> read_survey(Survey(event_id="e", record_id="r", time=at, survey="s", kind="csat", score=4))
    (2, 3, 2, 4, 0)
    """
    score = UNKNOWN if event.score is None else int(event.score)
    return SURVEY, _KINDS[event.kind], _STATES[event.state], score, _PROGRAMS[event.program]


def _rank(event: Survey) -> int:
    return _STATES[event.state]


def _observe(entry: Entry, evidence: Evidence) -> None:
    _, kind, state, score, _ = entry.fields
    if state != _ANSWERED:
        return
    evidence.heard_from(entry.time_ms)
    if kind == _CES1:
        if score >= 4:
            evidence.observed("days_since_high_effort", entry.time_ms)
        return
    highest, feature = _LOW_ANSWERS[kind]
    if score <= highest:
        evidence.observed(feature, entry.time_ms)
    elif kind == _NPS and score >= 9:
        evidence.observed("days_since_promoter", entry.time_ms)


SOURCE = EventSource(
    code=SURVEY,
    topic=SURVEYS,
    fields=FIELDS,
    read=read_survey,
    version_rank=_rank,  # an answer that comes with the revision of its invitation is the newer of the two
    ranks=4,
    observe=_observe,
)
