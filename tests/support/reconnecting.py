"""Breaking the connections of a server under test."""

from __future__ import annotations

from typing import Any

from order_events.app import REGISTRY


def abort_all(server: Any) -> None:
    """Cut every socket without a closing handshake, as a failing network does."""
    for connection in list(server.app[REGISTRY]._open):
        connection.abort()
