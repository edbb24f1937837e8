"""The adapter for Square: see `PointOfSale`."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from order_events.integrations.orders import Line, Modifier, Order, differences
from order_events.integrations.point_of_sale import ImportedMenu
from order_events.integrations.relay import NotAccepted, Unavailable
from order_events.integrations.square import catalog
from order_events.integrations.square.api import Refusal, SquareApi
from order_events.integrations.square.catalog import Catalog

Json = dict[str, Any]
_PICKUP = "pickup"
_NOTE = 500
"""Characters that a note may have."""


class Square:
    """The point of sale of one location."""

    def __init__(self, api: SquareApi, location_id: str) -> None:
        self._api = api
        self._location_id = location_id
        self._catalog: Catalog | None = None

    async def menu(self) -> ImportedMenu:
        """Return the catalogue as a menu."""
        return (await self._read()).imported

    async def sold_out(self) -> frozenset[str]:
        """Return the items of which every variation is sold out at this location."""
        return (await self._read()).sold_out

    async def place(self, order: Order, key: str) -> str:
        """Create an order, to be picked up as soon as it is ready."""
        known = self._catalog or await self._read()
        details: Json = {
            "recipient": {"display_name": order.customer_name or order.order_number},
            "schedule_type": "ASAP",
            "prep_time_duration": f"PT{order.prep_time}M",
            "note": _note(order),
        }
        body = {
            "idempotency_key": key,
            "order": {
                "location_id": self._location_id,
                "reference_id": order.id,
                "ticket_name": order.order_number[:30],
                "source": {"name": "Voice ordering"},
                "pricing_options": {"auto_apply_taxes": True},
                "line_items": [_line(line, known, order.currency) for line in order.items],
                "fulfillments": [
                    {
                        "uid": _PICKUP,
                        "type": "PICKUP",
                        "state": "PROPOSED",
                        "pickup_details": details,
                    }
                ],
            },
        }
        answer = await self._api.ask("POST", "/v2/orders", body)
        placed: str = answer["order"]["id"]
        return placed

    async def change(self, reference: str, before: Order, after: Order, key: str) -> None:
        """Replace the lines that differ; the others keep what was done to them at Square."""
        known = self._catalog or await self._read()
        changes = differences(before, after)
        lines = [_line(c.after, known, after.currency) for c in changes if c.after is not None]
        gone = [f"line_items[{_uid(c.before)}]" for c in changes if c.before is not None]
        fulfillment = {"uid": _PICKUP, "pickup_details": {"note": _note(after)}}
        change = {"line_items": lines, "fulfillments": [fulfillment]}
        await self._update(reference, change, key, cleared=gone)

    async def cancel(self, reference: str, order: Order, key: str) -> None:
        """Cancel an order and its pick-up."""
        fulfillment = {"uid": _PICKUP, "state": "CANCELED"}
        await self._update(reference, {"state": "CANCELED", "fulfillments": [fulfillment]}, key)

    async def _update(
        self, reference: str, change: Json, key: str, cleared: list[str] | None = None
    ) -> None:
        found = (await self._api.ask("GET", f"/v2/orders/{reference}"))["order"]
        body = {
            "idempotency_key": key,
            "order": {
                "location_id": self._location_id,
                "version": found["version"],
                **{name: value for name, value in change.items() if value},
            },
            "fields_to_clear": cleared or [],
        }
        try:
            await self._api.ask("PUT", f"/v2/orders/{reference}", body)
        except Refusal as refusal:
            if "VERSION_MISMATCH" in refusal.codes:
                raise Unavailable(str(refusal)) from refusal
            # The same key with another version: an earlier try has made this change.
            if "IDEMPOTENCY_KEY_REUSED" not in refusal.codes:
                raise

    async def _read(self) -> Catalog:
        location = await self._api.location(self._location_id)
        objects = [each async for each in self._api.catalog(catalog.TYPES)]
        try:
            self._catalog = catalog.read(objects, location)
        except ValueError as error:
            raise NotAccepted(f"the catalogue is no menu: {error}") from error
        return self._catalog


def _line(line: Line, known: Catalog, currency: str) -> Json:
    """Return a line: of the catalogue, or else with the name and price that it has here."""
    chosen = [m for m in line.modifiers if not m.negated]
    notes = [m.text for m in line.modifiers if m.negated or m.qualifier]
    if line.special_instructions:
        notes.append(line.special_instructions)
    found: Json = {
        "uid": _uid(line),
        "quantity": str(line.quantity),
        "modifiers": [_modifier(m, known, currency) for m in chosen],
    }
    if notes:
        found["note"] = "; ".join(notes)[:_NOTE]
    variation = known.variations.get((line.menu_item_id, line.size))
    if variation is not None:
        return {**found, "catalog_object_id": variation}
    return {**found, "name": line.name, "base_price_money": _money(line.price, currency)}


def _modifier(modifier: Modifier, known: Catalog, currency: str) -> Json:
    quantity = {"quantity": str(modifier.quantity)}
    if modifier.id in known.modifiers:
        return {**quantity, "catalog_object_id": modifier.id}
    price = _money(modifier.price, currency)
    return {**quantity, "name": modifier.name, "base_price_money": price}


def _uid(line: Line) -> str:
    """Return what a line is called at Square: another name for each content that it has had."""
    return sha256(line.model_dump_json().encode()).hexdigest()[:32]


def _money(cents: int, currency: str) -> Json:
    return {"amount": cents, "currency": currency}


def _note(order: Order) -> str:
    allergies = (f"ALLERGY: {allergy}" for allergy in order.allergies)
    return "; ".join((*allergies, *filter(None, (order.notes,))))[:_NOTE]
