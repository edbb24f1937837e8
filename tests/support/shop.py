"""A hub in the caller's own process, and what happens in a restaurant there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from order_events.app import AUTHENTICATOR, AUTHORITY, DESK, EVENTS, build_app
from order_events.auth.tokens import Role
from order_events.domain.audit_records import SessionStart
from order_events.domain.models import OrderDraft
from order_events.http.serving import add_routes
from order_events.metrics import HubMetrics
from order_events.protocol.messages import ProtocolError
from order_events.screens.tokens import screen_tokens
from order_events.server import Runner
from order_events.service import OrderEvents
from order_events.settings import HubSettings
from voice_service.ordering import Thresholds
from voice_service.server import demo_menu
from voice_service.sessions import preview_api
from voice_service.sessions.preview_api import PreviewApi


class Shop:
    """A running hub with one restaurant per test, and what happens there."""

    def __init__(self, app: web.Application, http: aiohttp.ClientSession, url: str) -> None:
        self.url = url
        self.restaurant = ""
        self._app = app
        self._http = http

    def token(self, user: str, role: Role, restaurant: str = "") -> str:
        """Return a token for the restaurant of this test."""
        return self._app[AUTHORITY].issue(restaurant or self.restaurant, user, role, 3600)

    def link(self, role: Role, name: str) -> str:
        """Return the code of a link that pairs a screen of this test's restaurant."""
        settings = self._app[EVENTS].settings
        return screen_tokens(settings).link(self.restaurant, role, name, 60)

    async def guess_pin(self, staff_id: str) -> None:
        """Try a wrong PIN at another screen."""
        with pytest.raises(ProtocolError):
            await self._app[DESK].sign_in(self.restaurant, staff_id, "0000", "another")

    async def opens(self, restaurant: str) -> None:
        """Begin anew: a restaurant of its own, with the demo menu."""
        self.restaurant = restaurant
        await self._app[EVENTS].put_menu(restaurant, demo_menu(), "test")

    async def ask(
        self, path: str, body: Mapping[str, Any] | None = None, method: str | None = None
    ) -> dict[str, Any]:
        """Send a request as the manager; a body is POSTed unless another method is given."""
        how = method or ("GET" if body is None else "POST")
        headers = {"Authorization": f"Bearer {self.token('boss', Role.MANAGER)}"}
        async with self._http.request(how, self.url + path, json=body, headers=headers) as response:
            answer: dict[str, Any] = await response.json()
            assert response.status < 300, (path, answer)
            return answer

    async def order(self, *items: dict[str, Any], **fields: Any) -> dict[str, Any]:
        """Create an order; without items, one for a large coffee."""
        coffee = {"id": "1", "menu_item_id": "coffee", "size": "large"}
        body = {"items": items or [coffee], **fields}
        made: dict[str, Any] = (await self.ask("/v1/orders", body))["order"]
        return made

    async def step(self, order: dict[str, Any], *steps: str, reason: str | None = None) -> None:
        """Take an order through these statuses."""
        for status in steps:
            why = {} if reason is None else {"reason": reason}
            await self.ask(f"/v1/orders/{order['id']}/status", {"status": status, **why})

    async def status(self, order: dict[str, Any]) -> str:
        """Return the status of an order at the server."""
        now = await self.ask(f"/v1/orders/{order['id']}")
        return str(now["order"]["status"])

    async def guest(self, session: str, lane: str) -> None:
        """Let a guest drive up to a lane."""
        start = SessionStart(session_id=session, lane=lane)
        await self._app[EVENTS].ledger.begin(self.restaurant, start, "kiosk")

    async def spoken(self, session: str, lane: str, *items: dict[str, Any]) -> dict[str, Any]:
        """Create the order of a guest, as the voice service does."""
        draft = {"items": items, "source": {"session_id": session, "lane": lane}}
        made = await self._app[EVENTS].create_order(
            self.restaurant,
            OrderDraft.model_validate(draft),
            actor="kiosk",
            idempotency_key=session,
            spoken=True,
        )
        return made.model_dump(mode="json")

    async def says(self, session: str, text: str) -> None:
        """Publish a final transcript of a guest."""
        data = {"session_id": session, "text": text, "is_final": True, "utterance": 1}
        tags = {"session_id": session}
        await self._app[EVENTS].publish(self.restaurant, "voice:transcript", data, tags=tags)

    async def days_ago(self, session: str, days: int, seconds: float) -> None:
        """Let a guest's session have begun some days ago, and taken so long until its order."""
        past = days * 86_400
        change = (
            "UPDATE sessions SET started_at = started_at - ?1, confirmed_at = started_at - ?1 + ?2"
            " WHERE restaurant_id = ?3 AND session_id = ?4"
        )
        values = (past, seconds, self.restaurant, session)
        await self._app[EVENTS].store.write(lambda tx: tx.db.execute(change, values).rowcount)

    async def leaves(self, session: str) -> None:
        """Let a guest's session end."""
        await self._app[EVENTS].ledger.end(self.restaurant, session, "kiosk")

    async def understood(
        self, session: str, *reasons: dict[str, Any], order: dict[str, Any] | None = None
    ) -> None:
        """Publish what the voice service publishes after a guest's words."""
        calls = any(reason.get("calls_staff") for reason in reasons)
        data = {
            "session_id": session,
            "order": order,
            "readback": "",
            "change": "",
            "status": "needs_staff" if calls else "clarify" if reasons else "listening",
            "reasons": reasons,
            "after_utterance": 1,
            "matched": [],
        }
        tags = {"session_id": session}
        await self._app[EVENTS].publish(self.restaurant, "voice:order", data, tags=tags)


def reason(code: str, text: str = "", question: str | None = None, **more: Any) -> dict[str, Any]:
    """Return a reason of a `voice:order`."""
    return {
        "code": code,
        "text": text,
        "utterance": 1,
        "question": question,
        "calls_staff": False,
        **more,
    }


@asynccontextmanager
async def open_shop(data_dir: Path, **more: Any) -> AsyncIterator[Shop]:
    """Run a hub on a free port; `more` are settings."""
    usual = {"close_timeout_s": 1, "http_per_minute": 10_000}
    settings = HubSettings(data_dir=data_dir, **{**usual, **more})
    events = OrderEvents(settings, HubMetrics())
    app = build_app(settings, events)
    # Of the voice service, what needs no model.
    preview = PreviewApi(events, Thresholds())
    add_routes(app, preview, preview_api.ROUTES, app[AUTHENTICATOR])
    runner = Runner(app, settings)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with aiohttp.ClientSession() as http:
        host, port = runner.addresses[0][:2]
        yield Shop(app, http, f"http://{host}:{port}")
    await runner.cleanup()
