"""All settings and limits of the hub, with the defaults of the protocol.

Each setting is also an environment variable: `VOICE_` and its name in capitals. The log level is
`LOG_LEVEL`.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
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

from order_events.addresses import BusAddress, StoreAddress
from order_events.tls import TlsSettings
from order_events.token_settings import Count, Seconds, TokenSettings

Days = Annotated[float, Field(gt=0)]


class Retention(BaseModel):
    """How long the history of one restaurant is kept. Absent fields take the common setting."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    days: Days | None = None
    events: Count | None = None
    order_days: Days | None = None
    audit_days: Days | None = None


class HubSettings(TlsSettings, TokenSettings, BaseSettings):
    """The hub's settings; the voice service adds its own."""

    model_config = SettingsConfigDict(
        env_prefix="VOICE_", extra="ignore", frozen=True, env_ignore_empty=True
    )

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(3001, ge=0, le=65_535, description="Port to listen on; 0 picks a free one.")
    data_dir: Path = Field(
        Path("data"), description="Directory of the database and the signing secret."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info",
        validation_alias=AliasChoices("log_level", "voice_log_level"),
        description="Lowest level of log messages to write. Transcripts are logged only at "
        "`debug`.",
    )

    # Several nodes
    store: StoreAddress = Field(
        SecretStr("sqlite"),
        description="Where orders are kept: `sqlite`, a file in the data directory, or the URL of "
        "a PostgreSQL database, which several nodes may share. One with a password belongs into "
        "the variable; the option then says `postgresql`. Without a URL, libpq's variables "
        "(PGHOST, PGPASSFILE) say where it is.",
    )
    bus: BusAddress = Field(
        SecretStr("local"),
        description="How the nodes of one service wake each other: `local` for a process that has "
        "its database for itself, `postgresql` for the notifications of the database, or the URL "
        "of NATS servers, several separated by commas. One with a password belongs into the "
        "variable; the option then says `nats`.",
    )

    # Sockets
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Origins whose pages may connect and read `/v1`, besides the server's own, "
        "separated by commas. Apps in web views have origins such as `capacitor://localhost`; "
        "`null` allows files and sandboxed frames, `*` every page.",
    )
    heartbeat_s: Seconds = Field(
        30,
        description="Seconds between pings. Peers that have not answered by the next one are "
        "dropped.",
    )
    regular_per_minute: Count = Field(
        100, description="Messages per minute that a connection may send, other than audio."
    )
    voice_per_minute: Count = Field(
        1_000, description="Voice messages per minute that a connection may send."
    )
    priority_per_minute: Count = Field(
        100,
        description="`ping`, `voice:end` and `voice:finalize` per minute and connection, beside "
        "all other messages.",
    )
    bytes_per_minute: Count = Field(
        65_536_000,
        description="Bytes of messages, inflated, that a connection may send per minute.",
    )
    control_per_minute: Count = Field(
        1_000, description="WebSocket pings and pongs per minute; more: close code 1008."
    )
    max_message_frames: Count = Field(
        1_024, description="Frames that a message may be split into; more: close code 1009."
    )
    max_message_bytes: Count = Field(
        65_536, description="Largest message in bytes, inflated; larger: close code 1009."
    )
    max_subscriptions: Count = Field(10, description="Subscriptions per connection.")
    max_batch_ms: Annotated[int, Field(ge=0, le=60_000)] = Field(
        5_000, description="Longest `batch_ms` (milliseconds) that a subscription may ask for."
    )
    batch_events: Count = Field(100, description="Events in a batch at which it is sent at once.")
    compression: bool = Field(True, description="Offer permessage-deflate.")
    outbox_messages: Count = Field(
        1_000, description="Messages that may wait for a slow reader; more: close code 4008."
    )
    outbox_bytes: Count = Field(
        1_048_576, description="Bytes that may wait for a slow reader; more: close code 4008."
    )
    close_timeout_s: Seconds = Field(
        3, description="Seconds a closing handshake may take before the connection is cut."
    )
    max_connections: Count = Field(
        2_000,
        description="Open sockets in all; more: close code 1013. Two restaurants at their full "
        "share use it up. For more restaurants of that size, raise it together with the limit of "
        "open files.",
    )
    max_connections_per_restaurant: Count = Field(
        1_000, description="Open sockets per restaurant; more: close code 1013."
    )
    max_connections_per_user: Count = Field(
        50, description="Open sockets per user; more: close code 1013."
    )
    max_unauthenticated_per_address: Count = Field(
        50,
        description="Unauthenticated sockets per address; more: HTTP 429.",
    )
    max_connections_per_address: Count = Field(
        2_000,
        description="TCP connections per address, HTTP and sockets together; more are closed at "
        "once. Trusted proxies have no limit.",
    )
    idle_http_s: Seconds = Field(
        15, description="Seconds an HTTP connection or an unfinished handshake may stay idle."
    )
    shutdown_grace_s: Seconds = Field(
        5,
        description="Seconds that voice sessions have to finish when the server stops. Together "
        "with `close_timeout_s` it bounds the stop: containers are killed after 10.",
    )
    shutdown_spread_ms: Count = Field(
        5_000,
        description="When the server stops, clients are told to reconnect after a random delay of "
        "up to this many milliseconds.",
    )

    # Events
    live_per_second: Count = Field(
        5, description="Partial transcripts of a session that are sent to watchers per second."
    )
    kds_per_second: Count = Field(4, description="`kds:update` events of a restaurant per second.")
    replay_chunk: Count = Field(200, description="Events read from the history at a time.")
    recent_events: Count = Field(
        256, description="Events per restaurant that are kept in memory for clients that resume."
    )
    recent_bytes: Count = Field(
        4_194_304, description="Bytes per restaurant that these events may use."
    )
    history_bytes: Count = Field(
        1_048_576,
        description="Bytes of events that are read from the history at a time, and that a page of "
        "`/v1/events` may have. A single larger event is still sent.",
    )
    retention_days: Days = Field(30, description="Days that events are kept.")
    retention_events: Count = Field(
        200_000,
        description="Most events per restaurant that are kept; the oldest are deleted first.",
    )
    retention_order_days: Days = Field(
        400,
        description="Days that orders are kept, with their payments, after they were completed or "
        "cancelled.",
    )
    retention_audit_days: Days = Field(
        30,
        description="Days that voice sessions and the audit of orders are kept. After that, what "
        "was said is also removed from the remaining events.",
    )
    retention_of: Annotated[dict[str, Retention], NoDecode] = Field(
        {},
        description="Retention of individual restaurants, as JSON: "
        '{"r1": {"days": 90, "events": 1000000, "order_days": 3650, "audit_days": 365}}.',
    )
    recall_minutes: Annotated[float, Field(gt=0, le=1_440)] = Field(
        15, description="Minutes within which an order's last step can be taken back."
    )
    erase_orders: bool = Field(
        True,
        description="Erasing a session also erases the notes (allergies among them), the name and "
        "the special instructions of its order, once that is finished.",
    )
    idempotency_days: Days = Field(7, description="Days that an idempotency key is remembered.")
    retention_interval_s: Seconds = Field(
        600, description="Seconds between deletions of what is no longer kept."
    )

    clock_doubt_s: Seconds = Field(
        86_400,
        description="Seconds for which nothing is deleted after the clock has jumped ahead: by "
        "more than an hour while the server runs, or a week while it did not.",
    )

    # Webhooks
    webhooks_per_restaurant: Count = Field(20, description="Webhooks of one restaurant.")
    webhook_timeout_s: Seconds = Field(
        10, description="Seconds that a webhook's receiver has to answer."
    )
    webhook_off_after_hours: Annotated[float, Field(gt=0)] = Field(
        72, description="Hours of failure after which a webhook is switched off."
    )
    webhook_private_networks: bool = Field(
        False,
        description="Let webhooks lead into private networks, and be unencrypted. Anyone who may "
        "create webhooks can then reach whatever this server can.",
    )

    # Store and HTTP
    max_order_total: Count = Field(
        10_000_000,
        description="Highest total of an order, in cents; a higher one is a mistake: "
        "INVALID_ORDER.",
    )
    store_queue: Count = Field(
        2_000, description="Changes that may wait to be written; more: OVERLOADED."
    )
    store_queue_per_restaurant: Count = Field(
        1_000,
        description="Changes per restaurant that may wait to be written; more: OVERLOADED.",
    )
    store_reads: Count = Field(
        4_000, description="Reads that may wait for the database; more: UNAVAILABLE."
    )
    store_batch: Count = Field(200, description="Most changes that are committed to disk together.")
    store_busy_s: Seconds = Field(
        5, description="Seconds a write waits for a database that another process has locked."
    )
    http_body_bytes: Count = Field(
        1_048_576,
        description="Largest body of `PUT /v1/menu` in bytes; other bodies: `max_message_bytes`.",
    )
    http_per_minute: Count = Field(600, description="HTTP requests per minute and user; more: 429.")
    http_service_per_minute: Count = Field(
        60_000,
        description="HTTP requests per minute of a token with the role `service`; more: 429.",
    )
    http_strangers_per_minute: Count = Field(
        120,
        description="HTTP requests per minute and address without a valid token; more: 429. "
        "`/healthz` and `/readyz` do not count.",
    )
    http_bytes_per_user: Count = Field(
        8_388_608,
        description="Bytes of large HTTP answers that one user may be reading at a time; more: "
        "429.",
    )
    http_bytes_per_address: Count = Field(
        33_554_432, description="The same for one address, whoever is behind it."
    )
    traces: bool = Field(
        False,
        description="Make traces of requests, utterances, orders and events, and send them over "
        "OTLP to where the standard variables say (`OTEL_EXPORTER_OTLP_ENDPOINT`, "
        "`OTEL_TRACES_SAMPLER`). Needs the extra `otel`.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        description="If set, the token that `/metrics` requires as `Authorization: Bearer`. "
        "Otherwise, `/metrics` is open to anyone who can reach the port.",
    )
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        description="Names under which the server may be addressed (the header `Host`), separated "
        "by commas. Without any, a server on a loopback address takes no public name but those of "
        "`allowed_origins`, so that no foreign page can make its own name point here; others take "
        "every name.",
    )
    min_free_bytes: Count = Field(
        67_108_864,
        description="Free bytes on the disk of `data_dir` below which the server is not ready.",
    )
    trusted_proxies: Annotated[tuple[IPvAnyNetwork, ...], NoDecode] = Field(
        (),
        description="Addresses or networks of proxies, separated by commas. Their "
        "`X-Forwarded-For` is trusted, so limits per address count the client's address.",
    )

    @model_validator(mode="after")
    def _common_secret(self) -> Self:
        if self.on_postgresql and self.jwt_secret is None and self.jwt_jwks is None:
            raise ValueError(
                "a store in PostgreSQL needs VOICE_JWT_SECRET (at least 32 bytes, the same for all "
                "nodes) or VOICE_JWT_JWKS: each node would make a secret of its own"
            )
        return self

    @property
    def on_postgresql(self) -> bool:
        """True if orders are kept in PostgreSQL."""
        return self.store.get_secret_value().startswith("postgresql")

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: Any) -> Any:
        parts = _parts(value)
        return tuple(part.rstrip("/") for part in parts) if isinstance(value, str) else parts

    @field_validator("trusted_proxies", "allowed_hosts", mode="before")
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

    @field_validator("traces")
    @classmethod
    def _installed(cls, value: bool) -> bool:
        if value and find_spec("opentelemetry") is None:
            raise ValueError("install the extra otel: pip install 'voice-ordering[otel]'")
        return value


def _parts(value: Any) -> Any:
    """Split a string at its commas; return any other value unchanged."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value
