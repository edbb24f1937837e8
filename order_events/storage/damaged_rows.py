"""Rows whose content cannot be read: noted, left out of lists, and found again by `check`.

A row that cannot be read is our fault or the disk's, never the client's.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TypeVar

import structlog
from pydantic import BaseModel, ValidationError

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)
_NOTED = 1_000

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row is: its table, and the values of its key."""

    table: str
    key: tuple[str | int, ...]

    def __str__(self) -> str:
        return f"{self.table} {' '.join(map(str, self.key))}"


class DamagedRow(Exception):
    """A row cannot be read. The message says where it is, and nothing of its content."""

    def __init__(self, place: Place) -> None:
        super().__init__(f"this row is damaged: {place}")
        self.place = place


class Readable(list[T]):
    """The entries of a list that could be read; `damaged` is how many could not."""

    damaged = 0


class DamagedRows:
    """The damaged rows found since the start. Thread-safe."""

    def __init__(self) -> None:
        self._places: set[Place] = set()
        self._lock = threading.Lock()

    def note(self, place: Place) -> None:
        """Remember a damaged row, and log it the first time."""
        with self._lock:
            if place in self._places or len(self._places) >= _NOTED:
                return
            self._places.add(place)
        logger.error("a row is damaged", table=place.table, key=place.key)

    @property
    def trouble(self) -> str | None:
        """What to do about them, or None if there are none."""
        if not self._places:
            return None
        return (
            f"{len(self._places)} damaged rows were found: stop the server and run "
            "`python -m order_events check --set-aside`"
        )


def parse(model: type[M], body: str | bytes, place: Place) -> M:
    """Return what a row contains; raise DamagedRow."""
    try:
        return model.model_validate_json(body)
    except ValidationError:
        # Not as the cause: its message quotes the content.
        raise DamagedRow(place) from None
