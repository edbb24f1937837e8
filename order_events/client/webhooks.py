"""Signatures of webhooks, as the Standard Webhooks specification has them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Final

TOLERANCE_S: Final = 300.0
"""Seconds that the sender's clock may differ from ours; older deliveries may be replays."""
PREFIX: Final = "whsec_"
_VERSION: Final = "v1"


class WebhookRefused(ValueError):
    """A delivery does not come from who holds the secret, or not now. Answer it with 400."""


def sign(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the signature of a delivery; raise ValueError for a secret that is none."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError as error:
        raise ValueError("the secret of a webhook is base64, after `whsec_`") from error
    signed = f"{message_id}.{timestamp}.".encode() + body
    return f"{_VERSION},{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"


def verify_webhook(
    secret: str, headers: Mapping[str, str], body: bytes, *, tolerance_s: float = TOLERANCE_S
) -> str:
    """Return the id of a delivery, which is the same each time it is tried; raise WebhookRefused.

    `body` are the bytes as they came: JSON that was decoded and encoded again has another
    signature. Raises ValueError for a secret that is none.
    """
    given = {name.lower(): value for name, value in headers.items()}
    try:
        message_id, timestamp = given["webhook-id"], int(given["webhook-timestamp"])
        signatures = given["webhook-signature"].split()
    except (KeyError, ValueError) as error:
        raise WebhookRefused("the headers of a signed webhook are missing") from error
    if abs(time.time() - timestamp) > tolerance_s:
        raise WebhookRefused("the delivery is too old, or one of the clocks is wrong")
    expected = sign(secret, message_id, timestamp, body).encode()
    # While a secret is being replaced, there is a signature for each.
    if not any(hmac.compare_digest(expected, each.encode()) for each in signatures):
        raise WebhookRefused("the signature does not match")
    return message_id
