"""Pairs screens and signs staff in, for the HTTP API and for the command line.

Methods return once the change is on disk. They raise OrderError and ProtocolError.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from order_events.auth.revocations import Revoked, user_of_screen, user_of_staff
from order_events.auth.roles import Role
from order_events.auth.screen_tokens import SCREEN_TOKEN_S, SHIFT_S, ScreenTokens
from order_events.auth.tokens import AuthError
from order_events.protocol.errors import (
    InvalidOrder,
    NotFound,
    OrderError,
    Overloaded,
    StoreUnavailable,
)
from order_events.protocol.messages import ErrorCode, ProtocolError
from order_events.protocol.ratelimit import Buckets, refuse_above_rate
from order_events.screens import devices, staff
from order_events.screens.credentials import hash_pin, is_obvious, is_pin
from order_events.screens.devices import Screen
from order_events.screens.models import Device, Staff
from order_events.storage.store import Store
from order_events.storage.transaction import Tx

PAIRING_S = 600.0
"""How long a code pairs a screen, in seconds."""
WRONG_PINS = 20
"""Wrong PINs at one screen, whoever's, after which it waits."""
WRONG_PINS_PER_MINUTE = 0.5
_HASHES_AT_ONCE = 2
"""PINs checked at the same time: each takes a core, and 19 MiB."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A token, when it expires (Unix seconds), and the credential that replaces the screen's."""

    token: str
    expires_at: float
    credential: str | None = None


class Desk:
    """The screens and the staff of all restaurants of a process."""

    def __init__(
        self, store: Store, tokens: ScreenTokens, revoked: Callable[[Revoked], None]
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._revoked = revoked
        self._guesses: Buckets[str] = Buckets()
        self._hashing = asyncio.Semaphore(_HASHES_AT_ONCE)

    async def pair(self, screen: Screen, actor: str) -> str:
        """Return the code that pairs one screen within `PAIRING_S`."""
        _must_be_a_screens(screen.role)
        return await self._store.write(
            lambda tx: devices.pair(tx, screen, actor, PAIRING_S), screen.restaurant_id
        )

    async def claim(self, code: str) -> tuple[Device, str]:
        """Pair a screen by a code or a link; return it and its credential."""
        try:
            link = self._tokens.read_link(code)
        except AuthError as error:
            raise NotFound("this link has expired: get a new one") from error
        if link is None:
            return await self._store.write(lambda tx: devices.claim(tx, code))
        screen = Screen(link.restaurant_id, link.role, link.name, link.lane)
        return await self._store.write(
            lambda tx: devices.claim_link(tx, screen, link.id, link.expires_at, "link"),
            link.restaurant_id,
        )

    async def token(self, credential: str) -> Issued:
        """Return a token for the screen that has this credential, even if nothing can be written.

        The credential is then renewed another time.
        """
        try:
            device, restaurant_id = await self._store.read(lambda r: devices.verify(r, credential))
            fresh = await self._renewed(credential, restaurant_id)
        except NotFound as error:
            raise ProtocolError(ErrorCode.UNAUTHORIZED, str(error)) from error
        token, expires_at = self._tokens.issue(
            restaurant_id, device.name, device.role, device.id, SCREEN_TOKEN_S
        )
        return Issued(token, expires_at, fresh)

    async def devices(self, restaurant_id: str) -> tuple[Device, ...]:
        """Return the paired screens, by name."""
        return await self._store.read(lambda r: devices.all_of(r, restaurant_id), restaurant_id)

    async def remove_device(self, restaurant_id: str, device_id: str, actor: str) -> None:
        """Forget a screen and revoke its tokens; the caller closes the open connections."""

        def remove(tx: Tx) -> str:
            devices.remove(tx, restaurant_id, device_id)
            return user_of_screen(device_id)

        await self._remove(restaurant_id, remove, actor)

    async def staff(self, restaurant_id: str) -> tuple[Staff, ...]:
        """Return the staff, by name."""
        return await self._store.read(lambda r: staff.all_of(r, restaurant_id), restaurant_id)

    async def add_staff(self, restaurant_id: str, name: str, role: Role, pin: str) -> Staff:
        """Add a member of staff."""
        _must_be_a_screens(role)
        if is_obvious(pin):
            raise InvalidOrder(
                "pin: is easily guessed; choose digits that are neither all the same nor in a row"
            )
        async with self._hashing:
            hashed = await asyncio.to_thread(hash_pin, pin)
        return await self._store.write(
            lambda tx: staff.add(tx, restaurant_id, name, role, hashed), restaurant_id
        )

    async def remove_staff(self, restaurant_id: str, staff_id: str, actor: str) -> None:
        """Remove a member of staff and revoke the tokens; the caller closes the connections."""

        def remove(tx: Tx) -> str:
            staff.remove(tx, restaurant_id, staff_id)
            return user_of_staff(staff_id)

        await self._remove(restaurant_id, remove, actor)

    async def sign_in(
        self, restaurant_id: str, staff_id: str, pin: str, device_id: str
    ) -> tuple[Staff, Issued]:
        """Return a token for a member of staff at a screen.

        Raises FORBIDDEN for a wrong PIN, and RATE_LIMITED after too many: of this person, or at
        this screen.
        """
        # As with a person's, every attempt counts until its PIN turns out to be right.
        refuse_above_rate(
            self._guesses.take(
                device_id, WRONG_PINS_PER_MINUTE, asyncio.get_running_loop().time(), WRONG_PINS
            ),
            "wrong PINs at this screen",
            "wait, or sign in at another one",
        )
        try:
            who, stored = await self._store.write(
                lambda tx: staff.attempt(tx, restaurant_id, staff_id), restaurant_id
            )
        except (OrderError, ProtocolError):
            # No PIN was looked at.
            self._guesses.give_back(device_id)
            raise
        async with self._hashing:
            right = await asyncio.to_thread(is_pin, pin, stored)
        if not right:
            raise ProtocolError(ErrorCode.FORBIDDEN, "the PIN is not right")
        self._guesses.give_back(device_id)
        await self._store.write(
            lambda tx: staff.signed_in(tx, restaurant_id, staff_id), restaurant_id
        )
        token, expires_at = self._tokens.issue(
            restaurant_id, who.name, who.role, device_id, SHIFT_S, staff_id
        )
        return who, Issued(token, expires_at)

    async def _renewed(self, credential: str, restaurant_id: str) -> str | None:
        try:
            successor = self._tokens.successor(credential)
            return await self._store.write(
                lambda tx: devices.renew(tx, credential, successor), restaurant_id
            )
        except (StoreUnavailable, Overloaded):
            return None

    async def _remove(self, restaurant_id: str, remove: Callable[[Tx], str], actor: str) -> None:
        """Remove whom `remove` returns, and revoke that user's tokens: both or neither."""

        def run(tx: Tx) -> Revoked:
            revoked = Revoked(restaurant_id, None, remove(tx), time.time())
            tx.revoke(revoked, actor)
            return revoked

        self._revoked(await self._store.write(run, restaurant_id))


def _must_be_a_screens(role: Role) -> None:
    if role is Role.SERVICE:
        raise InvalidOrder("role: service is for backends, which have tokens of their own")
