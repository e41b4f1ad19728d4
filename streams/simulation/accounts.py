"""Account events: yearly renewals, cancellations by unhappy customers, and the new customers that replace them."""

from schemas.account import Account, AccountChange
from schemas.catalogue import ACCOUNTS
from streams.simulation.customers import Population
from streams.simulation.story import Story

_DAY = 86_400.0
_NO_CONTACT = {"touchpoint": "", "channel": "", "team": "", "agent": ""}


def emit_change(story: Story, change: AccountChange) -> None:
    """Emit a change of the account of the story's customer."""
    customer = story.customer
    fields = story.envelope(f"account-{customer.id}", "crm") | _NO_CONTACT
    story.emit(ACCOUNTS.name, Account(**fields, change=change, value=customer.value, plan=customer.segment))


def renewal(story: Story, population: Population) -> None:
    """Emit a renewal at a slightly higher value, or now and then a cancellation by a customer in a bad mood."""
    if story.customer.mood < -0.7 and story.chance(0.3):
        cancellation(story, population)
        return
    story.customer.value = round(story.customer.value * 1.03, 2)
    emit_change(story, "renewed")


def cancellation(story: Story, population: Population) -> None:
    """Emit the start of a new customer now and, a day or so later, the cancellation by this one.

    The number of customers stays the same.
    """
    leaver = story.customer
    story.customer = population.replace(story.rng, leaver)
    emit_change(story, "started")
    story.customer = leaver
    story.wait(_DAY)
    emit_change(story, "cancelled")
