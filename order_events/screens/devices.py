"""Pairings and paired screens in the database. Each function is part of one transaction.

A credential renews itself: once it is a week old, a token comes with a new one. The old one stays
good until the new one has been used, and brings the same one again, so that neither a lost answer
nor two tabs at once lock a screen out.
"""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from order_events.auth.roles import Role
from order_events.protocol.errors import InvalidOrder, NotFound
from order_events.protocol.messages import utc_from_unix
from order_events.screens.credentials import (
    credential_of,
    digest,
    new_code,
    new_secret,
    normal_code,
)
from order_events.screens.models import Device
from order_events.screens.names import free_name
from order_events.storage.queries import Reader
from order_events.storage.transaction import Tx

MOST_DEVICES = 200
"""Most paired screens of one restaurant."""
MOST_PAIRINGS = 50
"""Most codes of one restaurant that have not been used."""
RENEW_AFTER_S = 7 * 86_400
_FIELDS = "id, name, role, lane, created_at, created_by, seen_at"


@dataclass(frozen=True, slots=True)
class Screen:
    """What a screen is paired as."""

    restaurant_id: str
    role: Role
    name: str
    lane: str | None = None


def pair(tx: Tx, screen: Screen, actor: str, lifetime_s: float) -> str:
    """Make a pairing and return its code; raise InvalidOrder if too many wait."""
    now = tx.at.timestamp()
    tx.db.execute("DELETE FROM pairings WHERE expires_at <= ?", (now,))
    count = "SELECT count(*) FROM pairings WHERE restaurant_id = ?"
    if tx.db.execute(count, (screen.restaurant_id,)).fetchone()[0] >= MOST_PAIRINGS:
        raise InvalidOrder(f"{MOST_PAIRINGS} codes wait to be used; wait until they have expired")
    code = new_code()
    tx.db.execute(
        "INSERT INTO pairings (code, restaurant_id, role, name, lane, created_by, expires_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            digest(code),
            screen.restaurant_id,
            screen.role,
            screen.name,
            screen.lane,
            actor,
            now + lifetime_s,
        ),
    )
    return code


def claim(tx: Tx, code: str) -> tuple[Device, str]:
    """Pair a screen by the code of a pairing, once; return it and its credential.

    Raises NotFound.
    """
    row = tx.db.execute(
        "DELETE FROM pairings WHERE code = ? AND expires_at > ?"
        " RETURNING restaurant_id, role, name, lane, created_by",
        (digest(normal_code(code)), tx.at.timestamp()),
    ).fetchone()
    if row is None:
        raise NotFound("this code has expired, has been used, or was mistyped: get a new one")
    restaurant_id, role, name, lane, actor = row
    return _add(tx, Screen(restaurant_id, Role(role), name, lane), actor)


def claim_link(
    tx: Tx, screen: Screen, link_id: str, expires_at: float, actor: str
) -> tuple[Device, str]:
    """Pair a screen by a link, once; return it and its credential. Raises NotFound."""
    tx.db.execute("DELETE FROM used_links WHERE expires_at <= ?", (tx.at.timestamp(),))
    used = tx.db.execute(
        "INSERT INTO used_links (id, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
        (link_id, expires_at),
    )
    if used.rowcount == 0:
        raise NotFound("this link has been used: get a new one")
    return _add(tx, screen, actor)


def verify(reader: Reader, credential: str) -> tuple[Device, str]:
    """Return the screen that has this credential, and its restaurant. Raises NotFound."""
    row = _row_of(reader, credential)
    return _device(row[4:]), row[0]


def renew(tx: Tx, credential: str, successor: str) -> str | None:
    """Note that a screen was seen; return the credential that replaces its own, if it is time.

    `successor` is the secret of that one. Raises NotFound.
    """
    row = _row_of(tx, credential)
    own, renewed_at, device_id = row[1], row[3], row[4]
    now = tx.at.timestamp()
    if digest(credential) != own:
        # The new credential has arrived: from now on it is the only one.
        renewed_at = now
        tx.db.execute(
            "UPDATE devices SET credential = next, next = NULL, renewed_at = ? WHERE id = ?",
            (now, device_id),
        )
    due = now - renewed_at >= RENEW_AFTER_S
    fresh = credential_of(device_id, successor) if due else None
    tx.db.execute(
        "UPDATE devices SET seen_at = ?, next = coalesce(?, next) WHERE id = ?",
        (now, None if fresh is None else digest(fresh), device_id),
    )
    return fresh


def all_of(reader: Reader, restaurant_id: str) -> tuple[Device, ...]:
    """Return the paired screens of a restaurant, by name."""
    rows = reader.db.execute(
        f"SELECT {_FIELDS} FROM devices WHERE restaurant_id = ? ORDER BY name, id",  # noqa: S608
        (restaurant_id,),
    )
    return tuple(_device(row) for row in rows)


def remove(tx: Tx, restaurant_id: str, device_id: str) -> None:
    """Forget a screen: its credential is worth nothing any more. Raises NotFound."""
    removed = tx.db.execute(
        "DELETE FROM devices WHERE restaurant_id = ? AND id = ?", (restaurant_id, device_id)
    )
    if removed.rowcount == 0:
        raise NotFound("there is no such screen")


def _row_of(reader: Reader, credential: str) -> Sequence[Any]:
    row: Sequence[Any] | None = reader.db.execute(
        f"SELECT restaurant_id, credential, next, renewed_at, {_FIELDS} FROM devices"  # noqa: S608
        " WHERE id = ?",
        (credential.partition(".")[0],),
    ).fetchone()
    given = digest(credential)
    if row is None or not any(hmac.compare_digest(given, known) for known in row[1:3] if known):
        raise NotFound("this screen is not paired any more")
    return row


def _add(tx: Tx, screen: Screen, actor: str) -> tuple[Device, str]:
    count = "SELECT count(*) FROM devices WHERE restaurant_id = ?"
    if tx.db.execute(count, (screen.restaurant_id,)).fetchone()[0] >= MOST_DEVICES:
        raise InvalidOrder(f"a restaurant has at most {MOST_DEVICES} screens; remove one")
    screen = replace(screen, name=free_name(tx, screen.restaurant_id, screen.name))
    device_id, now = uuid.uuid4().hex, tx.at.timestamp()
    credential = credential_of(device_id, new_secret())
    tx.db.execute(
        "INSERT INTO devices (restaurant_id, id, name, role, lane, created_at, created_by,"
        " credential, renewed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?6)",
        (
            screen.restaurant_id,
            device_id,
            screen.name,
            screen.role,
            screen.lane,
            now,
            actor,
            digest(credential),
        ),
    )
    row = (device_id, screen.name, screen.role, screen.lane, now, actor, None)
    return _device(row), credential


def _device(row: Sequence[Any]) -> Device:
    id_, name, role, lane, created_at, created_by, seen_at = row
    return Device(
        id=id_,
        name=name,
        role=Role(role),
        lane=lane,
        created_at=utc_from_unix(created_at),
        created_by=created_by,
        seen_at=None if seen_at is None else utc_from_unix(seen_at),
    )
