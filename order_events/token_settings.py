"""The settings of tokens; `settings` has all the others."""

from __future__ import annotations

import json
from ipaddress import ip_address
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

Count = Annotated[int, Field(ge=1)]
Seconds = Annotated[float, Field(gt=0)]
Claim = Literal["sub", "restaurant_id", "role"]
RoleName = Literal["device", "server", "kitchen", "cashier", "manager", "service"]


class TokenSettings(BaseModel):
    """Which tokens are accepted, and for how long."""

    jwt_secret: SecretStr | None = Field(
        None,
        description="HS256 secret, at least 32 bytes. If neither a secret nor a key set is given, "
        "a secret is generated on first start and kept in the data directory.",
    )
    jwt_secret_previous: SecretStr | None = Field(
        None,
        description="The secret before the current one. Its tokens are accepted until they expire; "
        "none are issued with it.",
    )
    jwt_jwks: str | None = Field(
        None, description="File or http(s) URL of a JSON Web Key Set, for RS256 and ES256 tokens."
    )
    oidc_issuer: str | None = Field(
        None,
        description="Issuer of RS256 and ES256 tokens whose keys are found by OpenID Connect "
        "discovery, instead of `jwt_jwks`. Its tokens must name it (`iss`), and `jwt_audience`, "
        "which must be set: an issuer makes tokens for others, too.",
    )
    jwt_claims: Annotated[dict[Claim, str], NoDecode] = Field(
        {},
        description="What the issuer calls the claims `sub`, `restaurant_id` and `role`, as JSON; "
        'a path reaches into objects: {"restaurant_id": "org_id", "role": "realm_access.roles"}. '
        "Tokens signed with the secret keep our names.",
    )
    jwt_roles: Annotated[dict[str, RoleName], NoDecode] = Field(
        {},
        description="What the issuer calls the roles, as JSON, the one that counts most first: "
        '{"pos-admin": "manager", "pos-kitchen": "kitchen"}. Others are no roles then.',
    )
    jwt_jwks_refresh_s: Seconds = Field(
        300, description="Seconds between fetches of a key set from its URL."
    )
    jwt_jwks_max_age_s: Seconds = Field(
        86_400,
        description="Seconds for which keys stay valid while their set cannot be read; after "
        "that, tokens signed with them are answered with UNAVAILABLE.",
    )
    jwt_issuer: str | None = Field(None, description="If set, the `iss` that a token must have.")
    jwt_audience: str | None = Field(None, description="If set, the `aud` that a token must have.")
    token_max_lifetime_s: Seconds = Field(
        30 * 86_400,
        description="Longest remaining lifetime of a token, in seconds; longer ones are refused.",
    )
    token_max_bytes: Count = Field(
        8_192, description="Largest token in bytes; longer ones are refused unread."
    )
    auth_timeout_s: Seconds = Field(
        10, description="Seconds a socket may stay open without authentication."
    )
    token_expiry_notice_s: Seconds = Field(
        60, description="Seconds before a token expires at which its connection is told."
    )

    @field_validator("jwt_claims", "jwt_roles", mode="before")
    @classmethod
    def _decoded(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value

    @field_validator("oidc_issuer")
    @classmethod
    def _trustworthy(cls, value: str | None) -> str | None:
        if value is not None and not is_safe(value):
            raise ValueError("must be an https:// address")
        return value

    @model_validator(mode="after")
    def _one_issuer(self) -> Self:
        if self.oidc_issuer is not None:
            if self.jwt_audience is None:
                raise ValueError("oidc_issuer: set jwt_audience too")
            if self.jwt_jwks is not None:
                raise ValueError("oidc_issuer: its keys are found; leave jwt_jwks out")
            if self.jwt_issuer not in (None, self.oidc_issuer):
                raise ValueError("oidc_issuer: jwt_issuer is another one")
        return self

    @field_validator("jwt_secret", "jwt_secret_previous")
    @classmethod
    def _strong(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < 32:
            raise ValueError("the HS256 secret must have at least 32 bytes")
        return value


def is_safe(address: str) -> bool:
    """Return whether nobody on the way can change what an address answers."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and is_loopback_host(parts.hostname or "")


def is_loopback_host(host: str) -> bool:
    """Return whether a name or an address is this machine's own, for itself only."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
