"""What a client is told about a wrong parameter, body or message."""

from __future__ import annotations

import json
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("limit=0", "limit: must be at least 1"),
        ("limit=201", "limit: must be at most 200"),
        ("limit=many", "limit: must be a whole number"),
        ("before=-1", "before: must be at least 0"),
        ("statsu=ready", "statsu: is not known here; leave it out"),
        ("status=ready&status=pending", "status: is given twice"),
        ("status=eaten", "status: must be 'pending', 'confirmed'"),
    ],
)
async def test_a_wrong_parameter_is_explained_in_plain_words(
    server: Any, query: str, says: str
) -> None:
    """The message names it, and says what it must be."""
    status, answer = await server.call("GET", f"/v1/orders?{query}")
    assert (status, answer["error"]["code"]) == (400, "INVALID_MESSAGE")
    assert answer["error"]["message"].startswith(says)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"items": []}, "items: must have 1 or more entries"),
        ({"items": [{"menu_item_id": 5}]}, "items[0].menu_item_id: must be a text"),
        ({"items": 5}, "items: must be a list"),
        (
            {"items": [{"menu_item_id": "burger", "quantity": 1.5}]},
            "items[0].quantity: must be a whole number",
        ),
        (
            {"items": [{"menu_item_id": "burger", "quantity": 1000}]},
            "items[0].quantity: must be at most 999",
        ),
        (
            {"items": [{"menu_item_id": "burger", "quantity": True}]},
            "items[0].quantity: must be a whole number",
        ),
        ([], "the body must be an object"),
    ],
)
async def test_a_wrong_body_is_explained_in_plain_words(server: Any, body: Any, says: str) -> None:
    """The location is written as in code, without our internal terms."""
    status, answer = await server.call("POST", "/v1/orders", body)
    assert (status, answer["error"]["message"]) == (400, says)


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({"type": "subscribe"}, "events: is missing; it is required"),
        (
            {"type": "subscribe", "events": ["*"], "batch_ms": "x"},
            "batch_ms: must be a whole number",
        ),
        ({"type": "ping", "id": True}, "id: must be a text or must be a whole number"),
        ({}, "type: is missing; it is required"),
        ([], "the message must be an object"),
    ],
)
async def test_a_wrong_message_is_explained_in_plain_words(
    server: Any, message: Any, says: str
) -> None:
    """The same as over HTTP."""
    client = await server.connect()
    await client.ws.send_str(json.dumps(message))
    assert (await client.expect("error"))["data"]["message"] == says
