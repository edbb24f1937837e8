"""What can be said about a message from its text, also when it is wrong. Pure."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from pydantic_core import from_json

from order_events.protocol.diagnostics import explain
from order_events.protocol.messages import ErrorCode, ProtocolError


def size_of(text: str, limit: int) -> int:
    """Bytes of the message in UTF-8; counted only where they could exceed the limit."""
    return len(text) if len(text) * 4 <= limit else len(text.encode())


def type_of(text: str) -> str | None:
    """The message's `type`, if it is an object that has one."""
    type_ = _object(text).get("type")
    return type_ if isinstance(type_, str) else None


def named(text: str) -> tuple[str | int | None, int | None]:
    """The `id` and the audio `sequence` of a message that is wrong, where it has them."""
    message = _object(text)
    id_, data = message.get("id"), message.get("data")
    sequence = data.get("sequence") if isinstance(data, dict) else None
    short = isinstance(id_, str) and len(id_) <= 200
    return id_ if short or _small(id_) else None, sequence if _small(sequence) else None


def invalid(problem: ValidationError) -> ProtocolError:
    """INVALID_MESSAGE with the first thing that is wrong, and never what was sent."""
    # The first part of a place is the kind of message that the discriminated union has chosen.
    return ProtocolError(ErrorCode.INVALID_MESSAGE, explain(problem, skip=1, whole="the message"))


def _object(text: str) -> dict[str, Any]:
    try:
        message = from_json(text)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _small(value: Any) -> bool:
    # Type, not instance: `true` is no number here.
    return type(value) is int and -(2**63) <= value < 2**63
