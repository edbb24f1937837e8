"""Tokens and users whose access was revoked before their tokens expired. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf

from order_events.auth.tokens import CLOCK_SKEW_S, Principal


@dataclass(frozen=True, slots=True)
class Revoked:
    """A revoked token, or a user whose tokens were revoked at `at` (Unix seconds).

    A user's tokens issued after `at` are valid again, once the difference exceeds CLOCK_SKEW_S:
    until then the issuer's clock leaves open whether a token was issued before or after.
    """

    restaurant_id: str
    token_id: str | None
    user_id: str | None
    at: float


class Revocations:
    """All revocations, in memory; the store keeps them as well."""

    def __init__(self) -> None:
        self._tokens: dict[tuple[str, str], float] = {}
        self._users: dict[tuple[str, str], float] = {}

    def load(self, revoked: Iterable[Revoked]) -> None:
        """Replace all revocations."""
        self._tokens.clear()
        self._users.clear()
        for entry in revoked:
            self.add(entry)

    def add(self, entry: Revoked) -> None:
        """Add a revocation."""
        if entry.token_id is not None:
            self._tokens[entry.restaurant_id, entry.token_id] = entry.at
        if entry.user_id is not None:
            self._users[entry.restaurant_id, entry.user_id] = entry.at

    def has(self, entry: Revoked) -> bool:
        """Return whether a revocation, or a later one of the same, is known."""
        by_token = (entry.restaurant_id, entry.token_id or "")
        by_user = (entry.restaurant_id, entry.user_id or "")
        at = self._tokens.get(by_token, -inf) if entry.token_id else self._users.get(by_user, -inf)
        return at >= entry.at

    def forget(self, since: float) -> None:
        """Drop revocations from before `since` (Unix seconds): those tokens have expired."""
        self._tokens = {key: at for key, at in self._tokens.items() if at >= since}
        self._users = {key: at for key, at in self._users.items() if at >= since}

    def covers(self, principal: Principal) -> bool:
        """Return whether the principal's token has been revoked."""
        restaurant = principal.restaurant_id
        if principal.token_id is not None and (restaurant, principal.token_id) in self._tokens:
            return True
        return any(
            principal.issued_at <= self._users.get((restaurant, user), -inf) + CLOCK_SKEW_S
            for user in _users_of(principal)
        )


def _users_of(principal: Principal) -> tuple[str, ...]:
    """Return whose revocation covers a principal: the user's, the screen's in use, the person's."""
    users = [principal.user_id]
    if principal.screen is not None:
        users.append(user_of_screen(principal.screen))
    if principal.staff is not None:
        users.append(user_of_staff(principal.staff))
    return tuple(users)


def user_of_screen(device_id: str) -> str:
    """Return the user id under which a screen is revoked, with whoever is signed in there."""
    return f"screen:{device_id}"


def user_of_staff(staff_id: str) -> str:
    """Return the user id under which a member of staff is revoked; the name may be given again."""
    return f"staff:{staff_id}"
