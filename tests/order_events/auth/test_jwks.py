"""Tokens signed by another issuer, checked with a key set from a file or a URL."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from order_events.auth import jwks
from order_events.auth.jwks import KeySet
from order_events.auth.tokens import AuthError, Role, UnknownKey, authority
from order_events.settings import HubSettings
from order_events.websocket import registry

RSA_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def public(key: Any, kid: str, **fields: Any) -> dict[str, Any]:
    """Return a key as an entry of a key set."""
    algorithm = jwt.algorithms.RSAAlgorithm if key is not EC_KEY else jwt.algorithms.ECAlgorithm
    return {**algorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, **fields}


def signed(key: Any, algorithm: str, kid: str | None) -> str:
    """Return a token that is valid except for its signer."""
    claims = {"sub": "u", "restaurant_id": "r1", "role": "server", "exp": time.time() + 600}
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


class Issuer:
    """A key server; `answers` is what it says, and `reads` how often it was asked."""

    def __init__(self) -> None:
        self.answer: tuple[int, str] = (500, "")
        self.reads = 0
        self.url = ""

    async def serve(self, request: web.Request) -> web.Response:
        self.reads += 1
        return web.Response(status=self.answer[0], text=self.answer[1])

    def publish(self, *keys: dict[str, Any]) -> None:
        self.answer = 200, key_set(*keys)


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """A key server that is out of order at first."""
    serving, app = Issuer(), web.Application()
    app.router.add_get("/keys", serving.serve)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    serving.url = f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
    yield serving
    await runner.cleanup()


async def test_keys_rotate_and_a_failing_source_keeps_the_old_ones(
    start: Any, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is not ready until it has keys; an unknown key id triggers a refresh."""
    monkeypatch.setattr(jwks, "EARLY_REFRESH_S", 0.05)
    server = await start(jwt_jwks=issuer.url)
    assert await _ready(server) == 503
    issuer.publish(public(RSA_KEY, "a"))
    assert await _accepted(server, signed(RSA_KEY, "RS256", "a"))
    assert await _ready(server) == 200
    issuer.publish(public(EC_KEY, "b"))
    assert await _accepted(server, signed(EC_KEY, "ES256", "b"))
    assert await _status(server, signed(RSA_KEY, "RS256", "a")) == 401
    issuer.answer = 200, "x" * (jwks.MAX_BYTES + 1)
    assert await _status(server, signed(RSA_KEY, "RS256", "a")) == 503
    assert await _accepted(server, signed(EC_KEY, "ES256", "b"))


