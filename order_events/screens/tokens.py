"""The screens' tokens of a server, or of all the nodes that share a database."""

from __future__ import annotations

from order_events.auth.screen_tokens import ScreenTokens
from order_events.settings import HubSettings
from order_events.storage.store import database_of

_SECRET = "screen-secret"  # noqa: S105 (a name)


def screen_tokens(settings: HubSettings) -> ScreenTokens:
    """Return what issues and verifies screens' tokens; their secret is made on first use.

    Blocks. Raises DatabaseUnusable, UnknownSchema or OSError.
    """
    return ScreenTokens(database_of(settings).secret(_SECRET))
