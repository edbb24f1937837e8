"""Tokens and users whose access has been taken back before its time. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from order_events.auth.tokens import CLOCK_SKEW_S, Principal


@dataclass(frozen=True, slots=True)
class Revoked:
    """`at` is Unix time in seconds: a user's tokens issued later are good again.

    Later by more than the issuer's clock may be ahead of ours: until then nobody can tell whether a
    token was issued before or after.
    """

    restaurant_id: str
    token_id: str | None
    user_id: str | None
    at: float


class Revocations:
    """What has been revoked, in memory; the store keeps it as well."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, str], float] = {}
        self._users: dict[tuple[str, str], float] = {}

    def load(self, revoked: Iterable[Revoked]) -> None:
        """Replaces everything."""
        self._tokens.clear()
        self._users.clear()
        for entry in revoked:
            self.add(entry)

    def add(self, entry: Revoked) -> None:
        """Takes one more."""
        if entry.token_id is not None:
            self._tokens[entry.restaurant_id, entry.token_id] = entry.at
        if entry.user_id is not None:
            self._users[entry.restaurant_id, entry.user_id] = entry.at

    def forget(self, since: float) -> None:
        """Drops what was revoked before `since` (Unix seconds): those tokens have expired."""
        self._tokens = {key: at for key, at in self._tokens.items() if at >= since}
        self._users = {key: at for key, at in self._users.items() if at >= since}

    def covers(self, principal: Principal) -> bool:
        """Whether the principal's token is no longer good."""
        restaurant = principal.restaurant_id
        if principal.token_id is not None and (restaurant, principal.token_id) in self._tokens:
            return True
        at = self._users.get((restaurant, principal.user_id))
        return at is not None and principal.issued_at <= at + CLOCK_SKEW_S
