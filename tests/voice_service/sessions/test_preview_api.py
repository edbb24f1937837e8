"""An owner tries a menu before guests do."""

from __future__ import annotations

import json
from typing import Any

from support.voice_server import Server, Start

from order_events.auth.tokens import Role
from voice_service.server import demo_menu


async def tried(server: Server, role: Role = Role.MANAGER, **body: Any) -> tuple[int, Any]:
    headers = {"Authorization": f"Bearer {server.token(role=role, user='owner')}"}
    async with server.http.post(
        server.url + "/v1/menu/preview", json=body, headers=headers
    ) as response:
        return response.status, await response.json()


async def test_what_guests_may_say_is_tried_with_a_draft(start: Start) -> None:
    """A new alias is understood at once, and the menu in use stays as it is."""
    server = await start()
    says = ["two smashers and a large coke", "the moon"]
    status, answer = await tried(server, says=says)
    assert status == 200
    assert [len(one["lines"]) for one in answer["understood"]] == [1, 0]
    assert answer["understood"][1]["reasons"][0]["code"] in ("not_understood", "off_topic")
    draft = json.loads(demo_menu().model_dump_json())
    burger = next(item for item in draft["items"] if item["id"] == "cheeseburger")
    burger["aliases"].append("smasher")
    status, answer = await tried(server, says=says, menu=draft)
    assert answer["understood"][0]["lines"] == ["2 Cheeseburgers", "1 Large Coca-Cola"]
    [names] = [one["names"] for one in answer["names"] if one["id"] == "cheeseburger"]
    assert "smasher" in names
    assert (await tried(server, says=says))[1]["understood"][0]["lines"] == ["1 Large Coca-Cola"]


async def test_a_preview_that_cannot_be_made_is_refused(start: Start) -> None:
    """With what to change; and only those who may change the menu can ask for one."""
    server = await start()
    status, answer = await tried(server, says=["hello"], language="xx")
    assert (status, answer["error"]["code"]) == (422, "INVALID_ORDER")
    assert (await tried(server, says=["hello"] * 21))[0] == 400
    assert (await tried(server, Role.SERVER, says=["hello"]))[0] == 403
