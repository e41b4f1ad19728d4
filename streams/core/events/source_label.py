"""Under which label something is counted: the topic it was read from, or the kind of derived record it is."""

from dataclasses import dataclass
from functools import lru_cache

from schemas.catalogue import RISK, TOPICS

_SEPARATOR = "/"


@dataclass(frozen=True, slots=True)
class SourceLabel:
    """A label of partial results: partials under different labels are kept apart and add up.

    `topic` is the topic that was read, or one of `DERIVED_LABELS`. `origin` is the source topic of records that were
    re-keyed, which are read from an internal topic. `group` names the comparison group that the partial is an input
    of. `text` is how a label is written in state, on topics and as a key; `parse` reads it back.
    """

    topic: str
    origin: str = ""
    group: str = ""

    @classmethod
    def parse(cls, text: str) -> "SourceLabel":
        """The label that `text` stands for.

        >>> SourceLabel.parse("friction/cx.rekeyed.v1/cx.surveys.v1")
        SourceLabel(topic='cx.rekeyed.v1', origin='cx.surveys.v1', group='friction')
        """
        return _parse(text)

    @property
    def text(self) -> str:
        """The label as it is written."""
        return _SEPARATOR.join(part for part in (self.group, self.topic, self.origin) if part)

    @property
    def source_topic(self) -> str:
        """The topic that the records were first sent to."""
        return self.origin or self.topic

    @property
    def is_derived(self) -> bool:
        """Whether derived records are counted under it, and no records of a source."""
        return not self.group and self.topic in DERIVED_LABELS

    def for_group(self, group: str) -> "SourceLabel":
        """The label of the inputs of a comparison group that come from the partials of this label."""
        return SourceLabel(self.topic, self.origin, group)


ASSESSMENT_LABEL = RISK.name
"""The assessments of customers are counted under this label."""

DERIVED_LABEL = "cases"
"""All other derived records are counted under this label. State and topics hold the word, so it stays."""

DERIVED_LABELS = (ASSESSMENT_LABEL, DERIVED_LABEL)

_TOPICS = frozenset({*(topic.name for topic in TOPICS), DERIVED_LABEL})


@lru_cache(maxsize=1_024)
def _parse(text: str) -> SourceLabel:
    parts = text.split(_SEPARATOR)
    group = "" if parts[0] in _TOPICS else parts.pop(0)
    topic, origin = (*parts, "", "")[:2]
    return SourceLabel(topic, origin, group)
