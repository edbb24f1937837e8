"""Webhooks in the database. Each function is part of one transaction, or reads."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from order_events.client.webhooks import PREFIX
from order_events.domain.webhooks import Secrets, Webhook, WebhookChange, WebhookDraft
from order_events.protocol.errors import NotFound
from order_events.protocol.messages import ErrorCode, ProtocolError
from order_events.storage.damaged_rows import DamagedRow, Place
from order_events.storage.queries import Reader
from order_events.storage.transaction import Tx

_SECRET_BYTES = 32
_MOST_SECRETS = 5
"""Most secrets that are valid at a time; each is one more signature."""
_SECRETS: TypeAdapter[Secrets] = TypeAdapter(Secrets)
_TABLE = "webhooks"


@dataclass(frozen=True, slots=True)
class Kept:
    """A webhook as it is kept: its restaurant, and its secrets with their ends (Unix seconds)."""

    restaurant_id: str
    webhook: Webhook
    secrets: Secrets

    def valid_secrets(self, now: float) -> list[str]:
        """Return the secrets to sign with, the newest first."""
        return [secret for secret, end in self.secrets if end is None or end > now]


def everything(reader: Reader) -> list[Kept]:
    """Return the webhooks of all restaurants, as far as they can be read."""
    rows = reader.db.execute("SELECT restaurant_id, id, body, secrets FROM webhooks")
    readable = []
    for restaurant_id, webhook_id, body, secrets_ in rows:
        with suppress(DamagedRow):
            readable.append(_parse(reader, restaurant_id, webhook_id, body, secrets_))
    return readable


def find(reader: Reader, restaurant_id: str, webhook_id: str) -> Kept | None:
    """Return a webhook of this restaurant, or None; raise DamagedRow."""
    row = reader.db.execute(
        "SELECT body, secrets FROM webhooks WHERE restaurant_id = ? AND id = ?",
        (restaurant_id, webhook_id),
    ).fetchone()
    if row is None:
        return None
    return _parse(reader, restaurant_id, webhook_id, *row)


def listed(reader: Reader, restaurant_id: str) -> tuple[Webhook, ...]:
    """Return a restaurant's webhooks, oldest first."""
    rows = reader.db.execute(
        "SELECT id, body FROM webhooks WHERE restaurant_id = ?", (restaurant_id,)
    )
    found = reader.parse_all(Webhook, rows, _TABLE, restaurant_id)
    return tuple(sorted(found, key=lambda webhook: (webhook.created_at, webhook.id)))


def create(
    tx: Tx, restaurant_id: str, draft: WebhookDraft, actor: str, head: int, most: int
) -> Kept:
    """Add a webhook for the events after `head`; raise ProtocolError if there are too many."""
    if len(listed(tx, restaurant_id)) >= most:
        text = f"a restaurant has at most {most} webhooks; delete one first"
        raise ProtocolError(ErrorCode.INVALID_MESSAGE, text)
    webhook = Webhook(
        id=str(uuid.uuid4()),
        **dict(draft),
        epoch=tx.epoch,
        seq=head,
        created_at=tx.timestamp,
        created_by=actor,
        updated_at=tx.timestamp,
    )
    return _put(tx, Kept(restaurant_id, webhook, ((_new_secret(), None),)))


def change(tx: Tx, restaurant_id: str, webhook_id: str, asked: WebhookChange) -> Kept:
    """Apply a change. Whatever it is, the failures so far are forgotten."""
    named = {name: getattr(asked, name) for name in asked.model_fields_set}
    return _update(
        tx,
        require(tx, restaurant_id, webhook_id),
        {**named, "problem": None, "failing_since": None, "updated_at": tx.timestamp},
    )


def rotate(tx: Tx, restaurant_id: str, webhook_id: str, old_valid_s: float) -> Kept:
    """Give a webhook a new secret; the old one stays valid for that many seconds.

    Still older ones stay valid for as long as was promised, unless the old one ends at once.
    """
    kept = require(tx, restaurant_id, webhook_id)
    now = tx.at.timestamp()
    valid: Secrets = ((_new_secret(), None),)
    if old_valid_s:
        (old, _), *older = kept.secrets
        promised = ((secret, end) for secret, end in older if end is not None and end > now)
        valid = (*valid, (old, now + old_valid_s), *promised)[:_MOST_SECRETS]
    return _put(tx, Kept(restaurant_id, kept.webhook, valid))


def delete(tx: Tx, restaurant_id: str, webhook_id: str) -> Kept:
    """Remove a webhook, and return what it was."""
    kept = require(tx, restaurant_id, webhook_id)
    tx.db.execute(
        "DELETE FROM webhooks WHERE restaurant_id = ? AND id = ?", (restaurant_id, webhook_id)
    )
    return kept


def note(tx: Tx, restaurant_id: str, webhook_id: str, **fields: Any) -> None:
    """Note what came of deliveries; nothing if the webhook was deleted meanwhile."""
    kept = find(tx, restaurant_id, webhook_id)
    if kept is not None:
        _update(tx, kept, fields)


def require(reader: Reader, restaurant_id: str, webhook_id: str) -> Kept:
    """Return a webhook of this restaurant; raise NotFound."""
    kept = find(reader, restaurant_id, webhook_id)
    if kept is None:
        raise NotFound("there is no such webhook")
    return kept


def _parse(reader: Reader, restaurant_id: str, webhook_id: str, body: str, secrets_: str) -> Kept:
    webhook = reader.parse(Webhook, body, _TABLE, restaurant_id, webhook_id)
    try:
        return Kept(restaurant_id, webhook, _SECRETS.validate_json(secrets_))
    except ValidationError:
        place = Place(_TABLE, (restaurant_id, webhook_id))
        reader.damaged.append(place)
        # Not as the cause: its message quotes the content.
        raise DamagedRow(place) from None


def _update(tx: Tx, kept: Kept, fields: dict[str, Any]) -> Kept:
    webhook = kept.webhook.model_copy(update=fields)
    return _put(tx, Kept(kept.restaurant_id, webhook, kept.secrets))


def _put(tx: Tx, kept: Kept) -> Kept:
    tx.db.execute(
        "INSERT INTO webhooks (restaurant_id, id, body, secrets) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (restaurant_id, id) DO UPDATE SET body = excluded.body,"
        " secrets = excluded.secrets",
        (
            kept.restaurant_id,
            kept.webhook.id,
            kept.webhook.model_dump_json(),
            json.dumps(kept.secrets),
        ),
    )
    return kept


def _new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