async def test_good_tokens_may_come_again_while_no_key_is_known(
    start: Any, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503 and 1013: 401 and 1008 would tell clients to give up."""
    monkeypatch.setattr(jwks, "EARLY_REFRESH_S", 0.02)
    server = await start(jwt_jwks=issuer.url)
    good = signed(RSA_KEY, "RS256", "a")
    assert await _status(server, good) == 503
    for headers in ({"Authorization": f"Bearer {good}"}, {}):
        client = await server.open(headers=headers)
        if not headers:
            await client.send(type="auth", token=good, id=7)
        error = await client.expect("error")
        assert (error["data"]["code"], error.get("id")) == ("UNAVAILABLE", None if headers else 7)
        assert await client.close_code() == 1013


async def test_a_key_published_this_moment_is_waited_for(
    start: Any, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the header, in the first message, in a renewal and over HTTP."""
    monkeypatch.setattr(jwks, "EARLY_REFRESH_S", 0.05)
    issuer.publish(public(RSA_KEY, "a"))
    server = await start(jwt_jwks=issuer.url)
    client = await server.open()
    await client.send(type="auth", token=signed(RSA_KEY, "RS256", "a"))
    await client.expect("auth:success")
    await client.expect("connected")
    for number in range(4):
        issuer.publish(public(RSA_KEY, "a"), public(EC_KEY, f"new {number}"))
        new = signed(EC_KEY, "ES256", f"new {number}")
        if number == 0:
            assert await _status(server, new) == 200
        elif number == 1:
            fresh = await server.open(headers={"Authorization": f"Bearer {new}"})
            await fresh.expect("connected")
        else:
            opened = await server.open() if number == 2 else client
            await opened.send(type="auth", token=new)
            await opened.until("auth:success")


async def test_unknown_keys_cannot_flood_the_issuer(
    start: Any, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that come while it is being asked wait for the same answer, or for nothing."""
    monkeypatch.setattr(jwks, "EARLY_REFRESH_S", 0.2)
    monkeypatch.setattr(registry, "KEY_WAITS_PER_ADDRESS", 40)
    issuer.publish(public(RSA_KEY, "a"))
    server = await start(jwt_jwks=issuer.url)
    before = issuer.reads
    tokens = [signed(EC_KEY, "ES256", f"x{n}") for n in range(50)]
    statuses = await asyncio.gather(*(_status(server, token) for token in tokens))
    assert set(statuses) == {401, 503}
    assert statuses.count(401) >= 40
    assert issuer.reads - before <= 10
    monkeypatch.setattr(jwks, "MOST_WAITING", 0)
    assert await _status(server, tokens[0]) == 503


async def test_a_stranger_pays_for_a_wait_before_it_begins(
    start: Any, issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above the rate it waits no more; a user whose key was only new has paid nothing."""
    monkeypatch.setattr(jwks, "EARLY_REFRESH_S", 0.05)
    issuer.publish(public(RSA_KEY, "a"))
    server = await start(jwt_jwks=issuer.url, http_strangers_per_minute=2)
    for number in range(3):
        issuer.publish(public(RSA_KEY, "a"), public(EC_KEY, f"new {number}"))
        assert await _status(server, signed(EC_KEY, "ES256", f"new {number}")) == 200
    stranger = signed(EC_KEY, "ES256", "x")
    assert [await _status(server, stranger) for _ in range(2)] == [401] * 2
    reads = issuer.reads
    assert await _status(server, stranger) == 429
    assert issuer.reads == reads


async def test_an_emptied_key_set_is_obeyed(start: Any, issuer: Issuer) -> None:
    """Its issuer has withdrawn all keys."""
    issuer.publish(public(RSA_KEY, "a"))
    server = await start(jwt_jwks=issuer.url, jwt_jwks_refresh_s=0.05)
    assert await _accepted(server, signed(RSA_KEY, "RS256", "a"))
    issuer.publish()
    for _ in range(1_000):
        if not await _accepted(server, signed(RSA_KEY, "RS256", "a")):
            break
        await asyncio.sleep(0.02)
    assert await _status(server, signed(RSA_KEY, "RS256", "a")) == 401
    assert await _ready(server) == 503


async def test_keys_that_cannot_be_confirmed_are_not_trusted_for_ever(tmp_path: Path) -> None:
    """They have a maximum age."""
    path = tmp_path / "keys.json"
    path.write_text(key_set(public(RSA_KEY, "a")))
    keys = KeySet(str(path), 300, max_age_s=0.05)
    await keys.refresh()
    tokens = authority(HubSettings(jwt_jwks=str(path), data_dir=tmp_path), keys)
    path.unlink()
    with pytest.raises(UnknownKey):
        while True:
            tokens.verify(signed(RSA_KEY, "RS256", "a"))
            await asyncio.sleep(0.01)
    assert keys.trouble == "the key set has not been read"


async def _ready(server: Any) -> int:
    async with server.session.get(server.url + "/readyz") as response:
        return int(response.status)


async def _status(server: Any, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    async with server.session.get(server.url + "/v1/orders", headers=headers) as response:
        return int(response.status)


async def _accepted(server: Any, token: str) -> bool:
    return await _status(server, token) == 200


async def _until_accepted(server: Any, token: str) -> bool:
    for _ in range(100):
        if await _accepted(server, token):
            return True
        await asyncio.sleep(0.02)
    return False
