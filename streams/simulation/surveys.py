"""Survey events: invited, then answered, declined or ignored; some answers are edited after a call back."""

from typing import Any

from schemas.catalogue import SURVEYS
from schemas.survey import SCALES, Kind, Program, Survey
from streams.simulation.satisfaction import answer, responds
from streams.simulation.story import Story, draw

_DECLINED = 0.06
_COMMENTED = 0.3
_UNHAPPY = (
    "Nobody could tell me what is going on.",
    "Third time I explain the same thing…",
    "charged twice, still waiting for my money",
    'They said "within 24 hours". It has been a week.',
    "Waited forever in the queue, then the line went dead 😡",
    "@channel please somebody answer",
)
_NEUTRAL = (
    "ok",
    "It works, more or less.",
    "=fine, could be faster",
    "Answer was right but took three mails",
    "Přijatelné, ale pomalé.",
)
_HAPPY = (
    "Solved on the first call, thank you!",
    "Quick and friendly 👍",
    "sehr freundlich, alles erledigt",
    "Couldn't be easier.",
    "Best support I have had.\nWill recommend.",
)


def after_contact(story: Story) -> None:
    """Emit the survey that follows a contact, for the share of contacts that get one."""
    touchpoint = story.touchpoint
    if story.chance(touchpoint.invited):
        kind = draw(story.rng, touchpoint.questions)
        story.wait(60, 0.5)
        _survey(story, f"{touchpoint.name}-{kind}", kind, touchpoint.response, "transactional")


def relationship(story: Story) -> None:
    """Emit the half-yearly survey of a customer without a contact: it has no touchpoint and no agent."""
    story.feeling += 0.15 - story.touchpoint.mood
    _survey(story, "relationship", "nps", 0.22, "relationship")


class _SurveyDraft:
    """One survey; each state is a newer revision of the same record."""

    def __init__(self, story: Story, survey: str, kind: Kind, program: Program) -> None:
        self.story, self.kind = story, kind
        self.record_id = story.new_id("survey")
        low, high = SCALES[kind]
        self.fixed: dict[str, Any] = {"survey": survey, "kind": kind, "program": program, "scale": f"{low}-{high}"}
        if program == "relationship":
            self.fixed |= {"touchpoint": "", "channel": "email", "team": "", "agent": ""}
        self.revision = 0

    def emit(self, **state: Any) -> None:
        """Emit the survey in this state now."""
        self.revision += 1
        fields = self.story.envelope(self.record_id, "survey-tool") | self.fixed
        self.story.emit(SURVEYS.name, Survey(**fields, revision=self.revision, **state))


def _survey(story: Story, survey: str, kind: Kind, response: float, program: Program) -> None:
    draft = _SurveyDraft(story, survey, kind, program)
    draft.emit(state="invited")
    if responds(story.rng, response, story.feeling):
        story.wait(900, 1.1)
        _answer(draft)
    elif story.chance(_DECLINED):
        story.wait(600, 1.1)
        draft.emit(state="declined")


def _answer(draft: _SurveyDraft) -> None:
    story = draft.story
    draft.emit(state="answered", score=answer(draft.kind, story.feeling), comment=_comment(story))
    unhappy = story.feeling < -0.5
    if story.chance(0.08 if unhappy else 0.01):
        story.wait(3 * 3_600)
        story.feeling = abs(story.feeling) if unhappy else story.feeling - 0.5
        draft.emit(state="answered", score=answer(draft.kind, story.feeling), comment=_comment(story))


def _comment(story: Story) -> str:
    if not story.chance(_COMMENTED):
        return ""
    comments = _UNHAPPY if story.feeling < -0.5 else _NEUTRAL if story.feeling < 0.3 else _HAPPY
    return story.rng.choice(comments)
