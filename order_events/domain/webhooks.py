"""Webhooks: addresses to which a restaurant's events are sent as they happen."""

from __future__ import annotations

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from order_events.domain.drafts import Draft
from order_events.domain.models import Kept
from order_events.protocol.filters import Filters, UnknownEvent, expand

Url = Annotated[str, Field(min_length=1, max_length=2_000)]
Names = Annotated[
    tuple[Annotated[str, Field(max_length=50)], ...], Field(min_length=1, max_length=50)
]
Description = Annotated[str, Field(max_length=500)]
Secrets = Annotated[tuple[tuple[str, float | None], ...], Field(min_length=1)]
"""A webhook's secrets, the newest first, with their ends (Unix seconds)."""


class _Checked(Draft):
    @field_validator("url", check_fields=False)
    @classmethod
    def _address(cls, url: str | None) -> str | None:
        if url is not None:
            try:
                parts = urlsplit(url)
                _ = parts.port
            except ValueError:
                raise ValueError("is not an address") from None
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("must begin with https:// and name a host")
            if parts.username is not None or parts.password is not None:
                raise ValueError("must not contain a user or password; check the signature instead")
        return url

    @field_validator("events", check_fields=False)
    @classmethod
    def _known(cls, events: tuple[str, ...] | None) -> tuple[str, ...] | None:
        if events is not None:
            try:
                expand(events)
            except UnknownEvent as error:
                raise ValueError(str(error)) from None
        return events


class WebhookDraft(_Checked):
    """A new webhook. `events` (names or patterns) and `filters` are those of `subscribe`."""

    url: Url
    events: Names = ("*",)
    filters: Filters = Filters()
    description: Description | None = None


class WebhookChange(_Checked):
    """A change to a webhook. Fields that are absent stay as they are.

    A webhook that is switched on again continues where it stopped, as far as history reaches back.
    """

    url: Url | None = None
    events: Names | None = None
    filters: Filters | None = None
    description: Description | None = None
    enabled: bool | None = None

    @model_validator(mode="after")
    def _given(self) -> Self:
        missing = {"url", "events", "filters", "enabled"} & self.model_fields_set
        if any(getattr(self, name) is None for name in missing):
            raise ValueError("url, events, filters and enabled must not be null")
        return self


class SecretRotation(Draft):
    """For how many hours deliveries are signed with the old secret too."""

    old_valid_hours: Annotated[float, Field(ge=0, le=168)] = 24


class WebhookTest(Draft):
    """Asks for a test. It has no fields: the body is `{}`."""


class Webhook(Kept):
    """A webhook. Every matching event after `seq` of `epoch` is still to be delivered.

    `problem` says why the last delivery failed, why nothing can be delivered, or why the webhook
    was switched off. The receiver has failed since `failing_since`.
    """

    id: str
    url: str
    events: tuple[str, ...]
    filters: Filters = Filters()
    description: str | None = None
    enabled: bool = True
    problem: str | None = None
    failing_since: str | None = None
    epoch: str
    seq: int
    created_at: str
    created_by: str
    updated_at: str


class WebhookAnswer(BaseModel):
    """A webhook."""

    model_config = ConfigDict(frozen=True)

    webhook: Webhook


class WebhookSecretAnswer(BaseModel):
    """A webhook and its secret, which is shown this once."""

    model_config = ConfigDict(frozen=True)

    webhook: Webhook
    secret: str


class WebhooksAnswer(BaseModel):
    """The restaurant's webhooks, oldest first."""

    model_config = ConfigDict(frozen=True)

    webhooks: tuple[Webhook, ...]


class WebhookTestAnswer(BaseModel):
    """What came of a test: the status of the answer, or what went wrong."""

    model_config = ConfigDict(frozen=True)

    delivered: bool
    status: int | None
    problem: str | None
