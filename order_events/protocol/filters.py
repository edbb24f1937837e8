"""Which events a subscription covers: names, patterns and filters. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

ORDER_CREATED = "order:created"
ORDER_UPDATED = "order:updated"
ORDER_STATUS = "order:status"
ORDER_ITEM_STATUS = "order:item_status"
TABLE_UPDATED = "table:updated"
PAYMENT_PROCESSED = "payment:processed"
KDS_UPDATE = "kds:update"
MENU_UPDATED = "menu:updated"
VOICE_TRANSCRIPT = "voice:transcript"
VOICE_ORDER = "voice:order"
VOICE_SESSION = "voice:session"
STAFF_CALL = "staff:call"

DOCUMENTED_EVENTS = frozenset(
    {
        ORDER_CREATED,
        ORDER_UPDATED,
        ORDER_STATUS,
        TABLE_UPDATED,
        PAYMENT_PROCESSED,
        KDS_UPDATE,
    }
)
"""The events that a connection receives until it subscribes."""

SPOKEN = frozenset({VOICE_TRANSCRIPT, VOICE_ORDER})
"""Events that contain what guests said."""

EVENTS = DOCUMENTED_EVENTS | SPOKEN | {ORDER_ITEM_STATUS, VOICE_SESSION, STAFF_CALL, MENU_UPDATED}
"""All events that can be published and subscribed to."""

ALWAYS_SENT = frozenset({"connected", "error"})
"""Documented next to the events; allowed in `subscribe`, without effect."""

Tags = Mapping[str, tuple[str, ...]]
"""The values an event can be filtered by, by filter name; a batch of orders has several."""

Value = Annotated[str, Field(strict=True, max_length=200)]


def _one_or_several(value: Any) -> Any:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


Values = Annotated[
    Annotated[tuple[Value, ...], Field(min_length=1, max_length=50)],
    BeforeValidator(_one_or_several, json_schema_input_type=Value | tuple[Value, ...]),
]
"""A value, or a list of them."""


class UnknownEvent(ValueError):
    """A name or pattern that matches no event."""


class Filters(BaseModel):
    """Filters on events. Every filter given must match; each matches any of its values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    table_id: Values | None = None
    order_id: Values | None = None
    session_id: Values | None = None
    lane: Values | None = None
    status: Values | None = None

    def given(self) -> dict[str, tuple[str, ...]]:
        """Return the filters that are set, by name."""
        return {name: value for name, value in self if value is not None}

    def match(self, tags: Tags) -> bool:
        """Return whether an event with these tags passes.

        An event without a filtered tag does not.
        """
        return all(not values.isdisjoint(tags.get(name, ())) for name, values in self._sets)

    @cached_property
    def _sets(self) -> tuple[tuple[str, frozenset[str]], ...]:
        # Cached: needed for every event, and the filters of a subscription never change.
        return tuple((name, frozenset(values)) for name, values in self.given().items())


def expand(patterns: Iterable[str]) -> frozenset[str]:
    """Return the events that names and patterns stand for; raise UnknownEvent."""
    return frozenset().union(*map(_expand, patterns))


def _expand(pattern: str) -> frozenset[str]:
    if pattern == "*":
        return EVENTS
    if pattern in EVENTS:
        return frozenset({pattern})
    if pattern in ALWAYS_SENT:
        return frozenset()
    prefix, star, rest = pattern.partition("*")
    matches = frozenset(name for name in EVENTS if name.startswith(prefix))
    if star and not rest and prefix.endswith(":") and matches:
        return matches
    raise UnknownEvent(f"there is no event {pattern!r}")


def tags(given: Mapping[str, str | Iterable[str] | None]) -> dict[str, tuple[str, ...]]:
    """Return tags from single, multiple and absent values."""
    return {
        name: (value,) if isinstance(value, str) else tuple(dict.fromkeys(value))
        for name, value in given.items()
        if value
    }
