"""Names of screens and staff: what others read, and who did something. No two are the same."""

from __future__ import annotations

from itertools import chain, count

from order_events.storage.queries import Reader


def plain(name: str) -> str:
    """Return a name as it is compared: without case, and with single spaces."""
    return " ".join(name.split()).casefold()


def taken(reader: Reader, restaurant_id: str) -> set[str]:
    """Return the plain names of a restaurant's screens and staff."""
    # SQLite's own lower() knows no letters but those of ASCII.
    rows = reader.db.execute(
        "SELECT name FROM devices WHERE restaurant_id = ?1"
        " UNION ALL SELECT name FROM staff WHERE restaurant_id = ?1",
        (restaurant_id,),
    )
    return {plain(name) for (name,) in rows}


def free_name(reader: Reader, restaurant_id: str, wanted: str) -> str:
    """Return a name that nobody has: the wanted one, or that one with a number."""
    wanted, known = " ".join(wanted.split()), taken(reader, restaurant_id)
    candidates = chain((wanted,), (f"{wanted} {n}" for n in count(2)))
    return next(name for name in candidates if plain(name) not in known)
