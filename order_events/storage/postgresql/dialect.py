"""What differs between the SQL above the seam and PostgreSQL's, and what its errors mean."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import errors

from order_events.protocol.errors import InvalidOrder
from order_events.storage.database import Fault

_PLACES = re.compile(r"'[^']*'|\?(\d*)")
_HINT = re.compile(r" INDEXED BY \w+")
_STATEMENTS = 500
"""Statements whose translation is kept; the program has fewer."""
_IN_THE_WAY = (errors.SerializationFailure, errors.DeadlockDetected)
_DAMAGED = (errors.DataCorrupted, errors.IndexCorrupted)
_NOT_THE_CHANGES = (errors.InsufficientPrivilege, errors.UndefinedTable, errors.UndefinedColumn)
_OWN = (psycopg.IntegrityError, psycopg.DataError, psycopg.ProgrammingError)


@lru_cache(_STATEMENTS)
def translated(sql: str) -> bytes:
    """Return a statement with PostgreSQL's placeholders, and without SQLite's choice of an index.

    Everything else is in the common subset: `seq = restaurants.seq + 1` in an upsert, booleans as
    booleans, DOUBLE PRECISION, NULLS LAST, a name for every subquery.
    """
    count = 0

    def place(found: re.Match[str]) -> str:
        nonlocal count
        number = found[1]
        if number is None:
            return found[0]
        count += 1
        return f"${number or count}"

    return _PLACES.sub(place, _HINT.sub("", sql)).encode()


def refuse_nul(parameters: Sequence[Any]) -> None:
    """Raise InvalidOrder if a text has the character NUL, which PostgreSQL cannot hold."""
    if any(isinstance(value, str) and "\0" in value for value in parameters):
        raise InvalidOrder("a text must not contain the character NUL")


def fault(error: BaseException) -> Fault | None:
    """Return what an error means; None if it is none of PostgreSQL's."""
    if not isinstance(error, psycopg.Error):
        return None
    if isinstance(error, _IN_THE_WAY):
        return Fault.CONFLICT
    if isinstance(error, _DAMAGED):
        return Fault.DAMAGE
    if isinstance(error, _OWN) and not isinstance(error, _NOT_THE_CHANGES):
        return Fault.CHANGE
    return Fault.UNAVAILABLE
