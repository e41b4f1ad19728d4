"""Skips nobody overlooks: each reason is repeated as a warning in pytest's summary."""

from typing import NoReturn

import pytest

MARK = "NOT TESTED HERE: "


def skip(reason: str) -> NoReturn:
    """Skip this test, and say in the summary what was not proved and what is missing."""
    pytest.skip(MARK + reason)


def reasons(reporter: pytest.TerminalReporter) -> dict[str, int]:
    """The reasons of loud skips with how many tests each one cost."""
    found: dict[str, int] = {}
    for report in reporter.stats.get("skipped", []):
        _, _, text = report.longrepr
        if MARK in text:
            reason = text.partition(MARK)[2]
            found[reason] = found.get(reason, 0) + 1
    return found
