"""Points of sale: what an adapter for one has to do, and what is then done with it.

`square` is a complete example. An adapter takes values that it does not know as the most harmless
thing they may mean, never as an error: those systems add new ones without notice.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

import structlog

from order_events.integrations.hub_api import HubApi, HubError
from order_events.integrations.orders import Kind, Order
from order_events.integrations.relay import Step, Unavailable
from order_events.menu.menu import Menu

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ImportedMenu:
    """A menu, and what of the original it could not express: `notes`, a sentence each."""

    menu: Menu
    notes: tuple[str, ...]


class PointOfSale(Protocol):
    """An adapter for one restaurant's point of sale.

    Every method raises Unavailable if it should be tried again. Those that change something raise
    NotAccepted if that cannot help, and take a `key`: a change that comes again under its key is
    made once.
    """

    async def menu(self) -> ImportedMenu:
        """Return its menu in our format."""

    async def sold_out(self) -> frozenset[str]:
        """Return the items of that menu, by id, that are sold out now."""

    async def place(self, order: Order, key: str) -> str:
        """Place an order; return what it is called there."""

    async def change(self, reference: str, before: Order, after: Order, key: str) -> None:
        """Change an order that was placed."""

    async def cancel(self, reference: str, order: Order, key: str) -> None:
        """Cancel an order that was placed."""


class PosOutlet:
    """Carries orders to a point of sale."""

    def __init__(self, pos: PointOfSale) -> None:
        self._pos = pos

    async def carry_out(self, step: Step) -> str | None:
        """Place, change or cancel an order; raise Unavailable or NotAccepted."""
        if step.kind is Kind.CANCELLED:
            if step.reference is not None:
                await self._pos.cancel(step.reference, step.order, step.key)
            return None
        if step.kind is Kind.CHANGED and step.reference is not None and step.before is not None:
            await self._pos.change(step.reference, step.before, step.order, step.key)
            return step.reference
        return await self._pos.place(step.order, step.key)


async def import_menu(pos: PointOfSale, hub: HubApi) -> tuple[str, ...]:
    """Replace the server's menu by that of the point of sale; return what could not be expressed.

    Raises Unavailable and HubError.
    """
    imported = await pos.menu()
    await hub.put_menu(imported.menu)
    return imported.notes


class Stock:
    """Marks as sold out what is sold out at the point of sale, and as available what is again.

    What somebody marks on a screen meanwhile stays, until the point of sale changes its mind.
    """

    def __init__(self, pos: PointOfSale, hub: HubApi) -> None:
        self._pos = pos
        self._hub = hub
        self._known: frozenset[str] = frozenset()

    async def update(self) -> None:
        """Carry changes over once; raise Unavailable or HubError."""
        now = await self._pos.sold_out()
        ours = await self._hub.sold_out()
        for item_id in sorted((now ^ self._known) & ours.keys()):
            if ours[item_id] != (item_id in now):
                await self._hub.set_sold_out(item_id, item_id in now)
        self._known = now

    async def run(self, every_s: float) -> None:
        """Do so every so many seconds until cancelled."""
        while True:
            try:
                await self.update()
            except (Unavailable, HubError) as error:
                logger.warning("stock not updated", why=str(error))
            await asyncio.sleep(every_s)
