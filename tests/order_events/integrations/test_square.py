"""Menu, stock and orders at a point of sale: Square, as its API is documented."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from support.square import LOCATION, TOKEN, FakeSquare

from order_events.integrations import point_of_sale
from order_events.integrations.point_of_sale import PosOutlet, Stock
from order_events.integrations.relay import NotAccepted
from order_events.integrations.square.api import SquareApi
from order_events.integrations.square.point_of_sale import Square


@pytest.fixture
async def account() -> FakeSquare:
    """What is at Square."""
    return FakeSquare()


@pytest.fixture
async def square(account: FakeSquare) -> AsyncIterator[Square]:
    """The adapter, connected with it."""
    runner = web.AppRunner(account.app(), shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield Square(SquareApi(http, TOKEN, url), LOCATION)
    await runner.cleanup()


@pytest.fixture
async def server(start: Any, square: Square) -> Any:
    """A server with the menu of the point of sale."""
    server = await start(menu=False)
    await server.events.put_menu("r1", (await square.menu()).menu, "test")
    return server


async def place(server: Any, *items: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Create an order and confirm it; return it."""
    code, answer = await server.call("POST", "/v1/orders", {"items": items, **fields})
    assert code == 201, answer
    made: dict[str, Any] = answer["order"]
    await server.call("POST", f"/v1/orders/{made['id']}/status", {"status": "confirmed"})
    return made


async def test_the_catalogue_becomes_a_menu(server: Any, square: Square, hub: Any) -> None:
    """Sizes, modifiers, bounds, tax and stock; what is new to us is left out or harmless."""
    notes = await point_of_sale.import_menu(square, hub)
    _, answer = await server.call("GET", "/v1/menu")
    menu = answer["menu"]
    assert (menu["name"], menu["time_zone"], menu["tax_rate"]) == (
        "Café",
        "America/New_York",
        "0.0825",
    )
    items = {item["id"]: item for item in menu["items"]}
    assert set(items) == {"BUR", "LAT", "SOU"}
    assert (items["BUR"]["price"], items["BUR"]["category"]) == (999, "FOOD")
    assert items["LAT"]["prices"] == {"small": 400, "large": 500}
    assert [items[i]["sold_out"] for i in ("BUR", "SOU")] == [False, True]
    groups = {group["name"]: (group["min"], group["max"]) for group in menu["modifier_groups"]}
    assert groups == {"Toppings": (0, 2), "Milk": (1, 1), "Novelty": (0, None)}
    assert notes == ("Catch of the Day: a price that is set at the time of sale is left out",)


async def test_stock_is_carried_over(
    server: Any, square: Square, hub: Any, account: FakeSquare
) -> None:
    """When it changes there; what a screen says meanwhile stays."""
    stock = Stock(square, hub)
    await stock.update()
    [burger] = [o for o in account.objects if o["id"] == "BUR"]
    [regular] = burger["item_data"]["variations"]
    regular["item_variation_data"]["location_overrides"] = [
        {"location_id": "elsewhere", "sold_out": False},
        {"location_id": LOCATION, "sold_out": True, "sold_out_valid_until": "2030-01-01"},
    ]
    await server.call("PATCH", "/v1/menu/items/SOU", {"sold_out": False})
    await stock.update()
    assert await hub.sold_out() == {"BUR": True, "LAT": False, "SOU": False}
    regular["item_variation_data"]["location_overrides"] = []
    await stock.update()
    assert await hub.sold_out() == {"BUR": False, "LAT": False, "SOU": False}


async def test_orders_are_placed_once_whatever_fails(
    server: Any, square: Square, carry: Any, account: FakeSquare
) -> None:
    """An answer that was lost, errors, too many requests, and restarts of the bridge."""
    await carry(PosOutlet(square))
    account.failures, account.lost = [500, 429, 503], True
    toppings = [{"id": "ONI", "negated": True}, {"id": "CHE", "quantity": 2}]
    burger = {"menu_item_id": "BUR", "quantity": 2, "modifiers": toppings}
    latte = {"menu_item_id": "LAT", "size": "large", "modifiers": [{"id": "OAT"}]}
    allergy = [{"code": "allergy", "text": "peanuts"}]
    made = await place(server, burger, latte, attention=allergy, customer_name="Ana")
    await carry(PosOutlet(square))
    await carry(PosOutlet(square))
    [placed] = account.orders.values()
    assert (placed["reference_id"], placed["ticket_name"]) == (made["id"], made["order_number"])
    first, second = placed["line_items"]
    assert (first["catalog_object_id"], first["quantity"]) == ("BUR1", "2")
    assert first["note"] == "NO Onions"
    assert first["modifiers"] == [{"catalog_object_id": "CHE", "quantity": "2"}]
    assert second["catalog_object_id"] == "LAT2"
    [pickup] = placed["fulfillments"]
    assert pickup["pickup_details"]["recipient"] == {"display_name": "Ana"}
    assert pickup["pickup_details"]["note"] == "ALLERGY: peanuts"


async def test_changes_and_cancellations_follow(
    server: Any, square: Square, carry: Any, account: FakeSquare
) -> None:
    """Lines that did not change stay as they are; a change whose answer was lost is made once."""
    await carry(PosOutlet(square))
    latte = {"menu_item_id": "LAT", "size": "small", "modifiers": [{"id": "COW"}]}
    made = await place(server, {"menu_item_id": "BUR"}, latte)
    await carry(PosOutlet(square))
    [placed] = account.orders.values()
    kept = placed["line_items"][1]["uid"]
    items = [{"id": line["id"], "menu_item_id": line["menu_item_id"]} for line in made["items"]]
    items[0]["quantity"] = 3
    items[1].update(latte)
    account.lost = True
    await server.call("PATCH", f"/v1/orders/{made['id']}", {"items": items})
    await carry(PosOutlet(square))
    lines = {line["uid"]: line["quantity"] for line in placed["line_items"]}
    assert lines.pop(kept) == "1"
    assert list(lines.values()) == ["3"]
    assert placed["version"] == 2
    await server.call("POST", f"/v1/orders/{made['id']}/status", {"status": "cancelled"})
    await carry(PosOutlet(square))
    assert placed["state"] == "CANCELED"


async def test_what_is_not_in_the_catalogue_is_sent_as_it_is(
    server: Any, square: Square, carry: Any, account: FakeSquare
) -> None:
    """By name and price: an order is never lost because somebody edited a menu."""
    await carry(PosOutlet(square))
    account.objects = [o for o in account.objects if o["id"] != "BUR"]
    await square.menu()
    await place(server, {"menu_item_id": "BUR"})
    await carry(PosOutlet(square))
    [placed] = account.orders.values()
    [line] = placed["line_items"]
    assert (line["name"], line["base_price_money"]["amount"]) == ("Burger", 999)


async def test_one_order_that_is_refused_does_not_hold_up_the_others(
    server: Any, square: Square, carry: Any, account: FakeSquare
) -> None:
    """A person has to see to it."""
    await carry(PosOutlet(square))
    account.failures = [400]
    await place(server, {"menu_item_id": "BUR"})
    second = await place(server, {"menu_item_id": "BUR"})
    await carry(PosOutlet(square))
    assert [o["reference_id"] for o in account.orders.values()] == [second["id"]]


async def test_a_wrong_token_is_told(square: Square) -> None:
    """It cannot help to try again."""
    square._api._headers["Authorization"] = "Bearer wrong"
    with pytest.raises(NotAccepted, match="401"):
        await square.menu()
