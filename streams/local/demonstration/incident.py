"""The staged incident in one line: announced, under way, or over."""

from streams.simulation import Incident


def incident_text(incident: Incident, live_s: float) -> str:
    """The state of the incident `live_s` seconds after the live stream began.

    >>> incident_text(Incident(offset_s=20, length_s=60, touchpoints=("billing", "app")), 5)
    'staged incident (billing, app): in 15 s'
    """
    name = f"staged incident ({', '.join(incident.touchpoints)})"
    since_s = live_s - incident.offset_s
    if since_s < 0:
        return f"{name}: in {-since_s:.0f} s"
    over_s = since_s - incident.length_s
    return f"{name}: over for {over_s:.0f} s" if over_s > 0 else f"{name}: under way for {since_s:.0f} s"
