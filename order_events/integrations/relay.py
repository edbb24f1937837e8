"""Follows a restaurant's orders and has each new one, change and cancellation carried out once.

A step is noted before it begins, and again, in one transaction with the position in the history,
when it is done. So none is left out, whatever is restarted when. A step that was cut off between
the two is repeated under the same key and with `again`: what can tell the two apart does it once,
and what cannot, such as a printer, can say so.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Final, Protocol

import structlog

from order_events.client import Event, Events, HistoryLost, Position
from order_events.client.backoff import Backoff
from order_events.client.link import TokenSource
from order_events.integrations.hub_api import HubApi, HubError
from order_events.integrations.journal import Entry, Journal
from order_events.integrations.orders import STARTED, Kind, Order, due

EVENTS: Final = ("order:created", "order:updated", "order:status")
_OPEN: Final = (*sorted(STARTED), "ready")

logger = structlog.get_logger(__name__)


class Unavailable(Exception):
    """It cannot be carried out now; it is tried again until it can.

    `begun` is set if this try may have been carried out, as a whole or in part.
    """

    def __init__(self, why: str, *, begun: bool = False) -> None:
        super().__init__(why)
        self.begun = begun


class NotAccepted(Exception):
    """It can never be carried out. A person has to look at the order; the message says why."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something to carry out.

    `before` is the order as it was last carried out, and `reference` what that returned. `key` is
    the same each time the step is tried; `again` is set if an earlier try may have succeeded.
    """

    kind: Kind
    order: Order
    before: Order | None
    reference: str | None
    key: str
    again: bool


class Outlet(Protocol):
    """Where orders are carried to."""

    async def carry_out(self, step: Step) -> str | None:
        """Do it, and return what the order is called there; raise Unavailable or NotAccepted."""


class Relay:
    """Carries a restaurant's orders to one outlet, for as long as it runs.

    With a new journal it begins with what happens from now on. `refused` counts the steps that were
    not accepted.
    """

    def __init__(
        self, url: str, token: TokenSource, hub: HubApi, journal: Journal, outlet: Outlet
    ) -> None:
        self._url = url
        self._token = token
        self._hub = hub
        self._journal = journal
        self._outlet = outlet
        self.refused = 0

    async def run(self) -> None:
        """Run until cancelled; raise Refused if the server does not accept the token."""
        since = self._journal.position
        async with Events(self._url, self._token, EVENTS, since=since) as events:
            if since is None:
                await self._begin(events.position)
            while True:
                try:
                    async for event in events:
                        await self._take(event)
                except HistoryLost as lost:
                    await self._read_again(lost.position)

    async def _begin(self, position: Position) -> None:
        """Take what is open now as known: whoever starts with orders open has them on paper."""
        for order in await self._open_orders():
            self._journal.finish(Entry(order, order), None)
        self._journal.finish(None, position)

    async def _read_again(self, position: Position) -> None:
        for order in await self._open_orders():
            await self._see(order, None)
        self._journal.finish(None, position)

    async def _open_orders(self) -> list[Order]:
        backoff = Backoff()
        while True:
            try:
                return [order for status in _OPEN for order in await self._hub.orders(status)]
            except HubError as error:
                await self._wait(backoff, str(error))

    async def _take(self, event: Event) -> None:
        order = await self._order_of(event)
        if order is None:
            self._journal.finish(None, event.position)
        else:
            await self._see(order, event.position)

    async def _order_of(self, event: Event) -> Order | None:
        """Return the order after an event; None if it is gone."""
        if "order" in event.data:
            return Order.model_validate(event.data["order"])
        entry = self._journal.entry(event.data["order_id"])
        if entry is None:
            return await self._fetched(event.data["order_id"])
        change = {"status": event.data["status"], "version": event.data["version"]}
        # An event that is older than what was read meanwhile changes nothing.
        newer = change["version"] > entry.order.version
        return entry.order.model_copy(update=change) if newer else entry.order

    async def _fetched(self, order_id: str) -> Order | None:
        backoff = Backoff()
        while True:
            try:
                return await self._hub.order(order_id)
            except HubError as error:
                await self._wait(backoff, str(error))

    async def _see(self, order: Order, position: Position | None) -> None:
        known = self._journal.entry(order.id)
        if known is not None and order.version <= known.order.version:
            self._journal.finish(None, position)
            return
        sent = None if known is None else known.sent
        reference = None if known is None else known.reference
        kind = due(sent, order)
        if kind is None:
            self._journal.finish(Entry(order, sent, reference), position)
            return
        key = f"{order.id}:{order.version}"
        again = self._journal.begin(key)
        reference = await self._carried_out(Step(kind, order, sent, reference, key, again))
        done = None if kind is Kind.CANCELLED else order
        self._journal.finish(Entry(order, done, reference), position, key)

    async def _carried_out(self, step: Step) -> str | None:
        backoff = Backoff()
        while True:
            try:
                return await self._outlet.carry_out(step)
            except Unavailable as error:
                step = replace(step, again=step.again or error.begun)
                await self._wait(backoff, str(error))
            except NotAccepted as error:
                self.refused += 1
                number = step.order.order_number
                logger.error("not accepted", order=number, why=str(error))  # noqa: TRY400
                return step.reference

    async def _wait(self, backoff: Backoff, why: str) -> None:
        wait = backoff.next(asyncio.get_running_loop().time())
        logger.warning("waiting", why=why, seconds=round(wait, 1))
        await asyncio.sleep(wait)
