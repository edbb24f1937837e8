"""Who may connect, for how long, and what a role may do."""

from __future__ import annotations

import stat
import time
from pathlib import Path
from typing import Any

import aiohttp
import aiohttp.web
import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from order_events.app import EVENTS, REGISTRY, add_socket
from order_events.auth.revocations import Revocations, Revoked
from order_events.auth.roles import RIGHTS, Action, may, visible
from order_events.auth.tokens import (
    CLOCK_SKEW_S,
    AuthError,
    Principal,
    Role,
    SharedSecret,
    TokenAuthority,
    authority,
    load_or_make_secret,
)
from order_events.protocol import filters
from order_events.root_socket import RootApplication
from order_events.settings import HubSettings
from order_events.websocket.origins import origin_allowed

SECRET = b"s" * 32
NOW = 1_800_000_000.0
CLAIMS = {"sub": "u", "restaurant_id": "r", "role": "server", "exp": NOW + 60}


def tokens(**options: Any) -> TokenAuthority:
    """An authority with a known secret."""
    return TokenAuthority(SharedSecret(SECRET), secret=SECRET, **options)


def signed(secret: bytes = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    """A token with some claims changed; None takes one out."""
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
    """Whatever is wrong with it, and without an exception of another kind."""
    with pytest.raises(AuthError):
        tokens().verify(token, NOW)


def test_expiry_lifetime_and_size_are_bounded_from_both_sides() -> None:
    """What is just inside passes, what is just outside does not."""
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
    """31 are refused, by the settings as well."""
    SharedSecret(b"x" * 32)
    with pytest.raises(ValueError, match="32"):
        SharedSecret(b"x" * 31)
    HubSettings(jwt_secret="x" * 32)
    with pytest.raises(ValidationError, match="32"):
        HubSettings(jwt_secret="x" * 31)


@given(st.text(max_size=300) | st.binary(max_size=200).map(lambda b: b.decode("latin1")))
def test_garbage_is_never_more_than_a_refusal(text: str) -> None:
    """No input makes the verifier raise anything else."""
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
    """The first start makes it; later starts, and other processes, use the same."""
    settings = HubSettings(data_dir=tmp_path / "new" / "data")
    token = authority(settings).issue("r", "u", Role.SERVER, 60)
    assert authority(settings).verify(token).user_id == "u"
    path = settings.data_dir / "signing-secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(settings.data_dir.iterdir()) == [path]
    path.write_bytes(b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        load_or_make_secret(settings.data_dir)


def test_the_roles_table_says_what_the_documentation_says() -> None:
    """Every role has rights; the sensitive ones are where they belong."""
    assert set(RIGHTS) == set(Role)
    for action in Action:
        assert may(Role.MANAGER, action)
    assert RIGHTS[Role.DEVICE].actions == {Action.VOICE}
    assert visible(Role.DEVICE) == frozenset()
    assert filters.PAYMENT_PROCESSED not in visible(Role.KITCHEN)
    assert filters.VOICE_TRANSCRIPT not in visible(Role.KITCHEN)
    assert not may(Role.KITCHEN, Action.CREATE_ORDERS)
    assert not may(Role.SERVER, Action.TAKE_PAYMENTS)
    assert not may(Role.CASHIER, Action.CHANGE_MENU)


async def refused(client: Any, code: str = "UNAUTHORIZED", close: int = 1008) -> dict[str, Any]:
    """The error that is told before the socket is closed."""
    error: dict[str, Any] = await client.until("error")
    assert error["data"]["code"] == code
    assert await client.close_code() == close
    return error


async def test_a_bad_header_token_is_told_and_closed_with_1008(server: Any) -> None:
    """Nothing else is sent."""
    for header in ("Bearer nonsense", "Bearer ", "Basic dTpw", server.token()):
        client = await server.open(headers={"Authorization": header})
        error = await client.expect("error")
        assert error["data"]["code"] == "UNAUTHORIZED"
        assert await client.close_code() == 1008
    _, metrics = await _metrics(server)
    assert 'auth_failures_total{socket="root"} 4.0' in metrics


async def _metrics(server: Any) -> tuple[int, str]:
    async with server.session.get(server.url + "/metrics") as response:
        return response.status, await response.text()


@pytest.mark.parametrize(
    "first",
    [
        '{"type":"auth","token":"nonsense"}',
        '{"type":"auth","token":5}',
        '{"type":"auth"}',
        '{"type":"ping"}',
        '{"type":"subscribe","events":["*"]}',
        "not json",
    ],
)
async def test_anything_but_a_good_auth_first_is_closed_with_1008(server: Any, first: str) -> None:
    """Also a message that would be fine later."""
    client = await server.open()
    await client.ws.send_str(first)
    await refused(client)


async def test_a_binary_first_message_is_closed_with_1008(server: Any) -> None:
    """It is not an `auth` message."""
    client = await server.open()
    await client.ws.send_bytes(b"x")
    await refused(client)


async def test_who_does_not_authenticate_in_time_is_closed(start: Any) -> None:
    """Before the limit it is not too late."""
    server = await start(auth_timeout_s=0.4)
    late, in_time = await server.open(), await server.open()
    await in_time.ws.ping()
    await in_time.send(type="auth", token=server.token())
    await in_time.expect("auth:success")
    await refused(late)
    await in_time.expect("connected")
    await in_time.silent()


async def test_a_restaurant_in_the_message_must_be_the_tokens(server: Any) -> None:
    """The same is fine, another is closed with 1008."""
    client = await server.open()
    await client.send(type="auth", token=server.token("r1"), restaurant_id="r1")
    await client.expect("auth:success")
    client = await server.open()
    await client.send(type="auth", token=server.token("r1"), restaurant_id="r2")
    await refused(client)


async def test_a_token_can_be_renewed_on_the_open_socket(start: Any) -> None:
    """`auth:expiring` comes before; after renewal the old expiry has no effect."""
    server = await start(token_expiry_notice_s=0.7)
    client = await server.connect(ttl=1.0)
    expiring = await client.expect("auth:expiring")
    assert expiring["data"]["expires_at"].endswith("Z")
    await client.send(type="auth", token=server.token(ttl=1.9), id="renew")
    assert (await client.expect("auth:success"))["id"] == "renew"
    await client.expect("auth:expiring")
    await client.silent()
    await refused(client)


async def test_an_expired_token_closes_the_socket(start: Any) -> None:
    """Though it was good when the socket opened."""
    server = await start(token_expiry_notice_s=60)
    client = await server.connect(ttl=0.5)
    await client.expect("auth:expiring")
    began = time.monotonic()
    await refused(client)
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    "who",
    [{"restaurant": "r2"}, {"user": "somebody"}, {"role": Role.KITCHEN}],
)
async def test_a_renewal_cannot_change_who_is_connected(server: Any, who: dict[str, Any]) -> None:
    """Another restaurant, user or role is closed with 1008."""
    client = await server.connect()
    await client.send(type="auth", token=server.token(**who))
    await refused(client)


async def test_a_bad_renewal_is_closed_with_1008(server: Any) -> None:
    """The old token's time does not matter."""
    client = await server.connect()
    await client.send(type="auth", token="nonsense", id=4)
    assert (await refused(client))["id"] == 4


async def test_a_microphone_may_not_open_the_root_socket(server: Any) -> None:
    """It is told FORBIDDEN, then closed with 1008."""
    client = await server.open()
    await client.send(type="auth", token=server.token(role=Role.DEVICE))
    await client.expect("auth:success")
    await refused(client, "FORBIDDEN")


async def test_a_role_hears_only_what_it_may(server: Any, draft: Any) -> None:
    """By default, by pattern, and by name it is FORBIDDEN."""
    kitchen = await server.connect(role=Role.KITCHEN)
    await kitchen.send(type="subscribe", events=["order:created", "payment:processed"], id=1)
    assert (await kitchen.expect("error"))["data"]["code"] == "FORBIDDEN"
    await kitchen.send(type="subscribe", events=["voice:*"], id=2)
    assert (await kitchen.expect("error"))["data"]["code"] == "FORBIDDEN"
    order = await server.events.create_order("r1", draft, actor="a")
    payment = {"order_id": order.id, "amount": 5, "method": "cash"}
    await server.call("POST", "/v1/payments", payment)
    seen = {(await kitchen.receive())["type"] for _ in range(3)}
    assert seen == {"order:created", "order:updated", "kds:update"}
    await kitchen.send(type="subscribe", events=["*"])
    await kitchen.until("subscribed")
    await server.call("POST", "/v1/payments", payment)
    await kitchen.until("order:updated")
    await kitchen.until("kds:update")
    await kitchen.silent()


LISTED = ("https://pos.example", "https://KDS.example:443", "http://lan.example:8080")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://hub.example:3001", True),
        ("https://hub.example:3001", True),
        ("http://HUB.example:3001", True),
        ("http://hub.example", False),
        ("http://hub.example:3002", False),
        ("https://pos.example", True),
        ("https://pos.example:443", True),
        ("https://Pos.Example", True),
        ("https://kds.example", True),
        ("http://pos.example", False),
        ("https://pos.example:8443", False),
        ("http://lan.example:8080", True),
        ("http://lan.example", False),
        ("https://pos.example.evil", False),
        ("https://evil-pos.example", False),
        ("https://pos.example@evil", False),
        ("https://evil#pos.example", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("https://", False),
        ("https://[pos.example", False),
        ("https://pos.example:port", False),
        ("pos.example", False),
    ],
)
def test_an_origin_is_compared_as_browsers_do(origin: str | None, allowed: bool) -> None:
    """Scheme, host and port, each in full, without regard to case and default ports."""
    assert origin_allowed(origin, "hub.example:3001", LISTED) is allowed
    assert origin_allowed(origin, "hub.example:3001", ("*",))


