"""Tokens signed by another issuer, checked with a key set from a file or a URL."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from order_events.auth import jwks
from order_events.auth.jwks import KeySet
from order_events.auth.tokens import AuthError, Role, authority
from order_events.settings import HubSettings

RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def public(key: Any, kid: str, **fields: Any) -> dict[str, Any]:
    """Return a key as an entry of a key set."""
    algorithm = jwt.algorithms.RSAAlgorithm if key is not EC_KEY else jwt.algorithms.ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, **fields}


def signed(key: Any, algorithm: str, kid: str | None) -> str:
    """Return a token that is valid except for its signer."""
    claims = {"sub": "u", "restaurant_id": "r1", "role": "server", "exp": time.time() + 60}
    return jwt.encode(claims, key, algorithm, headers={} if kid is None else {"kid": kid})


def key_set(*keys: dict[str, Any]) -> str:
    """Return a key set as JSON."""
    return json.dumps({"keys": list(keys)})


async def test_rs256_and_es256_tokens_are_accepted_from_a_file(tmp_path: Path) -> None:
    """Each token matches its own key; HS256 is refused, because there is no secret."""
    path = tmp_path / "keys.json"
    path.write_text(key_set(public(RSA_KEY, "a"), public(EC_KEY, "b")))
    settings = HubSettings(jwt_jwks=str(path), data_dir=tmp_path / "data")
    keys = KeySet(str(path), 300)
    tokens = authority(settings, keys)
    with pytest.raises(AuthError):
        tokens.verify(signed(RSA_KEY, "RS256", "a"))
    await keys.refresh()
    assert tokens.verify(signed(RSA_KEY, "RS256", "a")).user_id == "u"
    assert tokens.verify(signed(EC_KEY, "ES256", "b")).role is Role.SERVER
    for wrong in (
        signed(EC_KEY, "ES256", "a"),
        signed(EC_KEY, "ES256", None),
        signed(EC_KEY, "ES256", "c"),
        signed(RSA_KEY, "RS512", "a"),
        signed(RSA_KEY, "PS256", "a"),
        # The classic confusion: a public key taken as the secret of an HMAC.
        signed(b"x" * 64, "HS256", "a"),
    ):
        with pytest.raises(AuthError):
            tokens.verify(wrong)
    with pytest.raises(AuthError, match="elsewhere"):
        tokens.issue("r", "u", Role.SERVER, 60)
    assert not settings.data_dir.exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"keys": []}',
        '{"keys": [5, {"kty": "oct", "k": "AAAA"}]}',
        key_set(public(rsa.generate_private_key(public_exponent=65_537, key_size=1024), "weak")),
        key_set(public(RSA_KEY, "a", use="enc")),
        key_set(public(RSA_KEY, "a", alg="RS512")),
        json.dumps({"keys": [{}] * 101}),
        "[" * 100_000,
    ],
)
def test_a_set_without_a_usable_key_is_refused(text: str) -> None:
    """Weak, symmetric and encryption keys, and other algorithms, are not usable."""
    with pytest.raises(ValueError, match=r"key|Expecting|nested"):
        jwks.parse(text)


@pytest.mark.parametrize(
    "broken",
    [
        {"kty": "RSA", "kid": "x", "n": "@", "e": "AQAB"},
        {"kty": "RSA", "kid": "x", "n": 5, "e": "AQAB"},
        {"kty": "RSA", "kid": "x"},
        {"kty": "EC", "kid": "x", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
        {"kty": ["RSA"], "kid": {"a": 1}},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA"},
        None,
    ],
)
def test_a_broken_key_costs_only_itself(broken: Any) -> None:
    """Whatever is wrong with one key, the others are used."""
    text = json.dumps({"keys": [broken, public(RSA_KEY, "good")]})
    assert set(jwks.parse(text)) == {"good"}


async def test_keys_in_a_file_rotate(start: Any, tmp_path: Path) -> None:
    """The file is reread; while it is broken, the old keys stay."""
    path = tmp_path / "keys.json"
    path.write_text(key_set(public(RSA_KEY, "a")))
    server = await start(jwt_jwks=str(path), jwt_jwks_refresh_s=0.05)
    old, new = signed(RSA_KEY, "RS256", "a"), signed(EC_KEY, "ES256", "b")
    assert await _accepted(server, old)
    path.write_text("{")
    assert not await _accepted(server, new)
    assert await _accepted(server, old)
    path.write_text(key_set(public(EC_KEY, "b")))
    assert await _until_accepted(server, new)
    assert not await _accepted(server, old)


@pytest.mark.parametrize("early_s", [0.02, 10.0])
async def test_a_key_that_is_taken_out_is_trusted_no_longer(
    start: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, early_s: float
) -> None:
    """It is dropped at the next refresh, even if no unknown key id appears before."""
    monkeypatch.setattr(jwks, "EARLY_REFRESH_S", early_s)
    path = tmp_path / "keys.json"
    path.write_text(key_set(public(RSA_KEY, "a"), public(EC_KEY, "b")))
    server = await start(jwt_jwks=str(path), jwt_jwks_refresh_s=0.05)
    gone = signed(RSA_KEY, "RS256", "a")
    assert await _accepted(server, gone)
    path.write_text(key_set(public(EC_KEY, "b")))
    for _ in range(100):
        if not await _accepted(server, gone):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the key is still trusted")


async def test_keys_rotate_and_a_failing_source_keeps_the_old_ones(
    start: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is not ready until it has keys; an unknown key id triggers a refresh."""
    monkeypatch.setattr(jwks, "EARLY_REFRESH_S", 0.05)
    answers: list[web.Response] = [web.Response(status=500)]

    async def keys(request: web.Request) -> web.Response:
        return web.Response(status=answers[-1].status, body=answers[-1].body)

    issuer = web.Application()
    issuer.router.add_get("/keys", keys)
    runner = web.AppRunner(issuer)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
    try:
        server = await start(jwt_jwks=url)
        assert await _ready(server) == 503
        answers.append(web.Response(text=key_set(public(RSA_KEY, "a"))))
        assert await _until_accepted(server, signed(RSA_KEY, "RS256", "a"))
        assert await _ready(server) == 200
        answers.append(web.Response(text=key_set(public(EC_KEY, "b"))))
        assert await _until_accepted(server, signed(EC_KEY, "ES256", "b"))
        assert not await _accepted(server, signed(RSA_KEY, "RS256", "a"))
        answers.append(web.Response(text="x" * (jwks.MAX_BYTES + 1)))
        assert not await _accepted(server, signed(RSA_KEY, "RS256", "a"))
        assert await _accepted(server, signed(EC_KEY, "ES256", "b"))
    finally:
        await runner.cleanup()


async def _ready(server: Any) -> int:
    async with server.session.get(server.url + "/readyz") as response:
        return int(response.status)


async def _accepted(server: Any, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    async with server.session.get(server.url + "/v1/orders", headers=headers) as response:
        return bool(response.status == 200)


async def _until_accepted(server: Any, token: str) -> bool:
    for _ in range(100):
        if await _accepted(server, token):
            return True
        await asyncio.sleep(0.02)
    return False
