"""For whom and for which table an order is, as far as the guest has said it."""

from __future__ import annotations

from collections.abc import Iterable

from voice_service.ordering.mentions.entities import Entity, EntityType

_LONGEST = 200
"""Letters of a name, at most."""
_LAST_TABLE = 9_999


class Guest:
    """What is known of a guest. Their own name counts more than those of other people."""

    def __init__(self) -> None:
        self._own: str | None = None
        self._people: dict[str, None] = {}
        self.table: str | None = None
        """The number of the table named last."""

    def hear(self, entities: Iterable[Entity]) -> None:
        """Take note of the names and tables among the entities of an utterance."""
        for entity in entities:
            match entity.type, entity.value:
                case EntityType.NAME, str(name):
                    self._own = name
                case _, str(name):
                    self._people[name] = None
                case EntityType.TABLE, int(number) if number <= _LAST_TABLE:
                    self.table = str(number)
                case _:
                    pass

    @property
    def name(self) -> str | None:
        """The name for the order: "Jessica", or "Sam, Jess" if there is something for each."""
        return (self._own or ", ".join(self._people))[:_LONGEST] or None
