"""Tokens: which are accepted, for how long, and the secret they are signed with."""

from __future__ import annotations

import stat
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError

from order_events.auth.tokens import (
    AuthError,
    Role,
    SharedSecret,
    TokenAuthority,
    authority,
    load_or_make_secret,
)
from order_events.settings import HubSettings

SECRET = b"s" * 32
NOW = 1_800_000_000.0
CLAIMS = {"sub": "u", "restaurant_id": "r", "role": "server", "exp": NOW + 60}


def tokens(**options: Any) -> TokenAuthority:
    """Return an authority with a known secret."""
    return TokenAuthority(SharedSecret(SECRET), secret=SECRET, **options)


def signed(secret: bytes = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    """Return a token with some claims changed; None removes one."""
    claims = {k: v for k, v in {**CLAIMS, **changes}.items() if v is not None}
    return jwt.encode(claims, secret, algorithm=algorithm)


def test_a_good_token_is_its_principal() -> None:
    """Restaurant, user, role and expiry come from the claims."""
    principal = tokens().verify(signed(jti="t1"), NOW)
    assert (principal.user_id, principal.restaurant_id) == ("u", "r")
    assert (principal.role, principal.token_id) == (Role.SERVER, "t1")
    assert principal.expires_at == NOW + 60


@pytest.mark.parametrize("claim", ["sub", "restaurant_id", "role", "exp"])
def test_every_required_claim_is_required(claim: str) -> None:
    """PyJWT itself would accept a token without `exp`."""
    with pytest.raises(AuthError):
        tokens().verify(signed(**{claim: None}), NOW)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        signed(secret=b"x" * 32),
        signed(secret=b"s" * 64, algorithm="HS512"),
        jwt.encode(CLAIMS, "", algorithm="none"),
        signed(role="owner"),
        signed(role=["server"]),
        signed(restaurant_id=""),
        signed(restaurant_id=5),
        signed(exp="soon"),
        signed(exp=1e300),
        signed(exp=NOW),
        signed(exp=NOW - 1),
        signed(iat=NOW + 120),
        signed(nbf=NOW + 120),
        signed(sub="x" * 201),
    ],
)
def test_a_wrong_token_is_refused(token: str) -> None:
    """Each raises AuthError and nothing else."""
    with pytest.raises(AuthError):
        tokens().verify(token, NOW)


def test_expiry_lifetime_and_size_are_bounded_from_both_sides() -> None:
    """A token just inside each bound passes; one just outside is refused."""
    limited = tokens(max_lifetime_s=1000, max_bytes=400)
    limited.verify(signed(exp=NOW + 0.001), NOW)
    limited.verify(signed(exp=NOW + 1060), NOW)
    with pytest.raises(AuthError, match="too long"):
        limited.verify(signed(exp=NOW + 1061), NOW)
    padding = 400 - len(signed(pad=""))
    fits = max(
        (signed(pad="p" * n) for n in range(padding) if len(signed(pad="p" * n)) <= 400), key=len
    )
    limited.verify(fits, NOW)
    with pytest.raises(AuthError, match="too long"):
        limited.verify(signed(pad="p" * 400), NOW)


def test_a_secret_has_at_least_32_bytes() -> None:
    """31 bytes are refused, by the settings as well."""
    SharedSecret(b"x" * 32)
    with pytest.raises(ValueError, match="32"):
        SharedSecret(b"x" * 31)
    HubSettings(jwt_secret="x" * 32)
    with pytest.raises(ValidationError, match="32"):
        HubSettings(jwt_secret="x" * 31)


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda b: b.decode("latin1")))
def test_garbage_is_never_more_than_a_refusal(text: str) -> None:
    """No input makes the verifier raise anything but AuthError."""
    with pytest.raises(AuthError):
        tokens().verify(text, NOW)


def test_issuer_and_audience_are_checked_where_set() -> None:
    """A token for another service is refused."""
    strict = tokens(issuer="me", audience="hub")
    assert strict.verify(strict.issue("r", "u", Role.SERVER, 60, NOW), NOW).user_id == "u"
    for wrong in ({"iss": "other", "aud": "hub"}, {"iss": "me", "aud": "other"}, {}):
        with pytest.raises(AuthError):
            strict.verify(signed(**wrong), NOW)


def test_a_secret_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    """The first start creates it; later starts and other processes use the same."""
    settings = HubSettings(data_dir=tmp_path / "new" / "data")
    token = authority(settings).issue("r", "u", Role.SERVER, 60)
    assert authority(settings).verify(token).user_id == "u"
    path = settings.data_dir / "signing-secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(settings.data_dir.iterdir()) == [path]
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        load_or_make_secret(settings.data_dir)


def test_a_secret_can_be_rotated_without_signing_anybody_out() -> None:
    """Tokens of the previous one are accepted until they expire; new ones have the new one."""
    old, new = "o" * 32, "n" * 32
    before = authority(HubSettings(jwt_secret=SecretStr(old)))
    after = authority(HubSettings(jwt_secret=SecretStr(new), jwt_secret_previous=SecretStr(old)))
    token = before.issue("r1", "u1", Role.SERVER, 60)
    assert after.verify(token).user_id == "u1"
    with pytest.raises(AuthError):
        after.verify(token, time.time() + 61)
    with pytest.raises(AuthError):
        before.verify(after.issue("r1", "u1", Role.SERVER, 60))
    with pytest.raises(AuthError):
        after.verify(jwt.encode({"sub": "u1"}, "x" * 32, "HS256"))
