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


def redacted(type_: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return `data` without the guest's words; the order itself stays."""
    return {**data, **_EMPTY[type_], "redacted": True}


def redacted_body(type_: str, body: bytes) -> bytes:
    """Return an encoded event without the guest's words."""
    message = json.loads(body)
    return encode({**message, "data": redacted(type_, message["data"])})
