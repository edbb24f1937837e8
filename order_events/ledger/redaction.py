"""Removes what was said from events, which keep their places in history. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from order_events.protocol import filters
from order_events.protocol.messages import encode

_EMPTY: dict[str, dict[str, Any]] = {
    filters.VOICE_TRANSCRIPT: {"text": "", "words": []},
    filters.VOICE_ORDER: {"readback": "", "reasons": [], "matched": []},
}
"""By event type, the fields that contain the guest's words, and what replaces them."""
_WORDS_OF_ORDERS = frozenset({"notes", "customer_name", "special_instructions"})
"""The fields of orders and their lines that may contain the guest's words."""


def redacted(type_: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return `data` without the guest's words; the order itself stays."""
    return {**data, **_EMPTY[type_], "redacted": True}


def redacted_body(type_: str, body: bytes) -> bytes:
    """Return an encoded event without the guest's words."""
    message = json.loads(body)
    return encode({**message, "data": redacted(type_, message["data"])})


def without_words(content: Any) -> Any:
    """Return an order, a line, or whatever contains them, without the guest's words.

    Those are notes, names, instructions, and the texts beside the codes of `attention`.
    """
    if isinstance(content, dict):
        return {name: _without(name, value) for name, value in content.items()}
    return [without_words(entry) for entry in content] if isinstance(content, list) else content


def _without(name: str, value: Any) -> Any:
    if name in _WORDS_OF_ORDERS:
        return None
    if name == "attention":
        return [{**entry, "text": ""} for entry in value or ()]
    return without_words(value)


def without_words_of(order_id: str, body: bytes) -> bytes:
    """Return an encoded event about an order without its words; other orders in it stay."""
    message = json.loads(body)
    data = message["data"]
    if "orders" in data:
        orders = [without_words(o) if o.get("id") == order_id else o for o in data["orders"]]
        return encode({**message, "data": {**data, "orders": orders}})
    return encode({**message, "data": without_words(data)})
