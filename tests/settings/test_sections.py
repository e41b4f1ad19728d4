"""Names on the broker follow from the settings and from the catalogue of topics."""

from schemas.catalogue import SOURCE_TOPICS, TOPICS
from streams.settings import App, Kafka, Settings

SETTINGS = Settings(app=App(id="demo"), kafka=Kafka(prefix="test."))


def test_every_topic_but_the_sources_takes_the_prefix() -> None:
    for topic in TOPICS:
        prefix = "" if topic in SOURCE_TOPICS else "test."
        assert SETTINGS.topic(topic.name) == prefix + topic.name


def test_a_group_is_named_after_the_app() -> None:
    assert SETTINGS.group("sinks") == "demo-sinks"
