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
    return LocalBus()
