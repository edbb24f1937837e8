"""Pairing screens and signing staff in, on a real server."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.transactions import NOON, at, database

from order_events.app import DESK
from order_events.auth.roles import Role
from order_events.protocol.errors import InvalidOrder, NotFound, StoreUnavailable
from order_events.screens import devices, staff
from order_events.screens.credentials import is_obvious
from order_events.screens.desk import WRONG_PINS
from order_events.screens.devices import RENEW_AFTER_S, Screen
from order_events.screens.staff import FREE_FAILURES, LOCKED_S
from order_events.screens.tokens import screen_tokens
from order_events.settings import HubSettings
from order_events.storage.transaction import Tx

Ask = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]
KITCHEN = Screen("r1", Role.KITCHEN, "Grill")


@pytest.fixture
def ask(server: Any) -> Ask:
    """Return a function that sends a request with a token, or without one."""

    async def send(path: str, body: Any, token: str = "", method: str = "POST") -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with server.session.request(
            method, server.url + path, json=body, headers=headers
        ) as response:
            return response.status, await response.json()

    return send


async def paired(server: Any, ask: Ask, role: str = "kitchen", name: str = "Grill") -> Any:
    """Pair a screen; return what it was given, and its first token."""
    status, made = await server.call("POST", "/v1/pairings", {"role": role, "name": name})
    assert status == 201, made
    status, claimed = await ask("/v1/pairings/claim", {"code": made["code"]})
    assert status == 201, claimed
    status, issued = await ask("/v1/devices/token", {"credential": claimed["credential"]})
    assert status == 200, issued
    return claimed, issued["token"]


async def test_a_screen_is_paired_once_and_uses_both_doors(server: Any, ask: Ask) -> None:
    """With the code as it is read aloud; its token opens the socket and the API, as its role."""
    asked = {"role": "kitchen", "name": "Grill", "address": "https://shop.example/"}
    _, made = await server.call("POST", "/v1/pairings", asked)
    assert made["url"].startswith("https://shop.example/web/pair.html#code=")
    assert made["qr"].startswith("data:image/svg+xml")
    typed = made["code"].lower().replace("-", " ")
    status, claimed = await ask("/v1/pairings/claim", {"code": typed})
    assert (status, claimed["role"], claimed["name"]) == (201, "kitchen", "Grill")
    status, answer = await ask("/v1/pairings/claim", {"code": made["code"]})
    assert (status, answer["error"]["code"]) == (404, "NOT_FOUND")
    _, issued = await ask("/v1/devices/token", {"credential": claimed["credential"]})
    assert (await ask("/v1/orders", None, issued["token"], "GET"))[0] == 200
    assert (await ask("/v1/payments", None, issued["token"], "GET"))[0] == 403
    socket = await server.open(headers={"Authorization": f"Bearer {issued['token']}"})
    await socket.expect("connected")
    [device] = (await server.call("GET", "/v1/devices"))[1]["devices"]
    assert (device["id"], device["created_by"]) == (claimed["device_id"], "u1")
    assert device["seen_at"] is not None


async def test_a_removed_screen_is_out_at_once(server: Any, ask: Ask) -> None:
    """Its socket is closed, its token and its credential are worth nothing; so are its staff's."""
    claimed, token = await paired(server, ask)
    socket = await server.open(headers={"Authorization": f"Bearer {token}"})
    await socket.expect("connected")
    ann = {"name": "Ann", "role": "cashier", "pin": "4711"}
    added = (await server.call("POST", "/v1/staff", ann))[1]["staff"]
    _, hers = await ask("/v1/staff/sign-in", {"staff_id": added["id"], "pin": "4711"}, token)
    status, removed = await server.call("DELETE", f"/v1/devices/{claimed['device_id']}")
    assert (status, removed["closed"]) == (200, 1)
    assert await socket.close_code() == 1008
    for old in (token, hers["token"]):
        assert (await ask("/v1/orders", None, old, "GET"))[0] == 401
    status, answer = await ask("/v1/devices/token", {"credential": claimed["credential"]})
    assert (status, answer["error"]["code"]) == (401, "UNAUTHORIZED")
    assert (await server.call("DELETE", "/v1/devices/none"))[0] == 404


