"""Prometheus metrics. One instance per application, with its own registry."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_FAST = (0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
_SLOW = (0.001, 0.01, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class HubMetrics:
    """The hub's metrics. Subclass it, or add collectors to `registry`."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        self.connections = Gauge(
            "order_events_connections",
            "Open authenticated sockets",
            ["socket"],
            registry=self.registry,
        )
        self.messages_in = Counter(
            "order_events_messages_received",
            "Messages received, by type (`other` if unknown)",
            ["socket", "type"],
            registry=self.registry,
        )
        self.messages_out = Counter(
            "order_events_messages_sent", "Messages sent", ["socket"], registry=self.registry
        )
        self.errors = Counter(
            "order_events_errors", "`error` events sent", ["socket", "code"], registry=self.registry
        )
        self.auth_failures = Counter(
            "order_events_auth_failures",
            "Refused authentications",
            ["socket"],
            registry=self.registry,
        )
        self.reconnections = Counter(
            "order_events_reconnections",
            "Connections whose user had another one that ended less than a minute before",
            ["socket"],
            registry=self.registry,
        )
        self.processing = Histogram(
            "order_events_message_processing_seconds",
            "Time from the arrival of a message to the end of its handling",
            ["socket"],
            buckets=_FAST,
            registry=self.registry,
        )
        self.closes = Counter(
            "order_events_closes",
            "Sockets closed, by close code",
            ["socket", "code"],
            registry=self.registry,
        )
        self.outbox_messages = Gauge(
            "order_events_outbox_messages",
            "Messages waiting for clients to read them, at the last heartbeat",
            registry=self.registry,
        )
        self.outbox_fullest = Gauge(
            "order_events_outbox_fullest_bytes",
            "Bytes waiting for the client that is furthest behind, at the last heartbeat",
            registry=self.registry,
        )
        self.slow_closes = Counter(
            "order_events_slow_closes",
            "Sockets closed with 4008, because their client read too slowly",
            registry=self.registry,
        )
        self.published = Counter(
            "order_events_published", "Events committed", ["type"], registry=self.registry
        )
        self.remote = Counter(
            "order_events_remote",
            "Events of other nodes that were read from the database and fanned out here",
            registry=self.registry,
        )
        self.live = Counter(
            "order_events_live",
            "Events sent live only, without being stored",
            registry=self.registry,
        )
        self.replayed = Counter(
            "order_events_replayed",
            "Events read from the history for clients that catch up",
            registry=self.registry,
        )
        self.replays = Histogram(
            "order_events_replay_seconds",
            "Duration of a catch-up, at the pace of its client",
            buckets=_SLOW,
            registry=self.registry,
        )
        self.requests = Histogram(
            "order_events_http_request_seconds",
            "Duration of HTTP requests, by method, path of the route and status of the response",
            ["method", "path", "status"],
            buckets=_FAST,
            registry=self.registry,
        )
        self.commit = Histogram(
            "order_events_commit_seconds",
            "Duration of a group commit",
            buckets=_FAST,
            registry=self.registry,
        )
        self.commit_size = Histogram(
            "order_events_commit_changes",
            "Changes in a group commit",
            buckets=(1, 2, 5, 10, 20, 50, 100, 200),
            registry=self.registry,
        )
        self.clock_doubted = Gauge(
            "order_events_clock_doubted",
            "1 if nothing is deleted because the clock has jumped ahead",
            registry=self.registry,
        )
        self.store_queue = Gauge(
            "order_events_store_queue", "Changes waiting to be written", registry=self.registry
        )
        self.store_failures = Counter(
            "order_events_store_failures", "Group commits that failed", registry=self.registry
        )

        self.webhook_deliveries = Counter(
            "order_events_webhook_deliveries",
            "Attempts to deliver an event to a webhook, by result",
            ["result"],
            registry=self.registry,
        )

        self.disk_free = Gauge(
            "order_events_disk_free_bytes",
            "Free bytes on the disk of the database",
            registry=self.registry,
        )
        self.wal = Gauge(
            "order_events_wal_bytes",
            "Size of the write-ahead log, which is written back all the time",
            registry=self.registry,
        )
        self.clock = Gauge(
            "order_events_clock_seconds",
            "The server's clock when the metrics were read, in Unix seconds",
            registry=self.registry,
        )
        self.oldest_order = Gauge(
            "order_events_oldest_unfinished_order_seconds",
            "Age of the oldest order that is neither picked up, completed nor cancelled",
            registry=self.registry,
        )
        ProcessCollector(registry=self.registry)

    def exposition(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self.registry)
