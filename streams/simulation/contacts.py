"""What happens when somebody gets in touch, and the little that happens without."""

from streams.simulation import accounts, calls, surveys, tickets
from streams.simulation.customers import Customer, Population
from streams.simulation.satisfaction import leaves
from streams.simulation.story import Story
from streams.simulation.touchpoints import CALLS, TICKETS

_RELATIONSHIP = 0.03
_RENEWAL = 0.02
_STRANGER = 0.04
_FOLLOW_UP = 0.3


def unfold(story: Story, population: Population) -> None:
    """Tell the whole story of one contact: what was done, how it was judged, and whether the customer stays."""
    fate = story.rng.random()
    external = story.touchpoint.audience == "external"
    if external and fate < _RELATIONSHIP:
        surveys.relationship(story)
    elif external and fate < _RELATIONSHIP + _RENEWAL:
        accounts.renewal(story, population)
    elif external and story.channel in CALLS and fate > 1 - _STRANGER:
        _stranger(story)
    else:
        _contact(story)
        story.customer.remember(story.feeling)
        if external and leaves(story.rng, story.feeling):
            accounts.farewell(story, population)


def _contact(story: Story) -> None:
    if story.channel in CALLS:
        served = calls.call(story)
        if served and story.chance(0.2):
            served = tickets.ticket(story)
    elif story.channel in TICKETS:
        served = tickets.ticket(story)
    else:
        served, story.agent = True, ""
    surveys.after_contact(story)
    if not served or story.feeling < -1:
        _contact_again(story)


def _contact_again(story: Story) -> None:
    """Some of those who got no help call again within a few days."""
    if story.chance(_FOLLOW_UP) and story.touchpoint.audience == "external":
        story.wait(20 * 3_600, 0.8)
        story.channel, story.agent = "phone", story.somebody(story.touchpoint)
        calls.call(story, retries=0)


def _stranger(story: Story) -> None:
    """A caller the company cannot identify."""
    story.customer = Customer("0" if story.chance(0.5) else "", "", 0.0, 0.0)
    calls.call(story, retries=0)
