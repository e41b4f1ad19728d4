"""The AsyncAPI 3 document: every topic with its messages, keys and retention."""

import json
from typing import Any

from schemas.catalogue import TOPICS, Topic
from schemas.examples import examples
from schemas.json_schema import record_schema

Node = dict[str, Any]

_INFO = {
    "title": "cxstream",
    "version": "1",
    "description": "Ticket, call, survey and account events in; scores, customer risk and rejects out. "
    "The number at the end of a topic's name is the version of its contract.",
    "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
}


def document() -> Node:
    """The whole document, built from the catalogue, the structs and the examples."""
    public = [topic for topic in TOPICS if topic.role != "internal"]
    return {
        "asyncapi": "3.0.0",
        "id": "urn:cxstream",
        "info": _INFO,
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in TOPICS},
        "operations": {topic.name: _operation(topic) for topic in public},
        "components": {
            "messages": {topic.name: _message(topic) for topic in TOPICS},
            "schemas": {name: schema for topic in public for name, schema in _definitions(topic).items()},
        },
    }


def _channel(topic: Topic) -> Node:
    settings: Node = {"cleanup.policy": ["compact"]} if topic.compacted else {"cleanup.policy": ["delete"]}
    if topic.retention_s is not None:
        settings["retention.ms"] = topic.retention_s * 1000
    return {
        "address": topic.name,
        "description": topic.doc,
        "messages": {"record": {"$ref": f"#/components/messages/{topic.name}"}},
        "bindings": {"kafka": {"topic": topic.name, "topicConfiguration": settings, "bindingVersion": "0.5.0"}},
        "x-role": topic.role,
        "x-version": topic.version,
        "x-key": topic.key,
        "x-compacted": topic.compacted,
        "x-retention-seconds": topic.retention_s,
        "x-dead-letters": topic.dead_letters,
    }


def _operation(topic: Topic) -> Node:
    """The operation of cxstream on a topic: it receives source topics and sends to the others."""
    action = "receive" if topic.role == "source" else "send"
    return {"action": action, "channel": {"$ref": f"#/channels/{topic.name}"}}


def _message(topic: Topic) -> Node:
    binding = {"key": {"type": "string", "description": topic.key}, "bindingVersion": "0.5.0"}
    common: Node = {"name": topic.name, "summary": topic.doc, "bindings": {"kafka": binding}}
    if topic.role == "internal":
        return {**common, "contentType": "application/octet-stream"}
    valid = [{"name": e.name, "payload": json.loads(e.payload)} for e in examples(topic) if e.reason is None]
    return {**common, "payload": _payload(topic), "examples": valid}


def _payload(topic: Topic) -> Node:
    schema = _hoisted(record_schema(topic))
    return {key: schema[key] for key in ("$ref", "anyOf") if key in schema}


def _definitions(topic: Topic) -> Node:
    definitions: Node = _hoisted(record_schema(topic))["$defs"]
    return definitions


def _hoisted(schema: Node) -> Node:
    hoisted: Node = json.loads(json.dumps(schema).replace('"#/$defs/', '"#/components/schemas/'))
    return hoisted
