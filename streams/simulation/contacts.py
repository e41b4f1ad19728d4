"""The events of one contact of a customer, and those that come without a contact."""

from streams.simulation import accounts, calls, surveys, tickets
from streams.simulation.customers import Customer, Population
from streams.simulation.examples import other_events
from streams.simulation.satisfaction import leaves
from streams.simulation.story import Story
from streams.simulation.touchpoints import CALL_CHANNELS, TICKET_CHANNELS

_RELATIONSHIP = 0.03
_RENEWAL = 0.02
_ANONYMOUS_CALL = 0.04
_FOLLOW_UP = 0.3


def unfold(story: Story, population: Population) -> None:
    """Emit all events of one story: a contact with its survey and a possible cancellation, or an event without one.

    A source without a module here is simulated from its examples.
    """
    outcome = story.rng.random()
    external = story.touchpoint.audience == "external"
    if external and outcome < _RELATIONSHIP:
        surveys.relationship(story)
    elif external and outcome < _RELATIONSHIP + _RENEWAL:
        accounts.renewal(story, population)
    elif external and story.channel in CALL_CHANNELS and outcome > 1 - _ANONYMOUS_CALL:
        _anonymous_call(story)
    else:
        _contact(story)
        story.customer.remember(story.feeling)
        if external and leaves(story.rng, story.feeling):
            accounts.cancellation(story, population)


def _contact(story: Story) -> None:
    if story.channel in CALL_CHANNELS:
        served = calls.call(story)
        if served and story.chance(0.2):
            served = tickets.ticket(story)
    elif story.channel in TICKET_CHANNELS:
        served = tickets.ticket(story)
    else:
        served, story.agent = True, ""
    surveys.after_contact(story)
    other_events(story)
    if not served or story.feeling < -1:
        _contact_again(story)


def _contact_again(story: Story) -> None:
    """Let some of the customers who got no help call again within a few days."""
    if story.chance(_FOLLOW_UP) and story.touchpoint.audience == "external":
        story.wait(20 * 3_600, 0.8)
        story.channel, story.agent = "phone", story.pick_agent(story.touchpoint)
        calls.call(story, retries=0)


def _anonymous_call(story: Story) -> None:
    """Emit a call of somebody whom the company cannot identify."""
    story.customer = Customer("0" if story.chance(0.5) else "", "", 0.0, 0.0)
    calls.call(story, retries=0)
