"""The `/v1` API for webhooks: each handler with its route."""

from __future__ import annotations

from order_events.auth.roles import Action
from order_events.domain.webhooks import (
    SecretRotation,
    WebhookAnswer,
    WebhookChange,
    WebhookDraft,
    WebhooksAnswer,
    WebhookSecretAnswer,
    WebhookTest,
    WebhookTestAnswer,
)
from order_events.http.routes import Call, Nothing, route
from order_events.protocol.messages import ErrorCode
from order_events.webhooks.webhooks import Webhooks

_RIGHT = Action.MANAGE_WEBHOOKS
_ABSENT = (ErrorCode.NOT_FOUND,)


class WebhooksApi:
    """The handlers. They raise OrderError and ProtocolError."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    @route("POST", "/v1/webhooks", _RIGHT, WebhookDraft, WebhookSecretAnswer, status=201)
    async def create_webhook(self, call: Call[WebhookDraft]) -> WebhookSecretAnswer:
        """Have events sent to an address from now on. The answer shows the secret, once."""
        who = call.principal
        webhook, secret = await self._webhooks.create(
            who.restaurant_id, call.body, actor=who.user_id
        )
        return WebhookSecretAnswer(webhook=webhook, secret=secret)

    @route("GET", "/v1/webhooks", _RIGHT, Nothing, WebhooksAnswer)
    async def list_webhooks(self, call: Call[Nothing]) -> WebhooksAnswer:
        """List the webhooks, oldest first, with what keeps them from delivering."""
        return WebhooksAnswer(webhooks=await self._webhooks.list(call.principal.restaurant_id))

    @route("GET", "/v1/webhooks/{id}", _RIGHT, Nothing, WebhookAnswer, errors=_ABSENT)
    async def get_webhook(self, call: Call[Nothing]) -> WebhookAnswer:
        """Get a webhook."""
        webhook = await self._webhooks.get(call.principal.restaurant_id, call.path["id"])
        return WebhookAnswer(webhook=webhook)

    @route("PATCH", "/v1/webhooks/{id}", _RIGHT, WebhookChange, WebhookAnswer, errors=_ABSENT)
    async def change_webhook(self, call: Call[WebhookChange]) -> WebhookAnswer:
        """Change a webhook, or switch it off or on. It tries again at once."""
        webhook = await self._webhooks.change(
            call.principal.restaurant_id, call.path["id"], call.body
        )
        return WebhookAnswer(webhook=webhook)

    @route("DELETE", "/v1/webhooks/{id}", _RIGHT, Nothing, WebhookAnswer, errors=_ABSENT)
    async def delete_webhook(self, call: Call[Nothing]) -> WebhookAnswer:
        """Delete a webhook. The answer says what it was."""
        webhook = await self._webhooks.delete(call.principal.restaurant_id, call.path["id"])
        return WebhookAnswer(webhook=webhook)

    @route(
        "POST",
        "/v1/webhooks/{id}/secret",
        _RIGHT,
        SecretRotation,
        WebhookSecretAnswer,
        errors=_ABSENT,
    )
    async def rotate_webhook_secret(self, call: Call[SecretRotation]) -> WebhookSecretAnswer:
        """Give a webhook a new secret. For a while, deliveries are signed with the old one too."""
        webhook, secret = await self._webhooks.rotate(
            call.principal.restaurant_id, call.path["id"], call.body
        )
        return WebhookSecretAnswer(webhook=webhook, secret=secret)

    @route("POST", "/v1/webhooks/{id}/test", _RIGHT, WebhookTest, WebhookTestAnswer, errors=_ABSENT)
    async def send_test_webhook(self, call: Call[WebhookTest]) -> WebhookTestAnswer:
        """Send a test now, out of turn, and say what came of it."""
        return await self._webhooks.test(call.principal.restaurant_id, call.path["id"])
