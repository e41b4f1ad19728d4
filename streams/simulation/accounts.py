"""Accounts: the yearly renewal, the cancellation by somebody who has had enough, the start of somebody new."""

from schemas.account import Account, AccountChange
from schemas.catalogue import ACCOUNTS
from streams.simulation.customers import Population
from streams.simulation.story import Story

_DAY = 86_400.0
_NOWHERE = {"touchpoint": "", "channel": "", "team": "", "agent": ""}


def tell(story: Story, change: AccountChange) -> None:
    """Tell that the account of the story's customer changed now."""
    customer = story.customer
    fields = story.envelope(f"account-{customer.id}", "crm") | _NOWHERE
    story.tell(ACCOUNTS.name, Account(**fields, change=change, value=customer.value, plan=customer.segment))


def renewal(story: Story, population: Population) -> None:
    """Tell a renewal, at a slightly higher value, or the end for a customer in a bad mood."""
    if story.customer.mood < -0.7 and story.chance(0.3):
        farewell(story, population)
        return
    story.customer.value = round(story.customer.value * 1.03, 2)
    tell(story, "renewed")


def farewell(story: Story, population: Population) -> None:
    """Tell that a newcomer starts now and this customer, within days, leaves: the company keeps its size."""
    leaver = story.customer
    story.customer = population.replace(story.rng, leaver)
    tell(story, "started")
    story.customer = leaver
    story.wait(_DAY)
    tell(story, "cancelled")
