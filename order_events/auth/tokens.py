"""JWTs: verified into principals, and issued. Restaurant, user and role come from nowhere else."""

from __future__ import annotations

import os
import secrets
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Protocol

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from order_events.auth.claims import ClaimNames
from order_events.auth.roles import Role
from order_events.settings import HubSettings

__all__ = [
    "AuthError",
    "Keys",
    "Principal",
    "Role",
    "SharedSecret",
    "TokenAuthority",
    "UnknownKey",
    "authority",
    "check_grant",
    "load_or_make_secret",
]

SECRET_FILE = "signing-secret"  # noqa: S105 (a file's name)
CLOCK_SKEW_S = 60.0
"""How far an issuer's clock may be ahead of ours, in seconds (for `iat` and `nbf`)."""


class AuthError(Exception):
    """A token was refused. The message is safe to show and to log."""


class UnknownKey(AuthError):
    """The token's key is not known; it may be one that has just been published."""


@dataclass(frozen=True)
class Principal:
    """The user a token stands for.

    Times are Unix time in seconds; `issued_at` is 0 if the token has no `iat`. `screen` is the
    device id of the paired screen that it was issued for, `staff` the id of the member of staff who
    signed in there, if any.
    """

    user_id: str
    restaurant_id: str
    role: Role
    token_id: str | None
    expires_at: float
    issued_at: float = 0.0
    screen: str | None = None
    staff: str | None = None


class Keys(Protocol):
    """The keys that signatures are checked with."""

    def find(self, header: Mapping[str, Any]) -> tuple[Any, str]:
        """Return the key for a token's header, and its one algorithm; raise AuthError."""

    async def reread(self) -> None:
        """Wait for keys that have just been published; raise ProtocolError if that fails."""


class OtherTokens(Protocol):
    """Tokens of another kind."""

    def verify(self, token: str) -> Principal | None:
        """Return the principal; None if the token is not of this kind. Raises AuthError."""


class SharedSecret:
    """An HS256 secret of at least 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("the HS256 secret must have at least 32 bytes")
        self._secret = secret

    def find(self, header: Mapping[str, Any]) -> tuple[bytes, str]:
        """Return the secret; raise AuthError unless the header says HS256."""
        if header.get("alg") != "HS256":
            raise AuthError("the token's algorithm is not accepted")
        return self._secret, "HS256"

    async def reread(self) -> None:
        """Do nothing: a secret does not change while the process runs."""


class _Either:
    """The shared secret for HS256, the key set for any other algorithm."""

    def __init__(self, shared: SharedSecret | None, key_set: Keys | None) -> None:
        self._shared = shared
        self._key_set = key_set

    def find(self, header: Mapping[str, Any]) -> tuple[Any, str]:
        keys = self._shared if header.get("alg") == "HS256" else self._key_set
        if keys is None:
            raise AuthError("the token's algorithm is not accepted")
        return keys.find(header)

    async def reread(self) -> None:
        if self._key_set is not None:
            await self._key_set.reread()


class _Claims(BaseModel):
    """The claims a token must have; all others are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)

    sub: Annotated[str, Field(min_length=1, max_length=200)]
    restaurant_id: Annotated[str, Field(min_length=1, max_length=100)]
    role: Annotated[Role, Field(strict=False)]
    exp: float
    iat: float | None = None
    nbf: float | None = None
    jti: Annotated[str, Field(max_length=200)] | None = None


