"""The `/v1` API for pairing screens and signing staff in: each handler with its route."""

from __future__ import annotations

import segno

from order_events.auth.roles import Action
from order_events.auth.screen_tokens import pairing_url
from order_events.http.routes import Call, Nothing, route
from order_events.protocol.messages import ErrorCode, ProtocolError, utc_from_unix
from order_events.screens import models
from order_events.screens.desk import PAIRING_S, Desk
from order_events.screens.devices import Screen
from order_events.storage.transaction import utc_now
from order_events.websocket.registry import ConnectionRegistry

_ABSENT = (ErrorCode.NOT_FOUND,)
_INVALID = (ErrorCode.INVALID_ORDER,)


class ScreensApi:
    """The handlers. They raise OrderError and ProtocolError."""

    def __init__(self, desk: Desk, registry: ConnectionRegistry) -> None:
        self._desk = desk
        self._registry = registry

    @route(
        "POST",
        "/v1/pairings",
        Action.MANAGE_SCREENS,
        models.PairingDraft,
        models.PairingAnswer,
        status=201,
        errors=_INVALID,
    )
    async def pair_screen(self, call: Call[models.PairingDraft]) -> models.PairingAnswer:
        """Make a code that pairs one screen within ten minutes."""
        asked, who = call.body, call.principal
        screen = Screen(who.restaurant_id, asked.role, asked.name, asked.lane)
        code = await self._desk.pair(screen, who.user_id)
        url = pairing_url(asked.address or "http://localhost:3001", code)
        return models.PairingAnswer(
            code=f"{code[:4]}-{code[4:]}",
            url=url,
            qr=segno.make(url, micro=False).svg_data_uri(scale=6, border=2),
            expires_at=utc_from_unix(utc_now().timestamp() + PAIRING_S),
        )

    @route(
        "POST",
        "/v1/pairings/claim",
        None,
        models.ClaimDraft,
        models.ClaimedAnswer,
        status=201,
        errors=(*_ABSENT, *_INVALID),
    )
    async def claim_pairing(self, call: Call[models.ClaimDraft]) -> models.ClaimedAnswer:
        """Pair a screen by its code, or by the code of a link; each works once."""
        device, credential = await self._desk.claim(call.body.code)
        return models.ClaimedAnswer(
            device_id=device.id,
            credential=credential,
            role=device.role,
            name=device.name,
            lane=device.lane,
        )

    @route("POST", "/v1/devices/token", None, models.CredentialDraft, models.DeviceTokenAnswer)
    async def issue_device_token(
        self, call: Call[models.CredentialDraft]
    ) -> models.DeviceTokenAnswer:
        """Get a token for a paired screen, and from time to time a new credential."""
        issued = await self._desk.token(call.body.credential)
        return models.DeviceTokenAnswer(
            token=issued.token,
            expires_at=utc_from_unix(issued.expires_at),
            credential=issued.credential,
        )

    @route("GET", "/v1/devices", Action.MANAGE_SCREENS, Nothing, models.DevicesAnswer)
    async def list_devices(self, call: Call[Nothing]) -> models.DevicesAnswer:
        """List the paired screens."""
        return models.DevicesAnswer(devices=await self._desk.devices(call.principal.restaurant_id))

    @route(
        "DELETE",
        "/v1/devices/{id}",
        Action.MANAGE_SCREENS,
        Nothing,
        models.RemovedAnswer,
        errors=_ABSENT,
    )
    async def remove_device(self, call: Call[Nothing]) -> models.RemovedAnswer:
        """Remove a screen: whoever is signed in there is signed out at once."""
        who = call.principal
        await self._desk.remove_device(who.restaurant_id, call.path["id"], who.user_id)
        return models.RemovedAnswer(closed=self._registry.close_revoked())

    @route("GET", "/v1/staff", Action.READ_STAFF, Nothing, models.StaffListAnswer)
    async def list_staff(self, call: Call[Nothing]) -> models.StaffListAnswer:
        """List the members of staff who can sign in with a PIN."""
        return models.StaffListAnswer(staff=await self._desk.staff(call.principal.restaurant_id))

    @route(
        "POST",
        "/v1/staff",
        Action.MANAGE_SCREENS,
        models.StaffDraft,
        models.StaffAnswer,
        status=201,
        errors=_INVALID,
    )
    async def add_staff(self, call: Call[models.StaffDraft]) -> models.StaffAnswer:
        """Add a member of staff."""
        asked = call.body
        added = await self._desk.add_staff(
            call.principal.restaurant_id, asked.name, asked.role, asked.pin
        )
        return models.StaffAnswer(staff=added)

    @route(
        "DELETE",
        "/v1/staff/{id}",
        Action.MANAGE_SCREENS,
        Nothing,
        models.RemovedAnswer,
        errors=_ABSENT,
    )
    async def remove_staff(self, call: Call[Nothing]) -> models.RemovedAnswer:
        """Remove a member of staff, who is signed out everywhere at once."""
        who = call.principal
        await self._desk.remove_staff(who.restaurant_id, call.path["id"], who.user_id)
        return models.RemovedAnswer(closed=self._registry.close_revoked())

    @route(
        "POST",
        "/v1/staff/sign-in",
        Action.SIGN_IN,
        models.SignInDraft,
        models.SignedInAnswer,
        errors=_ABSENT,
    )
    async def sign_in(self, call: Call[models.SignInDraft]) -> models.SignedInAnswer:
        """Sign a member of staff in at a paired screen, by PIN."""
        who = call.principal
        if who.screen is None:
            raise ProtocolError(ErrorCode.FORBIDDEN, "staff sign in at a paired screen")
        person, issued = await self._desk.sign_in(
            who.restaurant_id, call.body.staff_id, call.body.pin, who.screen
        )
        return models.SignedInAnswer(
            token=issued.token,
            expires_at=utc_from_unix(issued.expires_at),
            name=person.name,
            role=person.role,
        )
