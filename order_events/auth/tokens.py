"""From a JWT to a principal. Restaurant, user and role come from the token, from nowhere else."""

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

from order_events.auth.roles import Role
from order_events.settings import HubSettings

__all__ = [
    "AuthError",
    "Keys",
    "Principal",
    "Role",
    "SharedSecret",
    "TokenAuthority",
    "authority",
    "check_grant",
    "load_or_make_secret",
]

SECRET_FILE = "signing-secret"  # noqa: S105 (a file's name)
CLOCK_SKEW_S = 60.0
"""How far an issuer's clock may be ahead of ours, in seconds (for `iat` and `nbf`)."""


class AuthError(Exception):
    """The token is not accepted. The message is safe to show and to log."""


@dataclass(frozen=True)
class Principal:
    """Who is connected, from its token.

    Times are Unix time in seconds; `issued_at` is 0 where the token does not say.
    """

    user_id: str
    restaurant_id: str
    role: Role
    token_id: str | None
    expires_at: float
    issued_at: float = 0.0


class Keys(Protocol):
    """Where signatures are checked."""

    def find(self, header: Mapping[str, Any]) -> tuple[Any, str]:
        """The key and its one algorithm for a token's header; raises AuthError."""


class SharedSecret:
    """HS256 with a secret of at least 32 bytes."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("the HS256 secret must have at least 32 bytes")
        self._secret = secret

    def find(self, header: Mapping[str, Any]) -> tuple[bytes, str]:
        """The secret; only for tokens that say HS256."""
        if header.get("alg") != "HS256":
            raise AuthError("the token's algorithm is not accepted")
        return self._secret, "HS256"


class _Either:
    """The shared secret for HS256, the key set for everything else."""

    def __init__(self, shared: SharedSecret | None, key_set: Keys | None) -> None:
        self._shared = shared
        self._key_set = key_set

    def find(self, header: Mapping[str, Any]) -> tuple[Any, str]:
        keys = self._shared if header.get("alg") == "HS256" else self._key_set
        if keys is None:
            raise AuthError("the token's algorithm is not accepted")
        return keys.find(header)


class _Claims(BaseModel):
    """Claims as they must be; anything else in the token is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, allow_inf_nan=False)

    sub: Annotated[str, Field(min_length=1, max_length=200)]
    restaurant_id: Annotated[str, Field(min_length=1, max_length=100)]
    role: Annotated[Role, Field(strict=False)]
    exp: float
    iat: float | None = None
    nbf: float | None = None
    jti: Annotated[str, Field(max_length=200)] | None = None


class TokenAuthority:
    """Verifies tokens, and issues them where it holds the secret."""

    def __init__(
        self,
        keys: Keys,
        *,
        secret: bytes | None = None,
        max_lifetime_s: float = 30 * 86_400,
        max_bytes: int = 8_192,
        issuer: str | None = None,
        audience: str | None = None,
    ) -> None:
        self._keys = keys
        self._secret = secret
        self._max_lifetime_s = max_lifetime_s
        self._max_bytes = max_bytes
        self._issuer = issuer
        self._audience = audience

    def verify(self, token: str, now: float | None = None) -> Principal:
        """The principal a token stands for at `now` (Unix seconds); raises AuthError."""
        if len(token.encode("utf-8", "surrogatepass")) > self._max_bytes:
            raise AuthError("the token is too long")
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
            payload = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=self._issuer,
                audience=self._audience,
                # Times are checked here, with a clock that tests can turn.
                options={
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "verify_aud": self._audience is not None,
                },
            )
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise AuthError("the token is not valid") from error
        try:
            return _Claims.model_validate(payload)
        except ValidationError as error:
            fields = ", ".join(sorted({str(e["loc"][0]) for e in error.errors() if e["loc"]}))
            raise AuthError(f"the token's claims are not accepted: {fields}") from error

    def issue(
        self,
        restaurant_id: str,
        user_id: str,
        role: Role,
        ttl_s: float,
        now: float | None = None,
    ) -> str:
        """A token that lives `ttl_s` seconds.

        Raises AuthError where no secret is held, or where `check_grant` does.
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
    """Raises AuthError for a token that would be refused; times are in seconds."""
    for what, name, longest in (("restaurant", restaurant_id, 100), ("user", user_id, 200)):
        if not name.strip():
            raise AuthError(f"the {what} must not be empty")
        if len(name) > longest:
            raise AuthError(f"the {what} may have at most {longest} characters")
    if not 0 < ttl_s <= max_lifetime_s:
        raise AuthError(
            f"a token must live more than 0 and at most {max_lifetime_s:.0f} seconds, not {ttl_s:g}"
        )


def load_or_make_secret(data_dir: Path) -> bytes:
    """The data directory's signing secret, made (readable by its owner only) on first use.

    A line on standard error says that it was made, and where: a token signed with the secret of
    the wrong directory looks like any other.

    Raises ValueError when the file holds fewer than 32 bytes.
    """
    path = data_dir / SECRET_FILE
    data_dir.mkdir(0o700, parents=True, exist_ok=True)
    if not path.exists():
        # Written aside and linked into place: two first starts at once agree on one secret, and
        # nobody ever reads half of it.
        aside = data_dir / f".{SECRET_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
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
            print(
                f"Made a new signing secret, {path.absolute()}: its tokens are accepted only by "
                "servers with this data directory",
                file=sys.stderr,
            )
        finally:
            aside.unlink()
    secret = path.read_bytes().strip()
    if len(secret) < 32:
        raise ValueError(f"{path} must hold at least 32 bytes; remove it to have one made")
    return secret


def authority(settings: HubSettings, key_set: Keys | None = None) -> TokenAuthority:
    """The authority that the settings describe; `key_set` is the one they name, if they do.

    A secret is made where the settings name neither a secret nor a key set.
    """
    secret: bytes | None = None
    if settings.jwt_secret is not None:
        secret = settings.jwt_secret.get_secret_value().encode()
    elif settings.jwt_jwks is None:
        secret = load_or_make_secret(settings.data_dir)
    return TokenAuthority(
        _Either(None if secret is None else SharedSecret(secret), key_set),
        secret=secret,
        max_lifetime_s=settings.token_max_lifetime_s,
        max_bytes=settings.token_max_bytes,
        issuer=settings.jwt_issuer,
        audience=settings.jwt_audience,
    )
