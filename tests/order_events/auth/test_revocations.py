"""Revoked tokens and users."""

from __future__ import annotations

import time
from typing import Any

from support.refusals import refused

from order_events.auth.revocations import Revocations, Revoked
from order_events.auth.screen_tokens import SHIFT_S
from order_events.auth.tokens import (
    CLOCK_SKEW_S,
    Principal,
    Role,
)
from order_events.domain.models import RevocationDraft


async def test_a_users_tokens_can_be_revoked(start: Any) -> None:
    """Open sockets are closed and new ones refused, also after a restart.

    Other users keep their access, and so does a user of the same name in another restaurant.
    """
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
    """Tokens whose `iat` is within the clock skew are covered: they may be older than it says."""
    revocations = Revocations()
    revocations.add(Revoked("r1", None, "u", 1_000.0))

    def covered(issued_at: float) -> bool:
        return revocations.covers(Principal("u", "r1", Role.SERVER, None, 9e9, issued_at))

    assert covered(999) and covered(1_000 + CLOCK_SKEW_S)
    assert not covered(1_001 + CLOCK_SKEW_S)


async def test_whatever_name_a_token_may_have_can_be_revoked(server: Any) -> None:
    """A `sub` or `jti` may be longer than our own ids."""
    for field in ("user_id", "token_id"):
        assert (await server.call("POST", "/v1/revocations", {field: "x" * 200}))[0] == 201
        assert (await server.call("POST", "/v1/revocations", {field: "x" * 201}))[0] == 400


async def test_one_token_can_be_revoked(server: Any) -> None:
    """It is revoked by its id until it would have expired; the user's other tokens stay valid."""
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


async def test_a_revocation_outlives_a_shift(start: Any) -> None:
    """However short tokens of others have to be."""
    server = await start(token_max_lifetime_s=3600)
    await server.events.revoke("r1", RevocationDraft(user_id="u9"), actor="a")
    now = time.time()
    for later, kept in ((SHIFT_S - 60, 1), (SHIFT_S + 7200, 0)):
        await server.events.forget(now + later)
        assert len(await server.events.store.read(lambda r: r.revocations())) == kept


async def test_a_revocation_is_kept_as_long_as_the_token_could_be_good(server: Any) -> None:
    """In memory and on disk, and no longer."""
    revoked = server.authority.verify(server.token(user="u9"))
    await server.events.revoke("r1", RevocationDraft(user_id="u9"), actor="a")
    lifetime = server.events.settings.token_max_lifetime_s
    for later, covered in ((0, True), (lifetime - 60, True), (lifetime + 7200, False)):
        await server.events.forget(time.time() + later)
        assert server.events.revocations.covers(revoked) is covered
        kept = await server.events.store.read(lambda r: r.revocations())
        assert (len(kept) == 1) is covered
