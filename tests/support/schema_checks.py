"""Checks messages and answers against the documents, more strictly than the documents ask.

A document lets further fields pass, as clients must; here a field that is not in it fails, so that
nothing is sent that is not documented.
"""

from __future__ import annotations

import copy
from typing import Any

import jsonschema

Schema = dict[str, Any]


def schema_of(document: Schema, name: str) -> Schema:
    """A component's schema, with all that it refers to."""
    return {**document["components"]["schemas"][name], "components": document["components"]}


def closed(document: Schema, schema: Schema) -> Schema:
    """The same where objects have no further fields."""
    components = copy.deepcopy(document["components"]["schemas"])
    for component in components.values():
        if "properties" in component:
            component["additionalProperties"] = False
    return {**schema, "components": {"schemas": components}}


def check_message(document: Schema, channel: str, message: Schema) -> Schema:
    """The message, which is one of those that the channel documents."""
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
