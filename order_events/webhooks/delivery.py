"""The deliveries of one webhook: reads the history and sends each event until it is taken."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog

from order_events.auth.roles import Role, visible
from order_events.domain.models import Event
from order_events.fanout.hub import Hub, Pending
from order_events.fanout.root_session import History, Interest, Subscription
from order_events.protocol.errors import OrderError
from order_events.protocol.filters import expand
from order_events.protocol.frames import FrameBatch
from order_events.protocol.messages import Position, utc_from_unix
from order_events.storage.damaged_rows import DamagedRow
from order_events.storage.store import Store
from order_events.webhooks import records
from order_events.webhooks.records import Kept
from order_events.webhooks.sender import Outcome, Sender

FIRST_RETRY_S = 2.0
LAST_RETRY_S = 300.0
"""Seconds between attempts, doubling from the first to the last, less a random part of a half."""
_CHUNK = 50
_CHUNK_BYTES = 1_048_576

logger = structlog.get_logger(__name__)

Deliveries = Callable[[str], None]
"""Counts a delivery by its result."""


@dataclass(frozen=True, slots=True)
class Services:
    """What all webhooks of a server share. `off_after_s`: seconds of failure; `reach` sees to it
    that the hub has reached a position.
    """

    store: Store
    hub: Hub
    sender: Sender
    off_after_s: float
    reach: Callable[[str, int], Awaitable[None]]
    count: Deliveries


class _SwitchedOff(Exception):
    """The webhook was switched off and delivers nothing more."""


class Delivery:
    """One webhook's reader of the history; a subscriber of the hub only to be woken by it."""

    def __init__(self, kept: Kept, services: Services) -> None:
        self._kept = kept
        self._services = services
        self._restaurant = kept.restaurant_id
        self._position = Position(epoch=kept.webhook.epoch, seq=kept.webhook.seq)
        self._failing_since = kept.webhook.failing_since
        self._attempt = 0
        self._wake = asyncio.Event()
        self._hindered = self._idle = False
        types = expand(kept.webhook.events) & visible(Role.SERVICE)
        # As one that may be held back: what wakes a webhook is no message sent.
        self._wanted = Subscription(types, kept.webhook.filters, batch_ms=1)
        self._task = asyncio.create_task(self._run(), name="webhook")

    def serves(self, kept: Kept) -> bool:
        """Return whether a webhook is still as it was when this began, whatever it has delivered.

        One that has switched itself off serves none.
        """
        own = self._kept
        same = (kept.secrets, kept.webhook.updated_at) == (own.secrets, own.webhook.updated_at)
        return same and not self._task.done()

    async def stop(self) -> None:
        """Stop delivering. An event whose answer has not come is sent again later."""
        self._services.hub.detach(self._restaurant, self)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        if self._idle and not self._wake.is_set():
            # What was passed over must not come when other events are chosen.
            epoch, head = self._services.hub.head(self._restaurant)
            self._position = Position(epoch=epoch, seq=head)
            with suppress(OrderError, DamagedRow):
                await self._note()

    def deliver(self, batch: FrameBatch) -> None:
        """Notice that there is something to read."""
        self._wake.set()

    def hold(self, pending: Sequence[Pending]) -> None:
        """Notice that there is something to read."""
        self._wake.set()

    def broken(self) -> None:
        """Read again: history has what was missed."""
        self._wake.set()

    async def _run(self) -> None:
        try:
            while True:
                self._wake.clear()
                interest = Interest(frozenset({self._wanted}))
                self._services.hub.attach(self._restaurant, self, interest)
                if await self._caught_up():
                    self._idle = True
                    await self._wake.wait()
                    self._idle = False
        except _SwitchedOff:
            self._services.hub.detach(self._restaurant, self)

    async def _caught_up(self) -> bool:
        """Deliver what there is; wait and return False if that could not be done."""
        try:
            await self._catch_up()
        except OrderError:
            # The database cannot be used now; the events are still there.
            await asyncio.sleep(self._pause())
            return False
        except DamagedRow as damaged:
            await self._hinder(f"{damaged}; stop the server and run its command `check`")
            await asyncio.sleep(LAST_RETRY_S)
            return False
        except _SwitchedOff:
            raise
        except Exception:
            # The task's boundary: one fault of ours must not end the deliveries for good.
            logger.exception("deliveries failed", webhook=self._kept.webhook.id)
            await self._hinder("internal error; the server's log has the details")
            await asyncio.sleep(LAST_RETRY_S)
            return False
        return True

    async def _hinder(self, problem: str) -> None:
        """Show what keeps the events here, which is no failure of the receiver's."""
        self._hindered = True
        with suppress(OrderError, DamagedRow):
            await self._note(problem=problem)

    async def _catch_up(self) -> None:
        while True:
            await self._services.reach(self._restaurant, self._position.seq)
            epoch, head = self._services.hub.head(self._restaurant)
            oldest = self._services.hub.oldest(self._restaurant)
            if not History(epoch, head, oldest).reaches(self._position):
                self._position = Position(epoch=epoch, seq=oldest - 1)
                await self._note(problem="events that had not been delivered are no longer kept")
            if self._position.seq >= head:
                return
            events = await self._services.store.read(
                lambda r: r.events(self._restaurant, self._position.seq, _CHUNK, _CHUNK_BYTES),
                self._restaurant,
            )
            for event in events:
                if event.seq > head:
                    break
                if self._wanted.matches(event.type, event.tags):
                    await self._until_taken(event)
                self._position = Position(epoch=epoch, seq=event.seq)
            await self._note()

    async def _until_taken(self, event: Event) -> None:
        while True:
            outcome = await self._services.sender.send(
                self._kept.webhook.url,
                self._kept.valid_secrets(time.time()),
                event.event_id,
                event.body,
            )
            self._services.count("delivered" if outcome.delivered else "failed")
            if outcome.delivered:
                await self._recovered()
                return
            await self._failed(outcome)
            await asyncio.sleep(max(outcome.retry_after, self._pause()))

    async def _recovered(self) -> None:
        self._attempt = 0
        if self._hindered or self._failing_since is not None:
            self._failing_since, self._hindered = None, False
            await self._note(problem=None, failing_since=None)

    async def _failed(self, outcome: Outcome) -> None:
        """Note a failure; raise _SwitchedOff if it has been one for too long."""
        now = time.time()
        if self._failing_since is None:
            self._failing_since = utc_from_unix(now)
        since = datetime.fromisoformat(self._failing_since).timestamp()
        if outcome.gone or now - since >= self._services.off_after_s:
            why = "the receiver wants no more" if outcome.gone else "it failed for too long"
            problem = f"switched off: {why} ({outcome.problem})"
            logger.warning("webhook switched off", webhook=self._kept.webhook.id, why=problem)
            await self._note(enabled=False, problem=problem, failing_since=self._failing_since)
            raise _SwitchedOff
        await self._note(problem=outcome.problem, failing_since=self._failing_since)

    async def _note(self, **fields: Any) -> None:
        fields |= {"epoch": self._position.epoch, "seq": self._position.seq}
        change = partial(
            records.note,
            restaurant_id=self._restaurant,
            webhook_id=self._kept.webhook.id,
            **fields,
        )
        await self._services.store.write(change, self._restaurant)

    def _pause(self) -> float:
        wait = min(LAST_RETRY_S, FIRST_RETRY_S * 2.0**self._attempt)
        self._attempt = min(self._attempt + 1, 10)
        return wait * random.uniform(0.5, 1.0)  # noqa: S311  not a secret
