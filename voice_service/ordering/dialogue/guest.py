"""For whom an order is, as far as the guest has said it."""

from __future__ import annotations

from collections.abc import Iterable

from voice_service.ordering.mentions.entities import Entity, EntityType

_LONGEST = 200
"""Letters of a name, at most."""


class GuestNames:
    """The names said so far. The guest's own counts more than those of other people."""

    def __init__(self) -> None:
        self._own: str | None = None
        self._people: dict[str, None] = {}

    def hear(self, entities: Iterable[Entity]) -> None:
        """Take note of the names among the entities of an utterance."""
        for entity in entities:
            if not isinstance(entity.value, str):
                continue
            if entity.type is EntityType.NAME:
                self._own = entity.value
            else:
                self._people[entity.value] = None

    @property
    def name(self) -> str | None:
        """The name for the order: "Jessica", or "Sam, Jess" if there is something for each."""
        return (self._own or ", ".join(self._people))[:_LONGEST] or None
