"""What an event can say about the risk that its customer leaves."""

from typing import Protocol

from streams.core.events.entry import Entry


class Evidence(Protocol):
    """Collects what the entries of one customer say; each source calls what its events are evidence of.

    Times are in milliseconds. The features that follow from it are those of `streams/core/churn/features.py`.
    """

    def heard_from(self, time_ms: int) -> None:
        """The customer made contact or answered: silence ends here."""

    def contacted(self, time_ms: int, call_number: int | None = None) -> None:
        """The customer asked for something. Contacts with one `call_number` are legs of one call and count once."""

    def observed(self, feature: str, time_ms: int) -> None:
        """Something happened whose age is the feature of this name."""

    def waited(self, wait_ms: int) -> None:
        """A caller waited this long; `UNKNOWN` is ignored."""

    def transferred(self, transfers: int) -> None:
        """A call was transferred this often, or `UNKNOWN`."""

    def ticket_changed(self, entry: Entry) -> None:
        """A ticket changed. Also told of changes older than the horizon, since their ticket may still be open."""

    def account_changed(self, entry: Entry) -> None:
        """An account changed."""
