"""Call events: menu, queue, talk, hold and after-call work, transfers, and abandoned calls.

Waits, patience and talk times follow the shape of a bank's published call log: half of the callers do not wait at
all, the others wait 70 s on average; talk is log-normal with a median of 100 s and a mean of 170 s.
"""

from typing import Any

from schemas.call import Call
from schemas.catalogue import CALLS
from streams.simulation.story import Story, moment
from streams.simulation.touchpoints import TOUCHPOINTS

_MEAN_PATIENCE_S = 400.0
_SOURCE = "telephony"


def call(story: Story, retries: int = 1) -> bool:
    """Emit one call with all its legs; returns whether the caller reached an agent."""
    call_id = story.new_id("call")
    if story.chance(0.07):
        _unanswered(story, call_id, "menu", None)
        return False
    wait = _wait(story)
    patience = story.rng.expovariate(1 / _MEAN_PATIENCE_S)
    if patience < wait:
        return _abandon(story, call_id, round(patience, 1), retries)
    _answered(story, call_id, round(wait, 1))
    return True


def _wait(story: Story) -> float:
    """Seconds in the queue; with more load fewer callers are served at once and the others wait longer."""
    if story.chance(0.5 / story.load):
        return 0.0
    return story.rng.lognormvariate(0.0, 0.9) * 46 * story.load


def _abandon(story: Story, call_id: str, wait: float, retries: int) -> bool:
    story.feeling -= 0.6
    _unanswered(story, call_id, "abandoned", wait)
    if not (retries and story.chance(0.5)):
        return False
    story.wait(600)
    return call(story, retries - 1)


def _unanswered(story: Story, call_id: str, outcome: Any, wait: float | None) -> None:
    story.spend(wait or 20)
    fields = _fields(story, call_id)
    fields["agent"] = ""
    story.emit(CALLS.name, Call(**fields, outcome=outcome, wait=wait))


def _answered(story: Story, call_id: str, wait: float) -> None:
    story.feeling -= min(1.5, wait / 240)
    transfers = int(story.chance(0.12))
    _leg(story, call_id, wait, transfers)
    if transfers:
        story.feeling -= 0.35
        touchpoint, agent = story.touchpoint, story.agent
        story.touchpoint = _other_touchpoint(story)
        story.agent = story.pick_agent(story.touchpoint)
        _leg(story, call_id, round(_wait(story), 1), 0)
        story.touchpoint, story.agent = touchpoint, agent


def _other_touchpoint(story: Story) -> Any:
    return story.rng.choice([t for t in TOUCHPOINTS[:-1] if t.team != story.touchpoint.team])


def _leg(story: Story, call_id: str, wait: float, transfers: int) -> None:
    talk = round(2 + story.rng.lognormvariate(0.0, 1.0) * 100, 1)
    hold = round(story.rng.expovariate(1 / 45), 1) if story.chance(0.25) else 0.0
    after_call = round(story.rng.lognormvariate(0.0, 0.7) * 32, 1)
    story.spend(wait + talk + hold)
    fields = _fields(story, call_id)
    parts: dict[str, Any] = {"outcome": "answered", "wait": wait, "talk": talk, "hold": hold, "transfers": transfers}
    if story.chance(0.3):  # reported at the end of the talk, and again after the after-call work
        story.emit(CALLS.name, Call(**fields, **parts))
        story.spend(after_call)
        fields |= {"event_id": story.new_id("e"), "updated_at": moment(story.now_ms)}
    story.emit(CALLS.name, Call(**fields, **parts, after_call=after_call))


def _fields(story: Story, call_id: str) -> dict[str, Any]:
    """The common fields of a new leg, which ends now."""
    fields = story.envelope(story.new_id("leg"), _SOURCE)
    return fields | {"queue": story.touchpoint.queue, "call_id": call_id, "updated_at": moment(story.now_ms)}
