"""Finds an issuer's keys by OpenID Connect discovery."""

from __future__ import annotations

import json

from order_events.auth.jwks import fetch
from order_events.token_settings import is_safe

WELL_KNOWN = "/.well-known/openid-configuration"


class Discovery:
    """What an issuer says of itself at its well-known address.

    It is asked anew whenever the keys are read: where they are may change.
    """

    def __init__(self, issuer: str) -> None:
        self._issuer = issuer

    def __str__(self) -> str:
        return self._issuer

    async def __call__(self) -> str:
        """Return the address of the keys; raise ValueError or what `fetch` raises."""
        try:
            content = json.loads(await fetch(self._issuer.rstrip("/") + WELL_KNOWN))
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error
        if not isinstance(content, dict) or content.get("issuer") != self._issuer:
            # Its tokens would name somebody else, or somebody else answers for it.
            raise ValueError(f"it does not call itself {self._issuer}")
        address = content.get("jwks_uri")
        if not isinstance(address, str) or not is_safe(address):
            raise ValueError("its jwks_uri is not an https:// address")
        return address
