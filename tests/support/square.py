"""A Square account in the caller's own process, which answers as their API is documented to."""

from __future__ import annotations

import copy
import re
import uuid
from typing import Any

from aiohttp import web

LOCATION = "L1"
TOKEN = "square-secret"
Json = dict[str, Any]


def money(cents: int) -> Json:
    """Return an amount."""
    return {"amount": cents, "currency": "USD"}


def variation(id_: str, name: str, cents: int | None, **fields: Any) -> Json:
    """Return an item variation; without a price, it is set at the time of sale."""
    pricing = {"pricing_type": "VARIABLE_PRICING"}
    if cents is not None:
        pricing = {"pricing_type": "FIXED_PRICING", "price_money": money(cents)}
    data = {"name": name, **pricing, **fields}
    return {"type": "ITEM_VARIATION", "id": id_, "version": 1, "item_variation_data": data}


def item(id_: str, name: str, variations: list[Json], **fields: Any) -> Json:
    """Return an item."""
    data = {"name": name, "product_type": "FOOD_AND_BEV", "variations": variations, **fields}
    return {"type": "ITEM", "id": id_, "present_at_all_locations": True, "item_data": data}


def modifier_list(id_: str, name: str, selection: str, *modifiers: tuple[str, str, int]) -> Json:
    """Return a modifier list of modifiers (id, name, cents)."""
    entries = [
        {"type": "MODIFIER", "id": i, "modifier_data": {"name": n, "price_money": money(cents)}}
        for i, n, cents in modifiers
    ]
    data = {"name": name, "selection_type": selection, "modifiers": entries}
    return {"type": "MODIFIER_LIST", "id": id_, "modifier_list_data": data}


def catalog() -> list[Json]:
    """Return a small café's catalogue, with things that nobody has heard of."""
    sold_out = {"location_overrides": [{"location_id": LOCATION, "sold_out": True}]}
    toppings = {"modifier_list_id": "TOP", "min_selected_modifiers": 0, "max_selected_modifiers": 2}
    return [
        {"type": "CATEGORY", "id": "FOOD", "category_data": {"name": "Food"}},
        modifier_list("TOP", "Toppings", "MULTIPLE", ("CHE", "Cheese", 75), ("ONI", "Onions", 0)),
        modifier_list("MILK", "Milk", "SINGLE", ("OAT", "Oat Milk", 60), ("COW", "Whole Milk", 0)),
        modifier_list("NEW", "Novelty", "HOLOGRAPHIC", ("HOL", "Hologram", 5)),
        item(
            "BUR",
            "Burger",
            [variation("BUR1", "Regular", 999)],
            reporting_category={"id": "FOOD", "ordinal": 1},
            modifier_list_info=[toppings, {"modifier_list_id": "NEW", "enabled": True}],
        ),
        item(
            "LAT",
            "Latte",
            [variation("LAT1", "Small", 400), variation("LAT2", "Large", 500)],
            modifier_list_info=[{"modifier_list_id": "MILK"}],
        ),
        item("SOU", "Soup", [variation("SOU1", "Regular", 450, **sold_out)]),
        item("FIS", "Catch of the Day", [variation("FIS1", "Regular", None)]),
        {**item("OLD", "Gone", [variation("OLD1", "Regular", 1)]), "is_deleted": True},
        {
            "type": "TAX",
            "id": "T",
            "tax_data": {"percentage": "8.25", "inclusion_type": "ADDITIVE"},
        },
        {"type": "QUANTUM_ITEM", "id": "Q", "quantum_item_data": {"name": "?"}},
    ]