async def test_staff_sign_in_with_a_pin_at_a_paired_screen(server: Any, ask: Ask) -> None:
    """They then have their own role and name; elsewhere, or with a wrong PIN, they do not."""
    _, token = await paired(server, ask, "server", "Counter")
    ann = {"name": "Ann", "role": "manager", "pin": "4711"}
    added = (await server.call("POST", "/v1/staff", ann))[1]["staff"]
    status, again = await server.call("POST", "/v1/staff", {**ann, "name": " ann "})
    assert (status, again["error"]["code"]) == (422, "INVALID_ORDER")
    [listed] = (await ask("/v1/staff", None, token, "GET"))[1]["staff"]
    assert (listed["name"], "pin" in listed) == ("Ann", False)
    who = {"staff_id": added["id"], "pin": "4711"}
    status, wrong = await ask("/v1/staff/sign-in", {**who, "pin": "0000"}, token)
    assert (status, wrong["error"]["code"]) == (403, "FORBIDDEN")
    status, signed_in = await ask("/v1/staff/sign-in", who, token)
    assert (status, signed_in["name"], signed_in["role"]) == (200, "Ann", "manager")
    made = await ask("/v1/orders", {"items": [{"menu_item_id": "burger"}]}, signed_in["token"])
    assert made[1]["order"]["updated_by"] == "Ann"
    status, elsewhere = await server.call("POST", "/v1/staff/sign-in", who)
    assert (status, elsewhere["error"]["code"]) == (403, "FORBIDDEN")
    await server.call("DELETE", f"/v1/staff/{added['id']}")
    assert (await ask("/v1/orders", None, signed_in["token"], "GET"))[0] == 401


async def test_guessing_a_pin_locks_it_however_many_guess_at_once(server: Any, ask: Ask) -> None:
    """Not even the right one is accepted then."""
    _, token = await paired(server, ask)
    bob = {"name": "Bob", "role": "server", "pin": "47110815"}
    added = (await server.call("POST", "/v1/staff", bob))[1]["staff"]
    guesses = [
        ask("/v1/staff/sign-in", {"staff_id": added["id"], "pin": f"{n:04}"}, token)
        for n in range(FREE_FAILURES + 4)
    ]
    answers = [status for status, _ in await asyncio.gather(*guesses)]
    assert (answers.count(403), answers.count(429)) == (FREE_FAILURES, 4)
    status, locked = await ask(
        "/v1/staff/sign-in", {"staff_id": added["id"], "pin": bob["pin"]}, token
    )
    assert (status, locked["error"]["code"]) == (429, "RATE_LIMITED")
    assert locked["error"]["retry_after_ms"] > 200_000


