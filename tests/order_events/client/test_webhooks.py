"""The check of a webhook's signature."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from standardwebhooks.webhooks import Webhook as Standard

from order_events.client import WebhookRefused, verify_webhook
from order_events.client.webhooks import sign

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
BODY = b'{"type": "order:created"}'


def headers(at: float | None = None, **more: str) -> dict[str, str]:
    """Return the headers that a library of the standard makes."""
    moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    made = {
        "Webhook-Id": "m1",
        "Webhook-Timestamp": str(int(moment.timestamp())),
        "Webhook-Signature": Standard(SECRET).sign("m1", moment, BODY.decode()),
    }
    return made | more


def test_what_the_standards_own_library_signs_is_accepted() -> None:
    """Whatever the case of the headers, and with other signatures beside ours."""
    assert verify_webhook(SECRET, headers(), BODY) == "m1"
    made = headers()
    several = {**made, "Webhook-Signature": f"v1,AAAA v1a,x {made['Webhook-Signature']}"}
    assert verify_webhook(SECRET.removeprefix("whsec_"), several, BODY) == "m1"


@pytest.mark.parametrize(
    ("late_s", "changed", "body"),
    [
        (0, {}, BODY + b" "),
        (-400, {}, BODY),
        (400, {}, BODY),
        (0, {"Webhook-Id": "m2"}, BODY),
        (0, {"Webhook-Timestamp": "soon"}, BODY),
        (0, {"Webhook-Signature": ""}, BODY),
    ],
)
def test_anything_else_is_refused(late_s: float, changed: dict[str, str], body: bytes) -> None:
    """Another body, another id, an old delivery, another clock."""
    with pytest.raises(WebhookRefused):
        verify_webhook(SECRET, headers(time.time() + late_s, **changed), body)


def test_a_delivery_without_headers_is_refused() -> None:
    """They are the only proof."""
    with pytest.raises(WebhookRefused):
        verify_webhook(SECRET, {}, BODY)


def test_a_secret_that_is_none_is_a_mistake_of_the_caller() -> None:
    """Not a refused delivery: nothing would ever be accepted."""
    with pytest.raises(ValueError, match="base64"):
        sign("whsec_ü", "m", 1, b"")
