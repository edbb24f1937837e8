"""All settings and limits of the hub, with the protocol's defaults.

Each can also be set by an environment variable: `VOICE_` and the name in capitals, except the log
level, which is `LOG_LEVEL`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]
Days = Annotated[float, Field(gt=0)]


class Retention(BaseModel):
    """How long one restaurant's history is kept; an absent field means the common setting."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: Days | None = None
    events: Count | None = None
    order_days: Days | None = None
    audit_days: Days | None = None


class HubSettings(BaseSettings):
    """The hub's settings; the voice service adds its own."""

    model_config = SettingsConfigDict(
        env_prefix="VOICE_", extra="ignore", frozen=True, env_ignore_empty=True
    )

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(3001, ge=0, le=65_535, description="Port to listen on; 0 takes a free one.")
    data_dir: Path = Field(
        Path("data"), description="Where the database and the signing secret are kept."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info",
        validation_alias=AliasChoices("log_level", "voice_log_level"),
        description="Least severe log lines to write. Transcripts appear only at debug.",
    )

    # Tokens
    jwt_secret: SecretStr | None = Field(
        None,
        description="HS256 secret, at least 32 bytes. Without one, and without a key set, a secret "
        "is made on first start and kept in the data directory.",
    )
    jwt_jwks: str | None = Field(
        None, description="File or http(s) URL of a JSON Web Key Set, for RS256 and ES256 tokens."
    )
    jwt_jwks_refresh_s: Seconds = Field(
        300, description="How often a key set is fetched again from its URL."
    )
    jwt_issuer: str | None = Field(None, description="If set, the `iss` a token must have.")
    jwt_audience: str | None = Field(None, description="If set, the `aud` a token must have.")
    token_max_lifetime_s: Seconds = Field(
        30 * 86_400, description="A token that expires later than this from now is refused."
    )
    token_max_bytes: Count = Field(8_192, description="A longer token is refused unread.")
    auth_timeout_s: Seconds = Field(
        10, description="How long a socket may stay open without authentication."
    )
    token_expiry_notice_s: Seconds = Field(
        60, description="How long before its token expires a connection is told."
    )

    # Sockets
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Origins, besides the server's own, whose pages may connect, separated by "
        "commas; `*` allows every page.",
    )
    heartbeat_s: Seconds = Field(
        30, description="How often peers are pinged; who has not answered by the next is dropped."
    )
    regular_per_minute: Count = Field(
        100, description="Messages a connection may send in a minute, other than audio."
    )
    voice_per_minute: Count = Field(
        1_000, description="Voice messages a connection may send in a minute."
    )
    bytes_per_minute: Count = Field(
        65_536_000, description="Bytes of messages a connection may send in a minute, inflated."
    )
    control_per_minute: Count = Field(
        1_000, description="WebSocket pings and pongs a connection may send in a minute, else 1008."
    )
    max_message_frames: Count = Field(
        1_024, description="Frames that one message may be split into; beyond it: close code 1009."
    )
    max_message_bytes: Count = Field(
        65_536, description="The largest message accepted, inflated; beyond it: close code 1009."
    )
    max_subscriptions: Count = Field(10, description="Active subscriptions per connection.")
    max_batch_ms: Annotated[int, Field(ge=0, le=60_000)] = Field(
        5_000, description="The longest a client may have its events held back to be batched."
    )
    batch_events: Count = Field(100, description="A batch with this many events is sent at once.")
    compression: bool = Field(True, description="Offer permessage-deflate.")
    outbox_messages: Count = Field(
        1_000, description="Messages that may wait for a slow reader before it is closed (4008)."
    )
    outbox_bytes: Count = Field(
        1_048_576, description="Bytes that may wait for a slow reader before it is closed (4008)."
    )
    close_timeout_s: Seconds = Field(
        5, description="How long a closing handshake may take before the connection is cut."
    )
    max_connections: Count = Field(
        2_000,
        description="Open sockets; beyond it: 1013. Two restaurants that use their whole share "
        "fill it: for more of such a size, raise it together with the limit of open files.",
    )
    max_connections_per_restaurant: Count = Field(
        1_000, description="Open sockets of one restaurant; beyond it: 1013."
    )
    max_connections_per_user: Count = Field(
        50, description="Open sockets of one user; beyond it: 1013."
    )
    max_unauthenticated_per_address: Count = Field(
        50,
        description="Sockets of one address that are not authenticated yet; beyond it: HTTP 429.",
    )
    idle_http_s: Seconds = Field(
        15, description="How long an HTTP connection or a half-made handshake may stay idle."
    )
    shutdown_grace_s: Seconds = Field(
        10, description="How long voice sessions may take to finish when the server stops."
    )
    shutdown_spread_ms: Count = Field(
        5_000, description="Clients are told to come back after a random part of this."
    )

    # Events
    live_per_second: Count = Field(
        5, description="Partial transcripts of one session sent to watchers in a second."
    )
    kds_per_second: Count = Field(4, description="`kds:update` of one restaurant in a second.")
    replay_chunk: Count = Field(200, description="Events read from history at a time.")
    recent_events: Count = Field(
        256, description="Events of a restaurant kept in memory for clients that resume."
    )
    recent_bytes: Count = Field(4_194_304, description="Bytes of those events at most.")
    history_bytes: Count = Field(
        1_048_576,
        description="Bytes of events read from history at a time, and in a page of `/v1/events`; "
        "at least one event is.",
    )
    retention_days: Days = Field(30, description="Older events are forgotten.")
    retention_events: Count = Field(
        200_000, description="Of one restaurant, more events than this are forgotten."
    )
    retention_order_days: Days = Field(
        400,
        description="Orders that were completed or cancelled longer ago are forgotten, with their "
        "payments.",
    )
    retention_audit_days: Days = Field(
        30,
        description="Voice sessions and the audit of orders that are older are forgotten, and what "
        "was said is taken out of the events that are left.",
    )
    retention_of: Annotated[dict[str, Retention], NoDecode] = Field(
        {},
        description="Restaurants with a retention of their own, as JSON: "
        '{"r1": {"days": 90, "events": 1000000, "order_days": 3650, "audit_days": 365}}.',
    )
    idempotency_days: Days = Field(
        7, description="How long a repeated creation is recognised by its key."
    )
    retention_interval_s: Seconds = Field(600, description="How often old events are forgotten.")

    # Store and HTTP
    store_queue: Count = Field(
        2_000, description="Changes that may wait to be written; beyond it they are refused."
    )
    store_queue_per_restaurant: Count = Field(
        1_000, description="Of these, changes of one restaurant at most."
    )
    store_reads: Count = Field(
        4_000, description="Reads that may wait; beyond it requests are refused."
    )
    store_batch: Count = Field(200, description="Changes committed to disk together at most.")
    store_busy_s: Seconds = Field(
        5, description="How long a write waits for a database that another process has locked."
    )
    http_body_bytes: Count = Field(1_048_576, description="The largest HTTP request body.")
    http_per_minute: Count = Field(
        600, description="HTTP requests of one user in a minute; beyond it: 429."
    )
    http_service_per_minute: Count = Field(
        60_000, description="The same for tokens with the role `service`."
    )
    http_strangers_per_minute: Count = Field(
        120,
        description="HTTP requests without a good token that one address may send in a minute; "
        "beyond it: 429. Health and readiness do not count.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        description="If set, what `/metrics` asks for as `Authorization: Bearer`; without it, "
        "`/metrics` is open to whoever reaches the port.",
    )
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = Field(
        (),
        description="Addresses or networks of proxies, separated by commas, whose "
        "`X-Forwarded-For` is believed: per-address limits then count the client's address.",
    )

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: Any) -> Any:
        parts = _parts(value)
        return tuple(part.rstrip("/") for part in parts) if isinstance(value, str) else parts

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _split_proxies(cls, value: Any) -> Any:
        return _parts(value)

    @field_validator("retention_of", mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _orders_outlive_keys(self) -> Self:
        kept = [r.order_days for r in self.retention_of.values() if r.order_days is not None]
        if min([self.retention_order_days, *kept]) < self.idempotency_days:
            raise ValueError("retention_order_days: at least idempotency_days")
        return self

    @field_validator("jwt_secret")
    @classmethod
    def _strong(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < 32:
            raise ValueError("the HS256 secret must have at least 32 bytes")
        return value


def _parts(value: Any) -> Any:
    """Split a string at its commas; return any other value unchanged."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value