class FakeSquare:
    """The account. `failures` are the statuses of its next answers to changes; `lost` says that
    the next change is made, but its answer does not arrive."""

    def __init__(self) -> None:
        self.objects = catalog()
        self.orders: dict[str, Json] = {}
        self.failures: list[int] = []
        self.lost = False
        self._keys: dict[str, tuple[Json, str]] = {}

    def app(self) -> web.Application:
        """Return the API."""
        app = web.Application(middlewares=[_authorized])
        app.router.add_get("/v2/locations/{id}", self._location)
        app.router.add_get("/v2/catalog/list", self._list)
        app.router.add_post("/v2/orders", self._create)
        app.router.add_get("/v2/orders/{id}", self._get)
        app.router.add_put("/v2/orders/{id}", self._update)
        return app

    async def _location(self, request: web.Request) -> web.Response:
        if request.match_info["id"] != LOCATION:
            return _error(404, "NOT_FOUND")
        known = {"id": LOCATION, "name": "Café", "currency": "USD", "status": "ACTIVE"}
        zone = {"timezone": "America/New_York", "language_code": "en-US"}
        return web.json_response({"location": {**known, **zone}})

    async def _list(self, request: web.Request) -> web.Response:
        types = request.query["types"].split(",")
        start = int(request.query.get("cursor", "0"))
        # As theirs, it answers in pages; objects of a new kind come along with any.
        page = self.objects[start : start + 4]
        found = [o for o in page if o["type"] in types or o["type"] == "QUANTUM_ITEM"]
        answer: Json = {"objects": found} if found else {}
        if start + 4 < len(self.objects):
            answer["cursor"] = str(start + 4)
        return web.json_response(answer)

    async def _get(self, request: web.Request) -> web.Response:
        order = self.orders.get(request.match_info["id"])
        return _error(404, "NOT_FOUND") if order is None else web.json_response({"order": order})

    async def _create(self, request: web.Request) -> web.Response:
        body = await request.json()

        def create() -> str:
            order = copy.deepcopy(body["order"])
            id_ = uuid.uuid4().hex
            self.orders[id_] = {**order, "id": id_, "version": 1, "state": "OPEN"}
            return id_

        return self._once(body, create)

    async def _update(self, request: web.Request) -> web.Response:
        body = await request.json()
        id_ = request.match_info["id"]
        order, change = self.orders[id_], body["order"]
        used = body["idempotency_key"] in self._keys
        if order["state"] != "OPEN" and not used:
            return _error(400, "BAD_REQUEST")
        if change["version"] != order["version"] and not used:
            return _error(409, "VERSION_MISMATCH")

        def update() -> str:
            for path in body["fields_to_clear"]:
                [uid] = re.findall(r"line_items\[(.+)\]", path)
                kept = [line for line in order["line_items"] if line["uid"] != uid]
                assert len(kept) == len(order["line_items"]) - 1, "no such line"
                order["line_items"] = kept
            order["line_items"] += change.get("line_items", [])
            for new in change.get("fulfillments", []):
                [known] = [f for f in order["fulfillments"] if f["uid"] == new["uid"]]
                known.get("pickup_details", {}).update(new.pop("pickup_details", {}))
                known.update(new)
            if change.get("state") == "CANCELED":
                assert all(f["state"] == "CANCELED" for f in order["fulfillments"])
            order["state"] = change.get("state", order["state"])
            order["version"] += 1
            return id_

        return self._once(body, update)

    def _once(self, body: Json, make: Any) -> web.Response:
        """Make a change that has a new key, and return the order."""
        if self.failures:
            return _error(self.failures.pop(0), "TEMPORARY_ERROR")
        key = body["idempotency_key"]
        known = self._keys.get(key)
        if known is None:
            made = self._keys[key] = body, make()
        elif known[0] != body:
            return _error(400, "IDEMPOTENCY_KEY_REUSED")
        else:
            made = known
        if self.lost:
            self.lost = False
            return _error(502, "GATEWAY")
        return web.json_response({"order": self.orders[made[1]]})


@web.middleware
async def _authorized(request: web.Request, handler: Any) -> web.StreamResponse:
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        return _error(401, "UNAUTHORIZED")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", request.headers["Square-Version"])
    response: web.StreamResponse = await handler(request)
    return response


def _error(status: int, code: str) -> web.Response:
    return web.json_response({"errors": [{"category": "API_ERROR", "code": code}]}, status=status)
