"""Tokens of paired screens, signed with a secret of the server's own.

They are made even where tokens of all others come from elsewhere (`--jwt-jwks`), are good for
screens only, and never have the role `service`.
"""

from __future__ import annotations

import hmac
import time
import uuid
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import jwt

from order_events.auth.roles import Role
from order_events.auth.tokens import AuthError, Principal

_TOKEN = "screen+jwt"  # noqa: S105 (a media type)
_LINK = "pairing+jwt"
SCREEN_TOKEN_S = 900.0
"""How long a screen's token is valid. Removing a screen closes its sockets at once."""
SHIFT_S = 12 * 3600.0
"""How long a member of staff stays signed in."""


@dataclass(frozen=True, slots=True)
class Link:
    """What a link pairs a screen as. `id` makes sure that it does so once."""

    id: str
    restaurant_id: str
    role: Role
    name: str
    expires_at: float
    lane: str | None = None


class ScreenTokens:
    """Issues and verifies the tokens of screens, and links that pair one."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def issue(
        self,
        restaurant_id: str,
        user_id: str,
        role: Role,
        device_id: str,
        ttl_s: float,
        staff_id: str | None = None,
    ) -> tuple[str, float]:
        """Return a token for whoever uses a screen, and when it expires (Unix seconds).

        `staff_id` is that of the member of staff who signed in there, if somebody did.
        """
        now = int(time.time())
        expires_at = now + ttl_s
        claims = {
            "sub": user_id,
            "restaurant_id": restaurant_id,
            "role": role.value,
            "screen": device_id,
            "staff": staff_id,
            "iat": now,
            "exp": expires_at,
            "jti": uuid.uuid4().hex,
        }
        return self._signed(claims, _TOKEN), float(expires_at)

    def verify(self, token: str) -> Principal | None:
        """Return the principal of a screen's token; None if it is another kind of token.

        Raises AuthError.
        """
        claims = self._read(token, _TOKEN)
        if claims is None:
            return None
        return Principal(
            claims["sub"],
            claims["restaurant_id"],
            Role(claims["role"]),
            claims["jti"],
            float(claims["exp"]),
            float(claims["iat"]),
            claims["screen"],
            claims["staff"],
        )

    def successor(self, credential: str) -> str:
        """Return the secret of the credential that replaces this one.

        It is the same however often it is asked for, so that two tabs of a screen which renew at
        the same time do not take it from each other. Without our secret nobody can tell it.
        """
        keyed = hmac.new(self._secret, f"renewal\n{credential}".encode(), sha256)
        return urlsafe_b64encode(keyed.digest()).rstrip(b"=").decode()

    def link(
        self, restaurant_id: str, role: Role, name: str, ttl_s: float, lane: str | None = None
    ) -> str:
        """Return the code of a link that pairs one screen within `ttl_s` seconds."""
        claims = {
            "restaurant_id": restaurant_id,
            "role": role.value,
            "name": name,
            "lane": lane,
            "exp": time.time() + ttl_s,
            "jti": uuid.uuid4().hex,
        }
        return self._signed(claims, _LINK)

    def read_link(self, code: str) -> Link | None:
        """Return what a link says; None if this is no link. Raises AuthError."""
        claims = self._read(code, _LINK)
        if claims is None:
            return None
        return Link(
            claims["jti"],
            claims["restaurant_id"],
            Role(claims["role"]),
            claims["name"],
            float(claims["exp"]),
            claims["lane"],
        )

    def _signed(self, claims: dict[str, Any], kind: str) -> str:
        return jwt.encode(claims, self._secret, algorithm="HS256", headers={"typ": kind})

    def _read(self, token: str, kind: str) -> dict[str, Any] | None:
        try:
            if jwt.get_unverified_header(token).get("typ") != kind:
                return None
            # We sign no others, so the claims are as we wrote them.
            claims: dict[str, Any] = jwt.decode(token, self._secret, algorithms=["HS256"])
        except jwt.ExpiredSignatureError as error:
            raise AuthError("the token has expired") from error
        except (jwt.PyJWTError, ValueError, RecursionError):
            return None
        return claims


def pairing_url(address: str, code: str) -> str:
    """Return the page that pairs a screen by a code or a link, at a server's address."""
    return f"{address.rstrip('/')}/web/pair.html#code={code}"
