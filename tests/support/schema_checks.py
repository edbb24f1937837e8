"""Check messages and answers against the documents, more strictly than the documents require.

A document allows additional fields, as clients must. Here they fail, so that nothing undocumented
is sent.
"""

from __future__ import annotations

import copy
from typing import Any

import jsonschema

Schema = dict[str, Any]


def schema_of(document: Schema, name: str) -> Schema:
    """Return a component's schema, with everything it refers to."""
    return {**document["components"]["schemas"][name], "components": document["components"]}


def closed(document: Schema, schema: Schema) -> Schema:
    """Return the schema without additional fields in objects."""
    components = copy.deepcopy(document["components"]["schemas"])
    for component in components.values():
        if "properties" in component:
            component["additionalProperties"] = False
    return {**schema, "components": {"schemas": components}}


def check_message(document: Schema, channel: str, message: Schema) -> Schema:
    """Assert that the message is one of those that the channel documents."""
    problems = []
    for name in document["channels"][channel]["messages"]:
        described = document["components"]["messages"][name]
        if described["name"] != message["type"]:
            continue
        try:
            jsonschema.validate(
                message,
                closed(document, described["payload"]),
                jsonschema.Draft202012Validator,
            )
        except jsonschema.ValidationError as error:
            problems.append(f"{name}: {error.message} at {list(error.absolute_path)}")
        else:
            return message
    raise AssertionError((message, problems or "no such message is documented"))
