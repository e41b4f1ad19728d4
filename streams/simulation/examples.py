"""Traffic of the sources that have no module here: their valid examples, sent by the customers of the stories.

A new source is thereby simulated from its first day on; a module of its own makes it believable.
"""

from functools import cache

import msgspec

from schemas.catalogue import ACCOUNTS, CALLS, SOURCE_TOPICS, SURVEYS, TICKETS, Topic
from schemas.envelope import Envelope
from schemas.examples import examples
from streams.simulation.story import Story

_WITH_MODULE = (TICKETS, CALLS, SURVEYS, ACCOUNTS)
_OTHERS = tuple(topic for topic in SOURCE_TOPICS if topic not in _WITH_MODULE)
_SHARE = 0.2

EVENTS_PER_CONTACT = _SHARE * len(_OTHERS)
"""How many such events come with a contact, on average."""


def other_events(story: Story) -> None:
    """Emit an event of each such source in a fifth of the contacts."""
    for topic in _OTHERS:
        if story.chance(_SHARE):
            record = story.rng.choice(_records(topic))
            envelope = story.envelope(story.new_id(topic.examples), "simulated")
            story.emit(topic.name, msgspec.structs.replace(record, **envelope, revision=None, updated_at=None))


@cache
def _records(topic: Topic) -> tuple[Envelope, ...]:
    payloads = (example.payload for example in examples(topic) if example.reason is None)
    return tuple(msgspec.json.decode(payload, type=topic.record) for payload in payloads)
