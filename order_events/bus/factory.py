"""Makes the bus that the settings ask for."""

from __future__ import annotations

from order_events.bus.bus import Bus, LocalBus
from order_events.settings import HubSettings


class BusUnusable(ValueError):
    """The settings ask for a bus that cannot be used."""


def make_bus(settings: HubSettings, node: str) -> Bus:
    """Return the bus of a node; raise BusUnusable."""
    address = settings.bus.get_secret_value()
    if address.startswith(("nats://", "tls://")):
        try:
            # Only here: who runs one process need not have installed it.
            from order_events.bus.nats_bus import NatsBus  # noqa: PLC0415
        except ImportError as error:
            raise BusUnusable("NATS needs nats-py: install the extra `cluster`") from error
        return NatsBus(address, node)
    if address.startswith("postgresql"):
        store = settings.store.get_secret_value()
        own = address if "://" in address else store
        if not own.startswith("postgresql"):
            raise BusUnusable("--bus postgresql needs a URL in VOICE_BUS, or --store postgresql")
        try:
            from order_events.bus.postgresql_bus import PostgresqlBus  # noqa: PLC0415
        except ImportError as error:
            raise BusUnusable("PostgreSQL needs psycopg: install the extra `cluster`") from error
        return PostgresqlBus(own, node)
    return LocalBus()
