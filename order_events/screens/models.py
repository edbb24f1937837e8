"""What is asked and answered about paired screens and staff. Times are ISO 8601 in UTC."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from order_events.auth.roles import Role
from order_events.domain.api_models import Answer
from order_events.domain.drafts import Draft
from order_events.domain.models import Kept
from order_events.menu.entries import Id

ScreenName = Annotated[str, Field(min_length=1, max_length=60, pattern=r"\S")]
ScreenRole = Annotated[Role, Field(description="any role but `service`")]
Pin = Annotated[str, Field(pattern=r"^[0-9]{4,8}$")]
Secret = Annotated[str, Field(min_length=1, max_length=2_000)]


class PairingDraft(Draft):
    """A screen that is to be paired: what it may do, and its name. `lane` is where it stands.

    `address` is where the screen reaches the server, for the answer's `url` and `qr`.
    """

    role: ScreenRole
    name: ScreenName
    lane: Id | None = None
    address: Annotated[str, Field(pattern=r"^https?://[^\s#]+$", max_length=200)] | None = None


class PairingAnswer(Answer):
    """A code that pairs one screen. `qr` is a picture of `url`, as a `data:` URI of an SVG."""

    code: str
    url: str
    qr: str
    expires_at: str


class ClaimDraft(Draft):
    """The code of a pairing, or the one of a link."""

    code: Secret


class ClaimedAnswer(Answer):
    """The screen is paired. `credential` is its own: keep it, it is not shown again."""

    device_id: str
    credential: str
    role: Role
    name: str
    lane: str | None


class CredentialDraft(Draft):
    """A screen's credential."""

    credential: Secret


class DeviceTokenAnswer(Answer):
    """A token for the screen. If there is a `credential`, it takes the place of the old one."""

    token: str
    expires_at: str
    credential: str | None = None


class Device(Kept):
    """A paired screen. `seen_at` is when it last asked for a token."""

    id: str
    name: str
    role: Role
    lane: str | None
    created_at: str
    created_by: str
    seen_at: str | None


class DevicesAnswer(Answer):
    """The paired screens of the restaurant, by name."""

    devices: tuple[Device, ...]


class StaffDraft(Draft):
    """A member of staff. The name is what others read, and what the audit says."""

    name: ScreenName
    role: ScreenRole
    pin: Pin


class Staff(Kept):
    """A member of staff. Until `locked_until`, no PIN is accepted."""

    id: str
    name: str
    role: Role
    locked_until: str | None = None


class StaffAnswer(Answer):
    """One member of staff."""

    staff: Staff


class StaffListAnswer(Answer):
    """The staff of the restaurant, by name."""

    staff: tuple[Staff, ...]


class SignInDraft(Draft):
    """Who signs in, and the PIN."""

    staff_id: Id
    pin: Pin


class SignedInAnswer(Answer):
    """A token for the member of staff."""

    token: str
    expires_at: str
    name: str
    role: Role


class RemovedAnswer(Answer):
    """`closed` is the number of open sockets that were closed."""

    closed: int