class TokenAuthority:
    """Verifies tokens, and issues them if it holds the secret."""

    def __init__(
        self,
        keys: Keys,
        *,
        secret: bytes | None = None,
        previous: bytes | None = None,
        max_lifetime_s: float = 30 * 86_400,
        max_bytes: int = 8_192,
        issuer: str | None = None,
        audience: str | None = None,
        others: OtherTokens | None = None,
        claims: ClaimNames | None = None,
    ) -> None:
        self._claim_names = claims or ClaimNames()
        self._keys = keys
        self._secret = secret
        self._previous = previous
        self._max_lifetime_s = max_lifetime_s
        self._max_bytes = max_bytes
        self._issuer = issuer
        self._audience = audience
        self._others = others

    async def reread_keys(self) -> None:
        """Wait for keys that have just been published; raise ProtocolError(UNAVAILABLE)."""
        await self._keys.reread()

    def verify(self, token: str, now: float | None = None) -> Principal:
        """Return the principal of a token at `now` (Unix seconds).

        Raises AuthError; UnknownKey, if it may be accepted after `reread_keys`.
        """
        if len(token.encode("utf-8", "surrogatepass")) > self._max_bytes:
            raise AuthError("the token is too long")
        other = None if self._others is None else self._others.verify(token)
        if other is not None:
            return other
        claims = self._claims(token)
        moment = time.time() if now is None else now
        if claims.exp <= moment:
            raise AuthError("the token has expired")
        if claims.exp > moment + self._max_lifetime_s + CLOCK_SKEW_S:
            raise AuthError("the token is valid for too long")
        starts = max(claims.iat or 0.0, claims.nbf or 0.0)
        if starts > moment + CLOCK_SKEW_S:
            raise AuthError("the token is not valid yet")
        return Principal(
            claims.sub,
            claims.restaurant_id,
            claims.role,
            claims.jti,
            float(claims.exp),
            claims.iat or 0.0,
        )

    def _claims(self, token: str) -> _Claims:
        try:
            key, algorithm = self._keys.find(jwt.get_unverified_header(token))
            payload = self._payload(token, key, algorithm)
            if algorithm != "HS256":
                # Those with the secret are our own.
                payload = self._claim_names.read(payload)
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise AuthError("the token is not valid") from error
        try:
            return _Claims.model_validate(payload)
        except ValidationError as error:
            fields = ", ".join(sorted({str(e["loc"][0]) for e in error.errors() if e["loc"]}))
            raise AuthError(f"the token's claims are not accepted: {fields}") from error

    def _payload(self, token: str, key: Any, algorithm: str) -> dict[str, Any]:
        """Return the payload of a token signed with the key, or with the secret before it."""
        try:
            return self._decoded(token, key, algorithm)
        except jwt.InvalidSignatureError:
            if algorithm != "HS256" or self._previous is None:
                raise
            return self._decoded(token, self._previous, algorithm)

    def _decoded(self, token: str, key: Any, algorithm: str) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            issuer=self._issuer,
            audience=self._audience,
            # `verify` checks the times itself, with a clock that tests can set.
            options={
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_aud": self._audience is not None,
            },
        )

    def issue(
        self,
        restaurant_id: str,
        user_id: str,
        role: Role,
        ttl_s: float,
        now: float | None = None,
    ) -> str:
        """Return a token that is valid for `ttl_s` seconds.

        Raises AuthError if no secret is held, and where `check_grant` does.
        """
        if self._secret is None:
            raise AuthError("tokens are issued elsewhere: only a key set is configured")
        check_grant(restaurant_id, user_id, ttl_s, self._max_lifetime_s)
        moment = time.time() if now is None else now
        claims = {
            "sub": user_id,
            "restaurant_id": restaurant_id,
            "role": role.value,
            "iat": int(moment),
            "exp": moment + ttl_s if ttl_s < 60 else int(moment + ttl_s),
            "jti": uuid.uuid4().hex,
        }
        if self._issuer is not None:
            claims["iss"] = self._issuer
        if self._audience is not None:
            claims["aud"] = self._audience
        return jwt.encode(claims, self._secret, algorithm="HS256")


def check_grant(restaurant_id: str, user_id: str, ttl_s: float, max_lifetime_s: float) -> None:
    """Raise AuthError if such a token would be refused; times are in seconds."""
    for what, name, longest in (("restaurant", restaurant_id, 100), ("user", user_id, 200)):
        if not name.strip():
            raise AuthError(f"the {what} must not be empty")
        if len(name) > longest:
            raise AuthError(f"the {what} may have at most {longest} characters")
    if not 0 < ttl_s <= max_lifetime_s:
        raise AuthError(
            f"a token must live more than 0 and at most {max_lifetime_s:.0f} seconds, not {ttl_s:g}"
        )


def load_or_make_secret(data_dir: Path, name: str = SECRET_FILE, *, announce: bool = True) -> bytes:
    """Return a signing secret of the data directory, creating it on first use.

    Only its owner can read the file. When it is created, a line on standard error says where, if it
    is to be announced: a token signed with another directory's secret looks like any other.

    Raises ValueError if the file holds fewer than 32 bytes.
    """
    path = data_dir / name
    data_dir.mkdir(0o700, parents=True, exist_ok=True)
    if not path.exists():
        # Written to a temporary file and linked into place, so that two processes starting at
        # once agree on one secret, and neither reads half of it.
        aside = data_dir / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_urlsafe(48).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(aside)
        except FileExistsError:
            pass
        else:
            if announce:
                print(
                    f"Made a new signing secret, {path.absolute()}: its tokens are accepted only "
                    "by servers with this data directory",
                    file=sys.stderr,
                )
        finally:
            aside.unlink()
    secret = path.read_bytes().strip()
    if len(secret) < 32:
        raise ValueError(f"{path} must hold at least 32 bytes; remove it to have one made")
    return secret


def authority(
    settings: HubSettings, key_set: Keys | None = None, others: OtherTokens | None = None
) -> TokenAuthority:
    """Return the token authority that the settings describe.

    `key_set` is the set the settings name, if they name one. A secret is created if they name
    neither a secret nor a key set.
    """
    secret: bytes | None = None
    if settings.jwt_secret is not None:
        secret = settings.jwt_secret.get_secret_value().encode()
    elif settings.jwt_jwks is None and settings.oidc_issuer is None:
        secret = load_or_make_secret(settings.data_dir)
    return TokenAuthority(
        _Either(None if secret is None else SharedSecret(secret), key_set),
        secret=secret,
        previous=_previous(settings),
        max_lifetime_s=settings.token_max_lifetime_s,
        max_bytes=settings.token_max_bytes,
        issuer=settings.jwt_issuer or settings.oidc_issuer,
        audience=settings.jwt_audience,
        others=others,
        claims=ClaimNames(settings.jwt_claims, settings.jwt_roles),
    )


def _previous(settings: HubSettings) -> bytes | None:
    previous = settings.jwt_secret_previous
    return None if previous is None else previous.get_secret_value().encode()
