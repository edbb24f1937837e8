"""Which claims of an issuer's tokens say who somebody is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from order_events.token_settings import Claim


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """What an issuer calls `sub`, `restaurant_id` and `role`, and what it calls the roles.

    A name may be a path (`realm_access.roles`), unless there is a claim of just that name. A claim
    with several roles gives the first one of `roles`, in their order there.
    """

    names: Mapping[Claim, str] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)

    def read(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Return the claims under our names. What is missing or unknown is left out."""
        claims = dict(payload)
        for ours, theirs in self.names.items():
            # Otherwise a claim that happens to have our name would stand in for a missing one.
            claims.pop(ours, None)
            found = _at(payload, theirs)
            if found is not None:
                claims[ours] = found
        if self.roles:
            claims["role"] = self._role(claims.get("role"))
        return claims

    def _role(self, found: Any) -> str | None:
        theirs = {found} if isinstance(found, str) else found
        if not isinstance(theirs, list | set):
            return None
        given = [each for each in theirs if isinstance(each, str)]
        return next((ours for name, ours in self.roles.items() if name in given), None)


def _at(payload: Mapping[str, Any], name: str) -> Any:
    if name in payload:
        return payload[name]
    found: Any = payload
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found
