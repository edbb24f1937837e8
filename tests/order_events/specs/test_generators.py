"""What generators of clients need of the documents; `make generators` runs the real ones."""

from __future__ import annotations

import re
from typing import Any

import pytest

from order_events.http.api import ROUTES
from order_events.settings import HubSettings
from order_events.specs import asyncapi, openapi

SETTINGS = HubSettings.model_construct()
HTTP = openapi.document(ROUTES, SETTINGS)
SOCKETS = asyncapi.document([asyncapi.ROOT], SETTINGS)
JSON_SCHEMA = {
    *("$ref", "additionalProperties", "anyOf", "const", "default", "description", "enum"),
    *("exclusiveMaximum", "exclusiveMinimum", "format", "items", "maxItems", "maxLength"),
    *("maximum", "minItems", "minLength", "minimum", "oneOf", "pattern", "prefixItems"),
    "patternProperties",
    *("discriminator", "properties", "propertyNames", "required", "title", "type"),
    *("uniqueItems", "examples", "writeOnly"),
}


def keywords(schema: Any) -> set[str]:
    """Return the keywords that a schema uses, at any depth."""
    if isinstance(schema, list):
        return set().union(*map(keywords, schema))
    if not isinstance(schema, dict):
        return set()
    used = set(schema)
    for key, value in schema.items():
        nested = value.values() if key in ("properties", "patternProperties") else [value]
        if key not in ("default", "const", "enum", "examples", "discriminator"):
            used = used.union(*map(keywords, nested))
    return used


@pytest.mark.parametrize("document", [HTTP, SOCKETS])
def test_every_schema_has_a_name_of_its_own(document: Any) -> None:
    """One that can be a class, and its title is the same: generators take either."""
    schemas = document["components"]["schemas"]
    assert {name for name in schemas if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)} == set()
    assert {name: schema["title"] for name, schema in schemas.items()} == {n: n for n in schemas}


@pytest.mark.parametrize("document", [HTTP, SOCKETS])
def test_schemas_use_the_words_of_json_schema_alone(document: Any) -> None:
    """Strict linters refuse anything else."""
    schemas = list(document["components"]["schemas"].values())
    for methods in document.get("paths", {}).values():
        for operation in methods.values():
            schemas += [parameter["schema"] for parameter in operation.get("parameters", ())]
    assert keywords(schemas) - JSON_SCHEMA == set()


def test_every_operation_and_tag_is_described() -> None:
    """As people find them in generated documentation."""
    operations = [op for methods in HTTP["paths"].values() for op in methods.values()]
    assert {tag for op in operations for tag in op["tags"]} == {t["name"] for t in HTTP["tags"]}
    assert all(tag["description"] for tag in HTTP["tags"])
    assert all(op["description"] for op in (*operations, *SOCKETS["operations"].values()))
