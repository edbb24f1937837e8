"""Tokens of an issuer that is found by OpenID Connect discovery, and speaks of other things."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import ValidationError

from order_events.auth import jwks
from order_events.auth.claims import ClaimNames
from order_events.auth.tokens import Role
from order_events.settings import HubSettings
from order_events.token_settings import is_safe

KEY = ec.generate_private_key(ec.SECP256R1())
NAMES = {"restaurant_id": "org.id", "role": "realm_access.roles"}
ROLES = {"pos-admin": "manager", "pos-kitchen": "kitchen"}


class Issuer:
    """An issuer of its own, such as Keycloak. `fields` go into what it says of itself."""

    def __init__(self) -> None:
        self.url = ""
        self.fields: dict[str, Any] = {}
        self.padding = ""

    async def configuration(self, request: web.Request) -> web.Response:
        keys = f"{self.url}/protocol/certs"
        says = {"issuer": self.url, "jwks_uri": keys, "claims_supported": ["sub"], **self.fields}
        return web.json_response(text=json.dumps(says) + self.padding)

    async def keys(self, request: web.Request) -> web.Response:
        key = jwt.algorithms.ECAlgorithm.to_jwk(KEY.public_key(), as_dict=True)
        return web.json_response({"keys": [{**key, "kid": "k1"}]})

    def token(self, **claims: Any) -> str:
        """Return a token as it makes them; claims that are None are left out."""
        made = {
            "iss": self.url,
            "aud": ["orders", "account"],
            "sub": "u1",
            "exp": time.time() + 600,
            "org": {"id": "r1"},
            "realm_access": {"roles": ["offline_access", "pos-kitchen"]},
            **claims,
        }
        given = {name: value for name, value in made.items() if value is not None}
        return jwt.encode(given, KEY, "ES256", headers={"kid": "k1"})


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    """A real HTTP server with a path in its name."""
    made = Issuer()
    app = web.Application()
    app.router.add_get("/realms/shop/.well-known/openid-configuration", made.configuration)
    app.router.add_get("/realms/shop/protocol/certs", made.keys)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/realms/shop"
    yield made
    await runner.cleanup()


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read keys again at once."""
    monkeypatch.setattr(jwks, "EARLY_REFRESH_S", 0.02)


async def serve(start: Any, issuer: Issuer, **settings: Any) -> Any:
    """Start a server that trusts the issuer."""
    mapped = {"jwt_claims": NAMES, "jwt_roles": ROLES, **settings}
    return await start(oidc_issuer=issuer.url, jwt_audience="orders", **mapped)


async def status(server: Any, token: str, path: str = "/v1/orders") -> int:
    """Return what a request with a token is answered."""
    headers = {"Authorization": f"Bearer {token}"}
    async with server.session.get(server.url + path, headers=headers) as answer:
        return int(answer.status)


async def test_an_issuer_is_enough(start: Any, issuer: Issuer) -> None:
    """Its keys are found, and its claims mean what the settings say."""
    server = await serve(start, issuer)
    assert await status(server, issuer.token()) == 200
    assert await status(server, issuer.token(), "/v1/webhooks") == 403
    admin = issuer.token(realm_access={"roles": ["pos-kitchen", "pos-admin"]})
    assert await status(server, admin, "/v1/webhooks") == 200
    screen = await server.open()
    await screen.send(type="auth", token=issuer.token())
    success = (await screen.expect("auth:success"))["data"]
    assert (success["restaurant_id"], success["role"]) == ("r1", "kitchen")


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://elsewhere.example"},
        {"iss": None},
        {"org": None},
        # A claim under our name must not stand in for one that the issuer vouches for.
        {"org": None, "restaurant_id": "r1"},
        {"org": {"id": ["r1"]}},
        {"realm_access": {"roles": ["manager"]}},
        {"realm_access": None, "role": "manager"},
        {"exp": time.time() - 1},
    ],
)
async def test_tokens_that_are_not_for_us_are_refused(
    start: Any, issuer: Issuer, claims: dict[str, Any]
) -> None:
    """Whatever they say in places that do not count."""
    server = await serve(start, issuer)
    assert await status(server, issuer.token()) == 200
    assert await status(server, issuer.token(**claims)) == 401


@pytest.mark.parametrize(
    "fields",
    [
        {"issuer": "https://elsewhere.example"},
        {"jwks_uri": None},
        {"jwks_uri": "http://elsewhere.example/keys"},
        {"jwks_uri": "file:///etc/passwd"},
    ],
)
async def test_an_issuer_that_contradicts_itself_is_not_trusted(
    start: Any, issuer: Issuer, fields: dict[str, Any]
) -> None:
    """The server is not ready; it recovers by itself."""
    issuer.fields = fields
    server = await serve(start, issuer)
    assert await status(server, issuer.token()) == 503
    assert await status(server, issuer.token(), "/readyz") == 503
    issuer.fields = {}
    assert await status(server, issuer.token()) == 200


async def test_what_is_read_of_an_issuer_is_bounded(start: Any, issuer: Issuer) -> None:
    """As a key set is."""
    issuer.padding = " " * jwks.MAX_BYTES
    server = await serve(start, issuer)
    assert await status(server, issuer.token()) == 503


def test_claims_are_found_by_name_before_path() -> None:
    """Issuers like to put an address into the name of a claim."""
    names = ClaimNames({"role": "https://shop.example/role"}, {"Chef": "kitchen"})
    read = names.read({"https://shop.example/role": "Chef", "sub": "u"})
    assert read["role"] == Role.KITCHEN
    assert read["sub"] == "u"
    assert names.read({"role": "kitchen"})["role"] is None
    assert ClaimNames().read({"role": "server"}) == {"role": "server"}


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"oidc_issuer": "https://id.example"}, "jwt_audience"),
        ({"oidc_issuer": "http://id.example", "jwt_audience": "a"}, "https"),
        ({"oidc_issuer": "https://i", "jwt_audience": "a", "jwt_jwks": "k"}, "jwt_jwks"),
        ({"oidc_issuer": "https://i", "jwt_audience": "a", "jwt_issuer": "x"}, "jwt_issuer"),
        ({"jwt_roles": {"Chef": "cook"}}, "kitchen"),
        ({"jwt_claims": {"exp": "x"}}, "sub"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings: dict[str, Any], why: str) -> None:
    """With what to do about it."""
    with pytest.raises(ValidationError, match=why):
        HubSettings(**settings)


def test_settings_can_be_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """In variables and on the command line."""
    monkeypatch.setenv("VOICE_JWT_ROLES", json.dumps(ROLES))
    assert HubSettings(jwt_claims='{"role": "r"}').jwt_claims == {"role": "r"}
    assert list(HubSettings().jwt_roles.values()) == ["manager", "kitchen"]


def test_only_addresses_that_nobody_can_change_on_the_way_are_safe() -> None:
    """Or that never leave the machine."""
    for safe in (
        "https://id.example",
        "http://localhost:8080/x",
        "http://[::1]/",
        "http://127.0.0.2",
    ):
        assert is_safe(safe)
    for unsafe in ("http://id.example", "https://", "ftp://localhost", "//id", "http://[", ""):
        assert not is_safe(unsafe)
