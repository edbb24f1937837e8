"""The AsyncAPI 3 document of the sockets, made from the models of their messages. Pure.

`receive` and `send` are from the server's point of view, as AsyncAPI defines them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pydantic import BaseModel

from order_events.domain import event_payloads
from order_events.protocol.messages import Auth, Ping, Subscribe, Unsubscribe
from order_events.settings import HubSettings
from order_events.specs import descriptions
from order_events.specs.json_schema import Schema, Schemas, limits

PATH = "/v1/asyncapi.json"
Model = type[BaseModel]
LIMITS = (
    "regular_per_minute",
    "priority_per_minute",
    "bytes_per_minute",
    "control_per_minute",
    "max_message_bytes",
    "max_message_frames",
    "auth_timeout_s",
    "token_max_bytes",
    "token_expiry_notice_s",
    "heartbeat_s",
    "max_connections",
    "max_connections_per_restaurant",
    "max_connections_per_user",
    "max_unauthenticated_per_address",
    "outbox_messages",
    "outbox_bytes",
)
"""Settings that bound every socket."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A client's message, and the messages that may answer it, besides `error`."""

    asks: Model
    answers: tuple[Model, ...] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """A socket: the messages of its clients, and those the server sends unprompted."""

    name: str
    address: str
    about: str
    exchanges: tuple[Exchange, ...]
    events: tuple[Model, ...]
    limits: tuple[str, ...]
    query: Schema = field(default_factory=dict)
    """Schemas of the upgrade URL's parameters, by name."""

    def with_events(self, *more: Model) -> Channel:
        """Return the same channel with more events."""
        return replace(self, events=(*self.events, *more))

    @property
    def asks(self) -> tuple[Model, ...]:
        """Every message that a client may send."""
        return tuple(exchange.asks for exchange in self.exchanges)

    @property
    def sends(self) -> tuple[Model, ...]:
        """Every message that the server may send."""
        answers = (model for exchange in self.exchanges for model in exchange.answers)
        return tuple(dict.fromkeys((*self.events, *answers, event_payloads.Error)))


SHELL_EXCHANGES = (
    Exchange(Auth, (event_payloads.AuthSuccess, event_payloads.Connected)),
    Exchange(Ping, (event_payloads.Pong,)),
)
SHELL_EVENTS = (event_payloads.Connected, event_payloads.AuthExpiring, event_payloads.GoingAway)

ROOT = Channel(
    "root",
    "/",
    "Events about orders, tables, payments and the kitchen, live and from the history. Until its "
    "first `subscribe`, a connection receives all of these that its role may see; after that, only "
    "what it subscribed to. Events that arrive before `subscribed` come again after it, so they "
    "must not move the position that you resume from. A connection opened with "
    "`?subscribe=explicit`, or with `subscribe` inside `auth`, receives none of them: open "
    "consumers that keep a position like that.",
    (
        *SHELL_EXCHANGES,
        Exchange(Subscribe, (event_payloads.Subscribed,)),
        Exchange(Unsubscribe, (event_payloads.Unsubscribed,)),
    ),
    (*SHELL_EVENTS, *event_payloads.HUB_EVENTS, event_payloads.Batch),
    (
        *LIMITS,
        "max_subscriptions",
        "max_batch_ms",
        "batch_events",
        "kds_per_second",
        "retention_days",
        "retention_events",
    ),
    {
        "subscribe": {
            "type": "string",
            "enum": ["explicit"],
            "description": "Nothing but answers is sent before the connection's own subscription.",
        }
    },
)


def document(channels: Sequence[Channel], settings: HubSettings) -> Schema:
    """Return the document as a JSON-compatible dict."""
    schemas = Schemas(
        (model for channel in channels for model in channel.asks),
        (model for channel in channels for model in channel.sends),
    )
    messages = {
        model.__name__: _message(model, schemas.taken(model))
        for channel in channels
        for model in channel.asks
    } | {
        model.__name__: _message(model, schemas.given(model))
        for channel in channels
        for model in channel.sends
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Sockets of a restaurant's orders",
            "version": "1",
            "description": "Every message is JSON in a text frame. Restaurant, user and role come "
            "from the token. Send it in the Authorization header of the upgrade request or, from a "
            "browser, in `auth` as the first message.",
            "contact": {"name": "Whoever runs this server"},
            "license": {"name": "Apache-2.0"},
            "tags": [{"name": channel.name, "description": channel.about} for channel in channels],
        },
        "defaultContentType": "application/json",
        "servers": {
            "development": {
                "host": "localhost:3001",
                "protocol": "ws",
                "security": [{"$ref": "#/components/securitySchemes/token"}],
            }
        },
        "channels": {channel.name: _channel(channel, settings) for channel in channels},
        "operations": {
            name: operation
            for channel in channels
            for name, operation in _operations(channel).items()
        },
        "components": {
            "messages": messages,
            "schemas": schemas.components,
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "Signed with HS256, RS256 or ES256. Must contain exp, sub, "
                    "restaurant_id and role.",
                }
            },
        },
        "x-error-codes": {code.value: text for code, text in descriptions.ERRORS.items()},
        "x-close-codes": {str(int(code)): text for code, text in descriptions.CLOSES.items()},
    }


def _message(model: Model, payload: Schema) -> Schema:
    [type_] = model.model_fields["type"].annotation.__args__  # type: ignore[union-attr]
    return {"name": type_, "title": type_, "summary": _about(model), "payload": payload}


def _about(model: Model) -> str:
    return " ".join((model.__doc__ or "").split())


def _channel(channel: Channel, settings: HubSettings) -> Schema:
    return {
        "address": channel.address,
        "description": channel.about,
        "messages": {
            model.__name__: {"$ref": f"#/components/messages/{model.__name__}"}
            for model in (*channel.asks, *channel.sends)
        },
        "bindings": {"ws": _binding(channel)},
        "x-limits": limits(settings, channel.limits),
    }


def _binding(channel: Channel) -> Schema:
    binding: Schema = {"method": "GET", "bindingVersion": "0.1.0"}
    if channel.query:
        binding["query"] = {"type": "object", "properties": channel.query}
    return binding


def _operations(channel: Channel) -> dict[str, Schema]:
    place = {"$ref": f"#/channels/{channel.name}"}
    operations: dict[str, Schema] = {
        f"{channel.name}{exchange.asks.__name__}": {
            "action": "receive",
            "description": _about(exchange.asks),
            "channel": place,
            "messages": [_in(channel, exchange.asks)],
            "reply": {
                "channel": place,
                "messages": [_in(channel, m) for m in (*exchange.answers, event_payloads.Error)],
            },
        }
        for exchange in channel.exchanges
    }
    operations[f"{channel.name}Events"] = {
        "action": "send",
        "description": "What the server sends without being asked, and errors.",
        "channel": place,
        "messages": [_in(channel, model) for model in (*channel.events, event_payloads.Error)],
    }
    return operations


def _in(channel: Channel, model: Model) -> Schema:
    return {"$ref": f"#/channels/{channel.name}/messages/{model.__name__}"}
