"""What can be told about a message from its text, even if it is invalid. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from order_events.protocol.diagnostics import explain
from order_events.protocol.messages import ErrorCode, ProtocolError


def size_of(text: str) -> int:
    """Return the message's size in UTF-8 bytes."""
    return len(text) if text.isascii() else len(text.encode())


def type_of(text: str) -> str | None:
    """Return the message's `type`, or None if it has none."""
    type_ = _object(text).get("type")
    return type_ if isinstance(type_, str) else None


def named(text: str) -> tuple[str | int | None, int | None]:
    """Return the `id` and the audio `sequence` of an invalid message, each None if absent."""
    message = _object(text)
    id_, data = message.get("id"), message.get("data")
    sequence = data.get("sequence") if isinstance(data, dict) else None
    short = isinstance(id_, str) and len(id_) <= 200
    return id_ if short or _small(id_) else None, sequence if _small(sequence) else None


def invalid(problem: ValidationError) -> ProtocolError:
    """Return INVALID_MESSAGE for the first thing that is wrong, without repeating what was sent."""
    # The first part of the location is the message type that the union was discriminated by.
    return ProtocolError(ErrorCode.INVALID_MESSAGE, explain(problem, skip=1, whole="the message"))


def _object(text: str) -> dict[str, Any]:
    try:
        message = from_json(text)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _small(value: Any) -> bool:
    # Not isinstance: bool is a subclass of int.
    return type(value) is int and -(2**63) <= value < 2**63
