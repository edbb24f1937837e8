"""For programs that follow a restaurant's events. Needs the standard library and aiohttp only."""

from order_events.client.events import Event, Events, HistoryLost, Position
from order_events.client.link import Refused, TokenSource
from order_events.client.webhooks import WebhookRefused, verify_webhook

__all__ = [
    "Event",
    "Events",
    "HistoryLost",
    "Position",
    "Refused",
    "TokenSource",
    "WebhookRefused",
    "verify_webhook",
]