def test_our_own_origin_behind_a_proxy_is_its_host() -> None:
    """Which leaves its default port out, as browsers do."""
    assert origin_allowed("https://hub.example", "hub.example", ())
    assert origin_allowed("https://hub.example", "hub.example:443", ())
    assert not origin_allowed("https://hub.example", "hub.example:80", ())
    assert not origin_allowed("https://hub.example", "", ())


@pytest.mark.parametrize("path", ["/", "/echo"])
async def test_a_pages_origin_is_checked(start: Any, path: str) -> None:
    """On every socket: 403 for a page that is not ours, before anything is counted."""
    server = await start(allowed_origins="https://pos.example, https://kds.example", prepare=echo)
    token = {"Authorization": f"Bearer {server.token()}"}
    for good in ({}, {"Origin": server.url}, {"Origin": "https://kds.example"}):
        client = await server.open(path, headers={**token, **good})
        await client.expect("connected")
    for bad in ("https://evil.example", "null", "http://127.0.0.1:1"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await server.open(path, headers={**token, "Origin": bad})
        assert refusal.value.status == 403


def echo(app: aiohttp.web.Application) -> None:
    """Another socket beside the root."""
    root = RootApplication(
        app[REGISTRY].settings, app[EVENTS].hub, app[EVENTS].store, app[EVENTS].metrics
    )
    add_socket(app, "/echo", root, "echo")


async def test_a_users_tokens_can_be_revoked(start: Any) -> None:
    """Open sockets are closed, new ones refused, also after a restart; others stay, and so does
    the same name in another restaurant."""
    server = await start()
    tokens = {name: server.token(user=name) for name in ("bad", "good")}
    bad, good = await server.connect(user="bad"), await server.connect(user="good")
    far = await server.connect("r2", user="bad")
    cashier = {"role": Role.CASHIER}
    assert (await server.call("POST", "/v1/revocations", {"user_id": "bad"}, **cashier))[0] == 403
    for wrong in ({}, {"user_id": "a", "token_id": "b"}):
        assert (await server.call("POST", "/v1/revocations", wrong))[0] == 400
    status, answer = await server.call("POST", "/v1/revocations", {"user_id": "bad"})
    assert (status, answer) == (201, {"closed": 1})
    await refused(bad)
    await good.silent()
    await far.silent()
    await server.stop()
    server = await start(menu=False)
    await refused(await server.open(headers={"Authorization": f"Bearer {tokens['bad']}"}))
    again = await server.open(headers={"Authorization": f"Bearer {tokens['good']}"})
    await again.expect("connected")
    ahead = server.authority.issue("r1", "bad", Role.SERVER, 60, time.time() + 50)
    await refused(await server.open(headers={"Authorization": f"Bearer {ahead}"}))


def test_a_user_can_come_back_once_no_clock_can_be_in_doubt() -> None:
    """A token whose `iat` is ahead was perhaps issued before: those are covered as well."""
    revocations = Revocations()
    revocations.add(Revoked("r1", None, "u", 1_000.0))

    def covered(issued_at: float) -> bool:
        return revocations.covers(Principal("u", "r1", Role.SERVER, None, 9e9, issued_at))

    assert covered(999) and covered(1_000 + CLOCK_SKEW_S)
    assert not covered(1_001 + CLOCK_SKEW_S)


async def test_whatever_name_a_token_may_have_can_be_revoked(server: Any) -> None:
    """`sub` and `jti` may be longer than an id of ours."""
    for field in ("user_id", "token_id"):
        assert (await server.call("POST", "/v1/revocations", {field: "x" * 200}))[0] == 201
        assert (await server.call("POST", "/v1/revocations", {field: "x" * 201}))[0] == 400


async def test_one_token_can_be_revoked(server: Any) -> None:
    """By its id, until it would have expired; the user's other tokens stay good."""
    one, other = server.token(), server.token()
    revoked = {"token_id": server.authority.verify(one).token_id}
    assert (await server.call("POST", "/v1/revocations", revoked))[1] == {"closed": 0}
    await refused(await server.open(headers={"Authorization": f"Bearer {one}"}))
    client = await server.open(headers={"Authorization": f"Bearer {other}"})
    await client.expect("connected")
    await client.send(type="auth", token=one)
    await refused(client)
    await server.events.forget(time.time() + 31 * 86_400)
    await (await server.open(headers={"Authorization": f"Bearer {one}"})).expect("connected")