async def test_guessing_the_pins_of_many_locks_the_screen(server: Any, ask: Ask) -> None:
    """And no other; right ones in between do not count."""
    _, token = await paired(server, ask)
    _, other = await paired(server, ask, "server", "Counter")
    staff_ids = []
    for n in range(WRONG_PINS // 4 + 2):
        person = {"name": f"Ann {n}", "role": "server", "pin": "4711"}
        staff_ids.append((await server.call("POST", "/v1/staff", person))[1]["staff"]["id"])
    right = {"staff_id": staff_ids[-1], "pin": "4711"}
    assert (await ask("/v1/staff/sign-in", right, token))[0] == 200
    assert (await ask("/v1/staff/sign-in", {**right, "staff_id": "none"}, token))[0] == 404
    for n in range(WRONG_PINS):
        guess = {"staff_id": staff_ids[n // 4], "pin": f"{n:04}"}
        assert (await ask("/v1/staff/sign-in", guess, token))[0] == 403
    status, refused = await ask("/v1/staff/sign-in", right, token)
    assert (status, refused["error"]["code"]) == (429, "RATE_LIMITED")
    assert "at this screen" in refused["error"]["message"]
    assert (await ask("/v1/staff/sign-in", right, other))[0] == 200


@pytest.mark.parametrize("pin", ["0000", "77777777", "1234", "4321", "7890", "210987"])
def test_an_obvious_pin_is_known(pin: str) -> None:
    """All the same, or in a row."""
    assert is_obvious(pin)
    assert not is_obvious(pin[:-1] + "5")


async def test_an_obvious_pin_is_refused(server: Any) -> None:
    """The message says what to choose."""
    ann = {"name": "Ann", "role": "server", "pin": "1234"}
    status, refused = await server.call("POST", "/v1/staff", ann)
    assert (status, refused["error"]["code"]) == (422, "INVALID_ORDER")
    assert "neither all the same nor in a row" in refused["error"]["message"]


def test_a_lock_ends_and_a_right_pin_clears_it() -> None:
    """Each further wrong PIN doubles it."""
    with database() as db:
        who = staff.add(at(db), "r1", "Ann", Role.SERVER, "hash")
        for _ in range(FREE_FAILURES):
            staff.attempt(at(db), "r1", who.id)
        [locked] = staff.all_of(at(db), "r1")
        assert locked.locked_until is not None
        later = NOON + timedelta(seconds=LOCKED_S + 1)
        assert staff.attempt(at(db, later), "r1", who.id)[1] == "hash"
        [again] = staff.all_of(at(db), "r1")
        assert again.locked_until == "2026-07-01T12:15:01.000Z"
        staff.signed_in(at(db), "r1", who.id)
        assert staff.all_of(at(db), "r1")[0].locked_until is None


def test_a_credential_renews_itself_and_a_lost_answer_locks_nobody_out() -> None:
    """The old one is good until the new one has been used, and not a moment longer."""
    with database() as db:
        device, old = devices.claim(at(db), devices.pair(at(db), KITCHEN, "boss", 60))
        assert devices.verify(at(db), old) == (device, "r1")
        assert devices.renew(at(db), old, "next") is None
        later = NOON + timedelta(seconds=RENEW_AFTER_S)
        lost = devices.renew(at(db, later), old, "next")
        new = devices.renew(at(db, later), old, "next")
        assert lost == new is not None
        assert devices.renew(at(db, later), str(new), "third") is None
        for worthless in (old, f"{device.id}.guess", "nonsense"):
            with pytest.raises(NotFound, match="not paired any more"):
                devices.verify(at(db, later), worthless)
            with pytest.raises(NotFound, match="not paired any more"):
                devices.renew(at(db, later), worthless, "fourth")


def test_what_replaces_a_credential_is_the_same_for_every_tab(tmp_path: Path) -> None:
    """And another one for each credential, and each server."""
    tokens = screen_tokens(HubSettings(data_dir=tmp_path))
    other = screen_tokens(HubSettings(data_dir=tmp_path / "other"))
    assert tokens.successor("a.x") == tokens.successor("a.x") != tokens.successor("a.y")
    assert tokens.successor("a.x") != other.successor("a.x")


async def test_each_screen_and_each_person_is_a_user_of_their_own(server: Any, ask: Ask) -> None:
    """Whatever names they are given; a name is free again as soon as its owner is removed."""
    ann = {"name": "Ann", "role": "server", "pin": "4711"}
    added = (await server.call("POST", "/v1/staff", ann))[1]["staff"]
    screens = [await paired(server, ask, name=name) for name in ("Grill", " grill", "ANN")]
    users = [server.authority.verify(token).user_id for _, token in screens]
    assert users == ["Grill", "grill 2", "ANN 2"]
    status, refused = await server.call("POST", "/v1/staff", {**ann, "name": "Grill"})
    assert (status, refused["error"]["code"]) == (422, "INVALID_ORDER")
    await server.call("DELETE", f"/v1/devices/{screens[0][0]['device_id']}")
    _, token = await paired(server, ask)
    assert server.authority.verify(token).user_id == "Grill"
    assert (await ask("/v1/orders", None, token, "GET"))[0] == 200
    await server.call("DELETE", f"/v1/staff/{added['id']}")
    again = (await server.call("POST", "/v1/staff", ann))[1]["staff"]
    who = {"staff_id": again["id"], "pin": "4711"}
    _, hers = await ask("/v1/staff/sign-in", who, token)
    assert (await ask("/v1/orders", None, hers["token"], "GET"))[0] == 200


def test_a_code_expires() -> None:
    """It is good for minutes."""
    with database() as db:
        code = devices.pair(at(db), KITCHEN, "boss", 60)
        with pytest.raises(NotFound, match="get a new one"):
            devices.claim(at(db, NOON + timedelta(seconds=61)), code)


async def test_a_link_pairs_one_screen(server: Any) -> None:
    """As the first manager's, who has nobody to ask for a code."""
    link = screen_tokens(server.events.settings).link("r1", Role.MANAGER, "Office", 60)
    desk = server.app[DESK]
    device, credential = await desk.claim(link)
    assert (device.role, device.name) == (Role.MANAGER, "Office")
    principal = server.authority.verify((await desk.token(credential)).token)
    assert (principal.restaurant_id, principal.role) == ("r1", Role.MANAGER)
    with pytest.raises(NotFound, match="has been used"):
        await desk.claim(link)
    status, refused = await server.call("POST", "/v1/pairings", {"role": "service", "name": "x"})
    assert (status, refused["error"]["code"]) == (422, "INVALID_ORDER")
    stale = screen_tokens(server.events.settings).link("r1", Role.MANAGER, "Office", -1)
    status, refused = await server.call("POST", "/v1/pairings/claim", {"code": stale})
    assert (status, refused["error"]["code"]) == (404, "NOT_FOUND")
    assert refused["error"]["message"] == "this link has expired: get a new one"


@pytest.mark.sqlite
async def test_whoever_is_not_revoked_is_not_removed(server: Any, ask: Ask) -> None:
    """So that a manager whose request failed can try again."""
    claimed, token = await paired(server, ask)
    ann = {"name": "Ann", "role": "cashier", "pin": "4711"}
    added = (await server.call("POST", "/v1/staff", ann))[1]["staff"]
    _, hers = await ask("/v1/staff/sign-in", {"staff_id": added["id"], "pin": "4711"}, token)
    desk, store = server.app[DESK], server.events.store
    refuse = (
        "CREATE TEMP TRIGGER refuse BEFORE INSERT ON revocations"
        " BEGIN SELECT raise(ABORT, 'refused'); END"
    )
    await store.write(lambda tx: tx.db.execute(refuse).rowcount)
    with pytest.raises(sqlite3.IntegrityError, match="refused"):
        await desk.remove_staff("r1", added["id"], "boss")
    with pytest.raises(sqlite3.IntegrityError, match="refused"):
        await desk.remove_device("r1", claimed["device_id"], "boss")
    assert (await ask("/v1/orders", None, hers["token"], "GET"))[0] == 200
    await store.write(lambda tx: tx.db.execute("DROP TRIGGER refuse").rowcount)
    assert (await server.call("DELETE", f"/v1/staff/{added['id']}"))[0] == 200
    assert (await ask("/v1/orders", None, hers["token"], "GET"))[0] == 401
    assert (await server.call("DELETE", f"/v1/devices/{claimed['device_id']}"))[0] == 200
    assert (await ask("/v1/orders", None, token, "GET"))[0] == 401


@pytest.mark.sqlite
async def test_a_screen_gets_a_token_while_nothing_can_be_written(server: Any, ask: Ask) -> None:
    """A full disk stops changes, not the screens that show what is there."""
    claimed, _ = await paired(server, ask)

    def only_read(tx: Tx) -> None:
        tx.db.execute("PRAGMA query_only = ON")

    await server.events.store.write(only_read)
    with pytest.raises(StoreUnavailable):
        await server.app[DESK].pair(KITCHEN, "boss")
    status, issued = await ask("/v1/devices/token", {"credential": claimed["credential"]})
    assert (status, issued["credential"]) == (200, None)
    assert (await ask("/v1/orders", None, issued["token"], "GET"))[0] == 200
    guess = f"{claimed['device_id']}.guess"
    assert (await ask("/v1/devices/token", {"credential": guess}))[0] == 401


def test_two_members_of_staff_do_not_share_a_name() -> None:
    """In whatever letters."""
    with database() as db:
        for name, again in (("Änna", " äNNA"), ("Ann", "ANN"), ("Groß", "gross")):
            staff.add(at(db), "r1", name, Role.SERVER, "hash")
            with pytest.raises(InvalidOrder, match="is taken"):
                staff.add(at(db), "r1", again, Role.SERVER, "hash")
