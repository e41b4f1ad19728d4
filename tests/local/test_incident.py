"""The line about the staged incident follows its start and its end."""

import pytest

from streams.local.demonstration.incident import incident_text
from streams.simulation import Incident

INCIDENT = Incident(offset_s=20, length_s=60, touchpoints=("billing", "app"))


@pytest.mark.parametrize(
    ("live_s", "state"),
    [(0, "in 20 s"), (19, "in 1 s"), (20, "under way for 0 s"), (80, "under way for 60 s"), (85, "over for 5 s")],
)
def test_the_line_has_the_state_of_the_incident(live_s: float, state: str) -> None:
    assert incident_text(INCIDENT, live_s) == f"staged incident (billing, app): {state}"
