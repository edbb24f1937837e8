"""The web pages in a real browser, against the real service with the real model."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import jiwer
import pytest
from playwright.async_api import Page, Route, expect
from support.paths import ROOT
from support.screens import SOON, Screens, browsing, press

from order_events.auth.tokens import Role, authority
from order_events.settings import HubSettings

RECORDING = ROOT / "fixtures" / "audio" / "demo.wav"
EXPECTED = json.loads(RECORDING.with_suffix(".json").read_text(encoding="utf-8"))
START_TIMEOUT = 60.0
SPOKEN = 45_000
"""Milliseconds until the last words of the recording are recognised on a busy machine."""
UP_AGAIN = 20_000
"""Milliseconds until a page is back after a restart: the wait between its attempts has grown."""


class Service:
    """The service as a process; `restart` keeps its port and data."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._process: subprocess.Popen[bytes] | None = None
        self._log = data_dir / "service.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return when the service is ready."""
        environment = {name: v for name, v in os.environ.items() if not name.startswith("VOICE_")}
        environment |= {"VOICE_DATA_DIR": str(self._data_dir), "VOICE_SHUTDOWN_SPREAD_MS": "300"}
        command = [sys.executable, "-m", "voice_service", "serve", "--port", str(self.port)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/readyz", timeout=2):
                return
            time.sleep(0.1)
        raise AssertionError(f"the service did not start:\n{self._log.read_text()[-3000:]}")

    def stop(self) -> None:
        """Ask the process to stop, and wait until it has."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(20)

    def token(self, user: str, role: Role, restaurant: str = "demo") -> str:
        """Return a token that the service accepts."""
        tokens = authority(HubSettings(data_dir=self._data_dir))
        return tokens.issue(restaurant, user, role, 3600)

    def ask(
        self, path: str, body: dict[str, Any] | None = None, method: str | None = None
    ) -> dict[str, Any]:
        """Send a request to the HTTP API as the restaurant's manager; a body is POSTed."""
        request = urllib.request.Request(
            f"{self.url}{path}",
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Bearer {self.token('boss', Role.MANAGER)}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                answer: dict[str, Any] = json.load(response)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.code} {error.read()!r}") from error
        return answer

    def order(self, **fields: Any) -> dict[str, Any]:
        """Create an order for a coffee."""
        items = [{"menu_item_id": "coffee", "size": "large"}]
        order: dict[str, Any] = self.ask("/v1/orders", {"items": items, **fields})["order"]
        return order


class Wire:
    """A cable between browser and service that can be unplugged and plugged in again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._plugged = True
        self._ends: set[asyncio.StreamWriter] = set()

    async def serve(self, near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        """Pass on what comes, in both directions."""
        if not self._plugged:
            near_out.transport.abort()
            return
        far, far_out = await asyncio.open_connection("127.0.0.1", self._port)
        self._ends |= {near_out, far_out}
        try:
            await asyncio.gather(self._pass_on(near, far_out), self._pass_on(far, near_out))
        finally:
            self._ends -= {near_out, far_out}

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await source.read(65_536):
                target.write(data)
                await target.drain()
        target.close()

    def pull(self) -> None:
        """Cut every connection, and let none through until `plug`."""
        self._plugged = False
        for end in tuple(self._ends):
            end.transport.abort()

    def plug(self) -> None:
        """Let connections through again."""
        self._plugged = True


@asynccontextmanager
async def wire_to(service: Service) -> AsyncIterator[tuple[Wire, str]]:
    """Run a wire to the service; yield it and the address of its near end."""
    wire = Wire(service.port)
    server = await asyncio.start_server(wire.serve, "127.0.0.1", 0)
    try:
        yield wire, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        wire.pull()
        server.close()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Start one service for the whole file, as loading the model takes seconds."""
    running = Service(tmp_path_factory.mktemp("data"))
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
async def screens(service: Service) -> AsyncIterator[Screens]:
    """Start a browser whose microphone plays the recording; no page may have misbehaved."""
    async with browsing(RECORDING) as browser:
        opened = Screens(browser, service)
        yield opened
    assert opened.faults == []


async def shown_items(page: Page, order: str) -> list[tuple[str, ...]]:
    """Return the lines of an order as a screen shows them: quantity, name with size, modifiers."""
    lines: list[list[str]] = await page.eval_on_selector_all(
        f"{order} .item",
        """items => items.map(item => [
            item.querySelector(".quantity").textContent,
            item.querySelector(".item-name").textContent,
            ...[...item.querySelectorAll(".modifier")].map(m => m.textContent).sort()])""",
    )
    return sorted(tuple(line) for line in lines)


def expected_items() -> list[tuple[str, ...]]:
    """Return the order of the recording's description, as the pages write it."""

    def modifier(said: dict[str, Any]) -> str:
        name = said["id"].replace("_", " ").title()
        if said["negated"]:
            return f"No {name}"
        return f"{said['qualifier'].title()} {name}" if said["qualifier"] else name

    def line(item: dict[str, Any]) -> tuple[str, ...]:
        name = item["menu_item_id"].replace("_", " ").title()
        size = f" {item['size'].title()}" if item["size"] else ""
        return (f"{item['quantity']}\u00d7", name + size, *sorted(map(modifier, item["modifiers"])))

    return sorted(map(line, EXPECTED["order"]))


async def applied(page: Page, service: Service) -> tuple[list[int], list[int]]:
    """Return the seqs that the page's feed has applied, once caught up, and those of history."""
    history = service.ask("/v1/events?events=order:*&limit=1000")["events"]
    sequence = [event["seq"] for event in history]
    seen: list[int] = await page.evaluate(
        """last => new Promise((done) => {
            const look = () =>
                window.applied.includes(last) ? done(window.applied) : setTimeout(look, 50);
            look();
        })""",
        sequence[-1],
    )
    return seen, sequence


async def test_a_guest_speaks_and_every_screen_of_the_restaurant_shows_it(
    service: Service, screens: Screens
) -> None:
    """Words appear as they are said, the order in the kitchen, and nothing at another restaurant.

    The microphone's connection is cut in the middle: not a word may be lost or doubled.
    """
    waiter = await screens.staff("waiter", Role.SERVER, view="conversations")
    kitchen = await screens.staff("cook", Role.KITCHEN)
    stranger = await screens.staff("stranger", Role.MANAGER, "elsewhere", view="both")
    async with wire_to(service) as (wire, address):
        device = service.token("kiosk", Role.DEVICE)
        kiosk = await screens.open("/web/pair.html", base=address)
        await silent(kiosk)
        await kiosk.goto(f"{address}/web/microphone.html#token={device}&lane=lane-7")
        await kiosk.locator(".dish").first.wait_for(timeout=SOON)
        await kiosk.click("#talk")
        partial = waiter.locator(".talk .partial")
        await expect(partial).to_contain_text("can I get", timeout=SPOKEN)
        assert await waiter.locator(".talk .line").count() == 0
        await expect(waiter.locator(".talk .speech")).to_be_visible()
        await expect(kiosk.locator("#meter")).not_to_have_attribute("aria-valuenow", "0")

        await expect(kiosk.locator(".line")).to_have_count(2, timeout=SPOKEN)
        wire.pull()
        await expect(kiosk.locator("#connection")).to_contain_text("Connection lost", timeout=SOON)
        wire.plug()

        last = kiosk.locator(".line").last
        await expect(last).to_contain_text("That's all", timeout=SPOKEN)
        await kiosk.click("#talk")
        await expect(kiosk.locator("#kiosk")).to_have_attribute("data-stage", "done", timeout=SOON)

    said = [u["text"] for u in EXPECTED["utterances"]]
    heard = await kiosk.locator(".line .said").all_text_contents()
    assert len(heard) == len(said)
    # Of 41 words, the smallest model may get two wrong.
    assert jiwer.wer([_plain(t) for t in said], [_plain(t) for t in heard]) < 0.05
    assert await waiter.locator(".line .said").all_text_contents() == heard
    await expect(waiter.locator(".talk-name")).to_have_text("Lane 7")
    await expect(waiter.locator(".talk .confidence")).to_have_count(len(said))
    await expect(waiter.locator(".talk .badge")).not_to_have_text("Listening")
    await expect(waiter.locator(".talk .readback")).to_contain_text("Root Beer")

    number = await kiosk.locator("#order-number").text_content()
    await expect(kiosk.locator("#number")).to_contain_text((number or "").lstrip("#"))
    ticket = kitchen.locator(".ticket")
    await expect(ticket.locator(".number")).to_have_text(number or "", timeout=SOON)
    for page, order in ((kitchen, ".ticket"), (kiosk, "#order-lines"), (waiter, ".talk-order")):
        assert await shown_items(page, order) == expected_items()
    await expect(kiosk.locator(".grand dd")).to_have_text("$14.56")
    assert await kitchen.locator(".talk").count() == 0
    await expect(stranger.locator("#no-conversations")).to_be_visible()
    assert await stranger.locator(".talk, .ticket, #finished-list li").count() == 0


async def silent(page: Page) -> None:
    """Let the service have no voice for this page: the recording does not wait for it to end."""

    async def change(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, json={**await answer.json(), "spoken": []})

    await page.route("**/v1/voice", change)


def _plain(text: str) -> str:
    return "".join(c for c in text.lower() if c.isalnum() or c == " ")


async def test_buttons_take_an_order_through_its_life(service: Service, screens: Screens) -> None:
    """Each press moves the ticket on, here and at the server; a stale one is reported, not lost."""
    order = service.order(type="takeout", customer_name="Ada")
    page = await screens.staff("cook", Role.KITCHEN)
    ticket = page.locator(f'[data-order="{order["id"]}"]')
    for status in ("confirmed", "preparing", "ready", "picked-up"):
        await press(ticket, ".next")
        await expect(ticket).to_have_attribute("data-status", status, timeout=SOON)
        await expect(ticket).to_contain_text("Ada")
        assert service.ask(f"/v1/orders/{order['id']}")["order"]["status"] == status
    await press(ticket, ".next")
    await expect(page.locator("#finished-count")).not_to_have_text("0")

    doomed = service.order(type="takeout")
    ticket = page.locator(f'[data-order="{doomed["id"]}"]')
    await press(ticket, ".more")
    await press(ticket, ".cancel")
    assert service.ask(f"/v1/orders/{doomed['id']}")["order"]["status"] == "pending"
    await press(ticket, ".why >> nth=0")
    await expect(ticket.locator(".cancelled")).to_be_visible(timeout=SOON)
    assert service.ask(f"/v1/orders/{doomed['id']}")["order"]["status"] == "cancelled"


async def test_markup_in_an_order_stays_text(service: Service, screens: Screens) -> None:
    """A name, a note or an instruction cannot put an element or a script into the page."""
    evil = '<img src="x" onerror="window.evil=1"><script>window.evil=1</script>'
    item = {"menu_item_id": "coffee", "size": "large", "special_instructions": evil}
    order = service.order(type="takeout", customer_name=evil, notes=evil, items=[item])
    page = await screens.staff("boss", Role.MANAGER, view="both")
    ticket = page.locator(f'[data-order="{order["id"]}"]')
    for part in (".customer", ".notes", ".instructions"):
        await expect(ticket.locator(part)).to_have_text(evil, timeout=SOON)
    assert await page.locator("#board img, #board script").count() == 0
    assert await page.evaluate("window.evil") is None


async def test_a_screen_survives_a_restart(service: Service, screens: Screens) -> None:
    """After a restart a page has every order once, and its feed has had every event once."""
    before = service.order(type="takeout")
    page = await screens.staff("boss", Role.MANAGER, view="kitchen")
    await expect(page.locator(f'[data-order="{before["id"]}"]')).to_be_visible(timeout=SOON)
    await page.evaluate(
        """async token => {
            const { connectEvents } = await import("/web/events.js");
            window.applied = [];
            window.resets = 0;
            connectEvents({
                url: location.origin,
                token,
                subscribe: { events: ["order:*"] },
                since: ({ epoch, seq }) => ({ epoch, seq: Math.max(0, seq - 300) }),
                onStart: () => (window.resets += 1),
                onHistoryLost: () => (window.resets += 1),
                onEvent: (event) => window.applied.push(event.seq),
            });
        }""",
        service.token("feed", Role.MANAGER),
    )
    await applied(page, service)

    await asyncio.to_thread(service.stop)
    await expect(page.locator("#outage")).to_contain_text("No connection", timeout=SOON)
    await asyncio.to_thread(service.start)
    missed = service.order(type="takeout")
    service.ask(f"/v1/orders/{before['id']}/status", {"status": "confirmed"})

    await expect(page.locator("#connection")).to_have_text("Live", timeout=UP_AGAIN)
    last = service.order(type="takeout")
    for order, status in ((before, "confirmed"), (missed, "pending"), (last, "pending")):
        ticket = page.locator(f'[data-order="{order["id"]}"]')
        await expect(ticket).to_have_attribute("data-status", status, timeout=SOON)
        await expect(ticket).to_have_count(1)
    seen, sequence = await applied(page, service)
    assert seen == [seq for seq in sequence if seq >= seen[0]]
    assert await page.evaluate("window.resets") == 1


async def test_a_token_stays_out_of_sight(service: Service, screens: Screens) -> None:
    """It leaves the address bar at once and is kept for the tab only; a wrong one is explained."""
    page = await screens.staff("boss", Role.MANAGER)
    assert "#" not in page.url
    assert await page.evaluate("JSON.stringify(localStorage)") == "{}"
    await page.reload()
    await expect(page.locator("#connection")).to_have_text("Live", timeout=SOON)
    await page.click("#signout")
    assert await page.evaluate("sessionStorage.getItem('voice-ordering.token')") is None
    await page.fill("#token", service.token("kiosk", Role.DEVICE))
    await page.keyboard.press("Enter")
    await expect(page.locator("#signin-problem")).to_contain_text("microphone", timeout=SOON)
    await page.fill("#token", "nonsense")
    await page.keyboard.press("Enter")
    await expect(page.locator("#signin-problem")).to_contain_text("sign in again", timeout=SOON)


async def test_attempts_to_reconnect_back_off(screens: Screens) -> None:
    """The wait doubles from 1 s to 30 s; jitter takes at most half of it away."""
    page = await screens.open()
    waits = await page.evaluate(
        """async () => {
            const { backoff } = await import("/web/socket.js");
            return [0, 1, 2, 3, 4, 5, 50].map((n) => [backoff(n, 0), backoff(n, 1)]);
        }"""
    )
    longest = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
    assert waits == [[wait / 2, wait] for wait in longest]


async def test_a_waiter_takes_a_guest_over_and_hands_the_order_back(
    service: Service, screens: Screens
) -> None:
    """One button on the guest's card does it, before a word is said; every screen shows who."""
    waiter = await screens.staff("waiter", Role.SERVER, view="conversations")
    boss = await screens.staff("boss", Role.MANAGER, view="conversations")
    device = service.token("kiosk", Role.DEVICE)
    kiosk = await screens.open("/web/microphone.html", token=device, lane="lane-9")
    await kiosk.click("#talk")
    [mine, theirs] = [
        page.locator(".talk", has=page.get_by_role("heading", name="Lane 9"))
        for page in (waiter, boss)
    ]
    await mine.get_by_role("button", name="Take over").click(timeout=SOON)
    editor = waiter.locator("#editor")
    await editor.get_by_role("button", name="Cheeseburger", exact=False).first.click(timeout=SOON)
    await expect(editor.locator(".editor-total")).to_contain_text("Saved", timeout=SOON)
    for card in (mine, theirs):
        await expect(card.locator(".talk-staff")).to_contain_text(
            "Taken over by waiter", timeout=SOON
        )
        await expect(card.locator(".badge")).to_have_text("Needs staff", timeout=SOON)
    [held] = [s for s in service.ask("/v1/sessions")["sessions"] if s["lane"] == "lane-9"]
    assert held["held_by"] == "waiter"
    assert held["order_id"] is not None
    late = await screens.staff("late", Role.CASHIER, view="conversations")
    again = late.locator(".talk", has=late.get_by_role("heading", name="Lane 9"))
    await again.get_by_role("button", name="Hand back").click(timeout=SOON)
    await expect(editor).not_to_be_visible(timeout=SOON)
    for card in (mine, theirs, again):
        await expect(card.get_by_role("button", name="Take over")).to_be_visible(timeout=SOON)
    await kiosk.click("#talk")
    await expect(kiosk.locator("#kiosk")).to_have_attribute("data-stage", "done", timeout=SPOKEN)
    await expect(mine.get_by_role("button", name="Take over")).to_have_count(0, timeout=SOON)
    service.ask(f"/v1/sessions/{held['session_id']}", method="DELETE")
    for card in (mine, theirs, again):
        await expect(card).to_have_count(0, timeout=SOON)
