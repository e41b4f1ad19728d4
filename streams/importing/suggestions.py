"""Suggestions for a name that does not exist."""

import difflib
from collections.abc import Iterable


def suggest(name: str, names: Iterable[str]) -> str:
    """The end of an error message: the existing name that is most like `name`, and all existing names.

    >>> suggest("cal", ["call", "ticket"])
    "did you mean 'call'? choose one of call, ticket"
    """
    existing = list(names)
    close = difflib.get_close_matches(name, existing, n=1)
    return (f"did you mean {close[0]!r}? " if close else "") + f"choose one of {', '.join(existing)}"
