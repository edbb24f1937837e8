"""Voice sessions, audits and analytics, for the HTTP API and publishers in the process.

Methods that change something return once it is on disk. All raise OrderError.
"""

from __future__ import annotations

from typing import Literal

from order_events.cluster.cluster import Cluster
from order_events.domain.api_models import MenuVersion, Trial
from order_events.domain.audit_records import (
    AnalyticsQuery,
    AuditAnswer,
    AuditQuery,
    ErasedAnswer,
    Session,
    SessionStart,
)
from order_events.domain.calls import Call
from order_events.fanout.hub import Hub
from order_events.ledger import audit_log, calls, changes, erasure, voice_sessions
from order_events.ledger.figures_desk import FiguresDesk
from order_events.ledger.voice_sessions import Fence
from order_events.protocol.errors import NotFound
from order_events.settings import HubSettings
from order_events.storage.queries import Reader
from order_events.storage.store import Store
from order_events.storage.transaction import Tx

CallStep = Literal["take", "release", "resolve"]
_CALL_STEPS = {"take": calls.take, "release": calls.release, "resolve": calls.resolve}


class Ledger:
    """The ledger of all restaurants of a process. Call it on the event loop."""

    def __init__(self, settings: HubSettings, store: Store, hub: Hub, cluster: Cluster) -> None:
        self._erase_orders = settings.erase_orders
        self._store = store
        self._hub = hub
        self._cluster = cluster
        self._figures = FiguresDesk(store, hub)

    async def begin(
        self, restaurant_id: str, start: SessionStart, actor: str
    ) -> tuple[Session, Fence]:
        """Begin a session at this node, or continue it here with its holder unchanged."""
        node = self._cluster.node
        return await self._store.write(
            lambda tx: voice_sessions.begin(tx, restaurant_id, start, actor, node), restaurant_id
        )

    async def end(
        self, restaurant_id: str, session_id: str, actor: str, fence: Fence | None = None
    ) -> Session:
        """End a session: its microphone no longer listens. Raises SessionLost."""
        return await self._store.write(
            lambda tx: voice_sessions.end(tx, restaurant_id, session_id, actor, fence),
            restaurant_id,
        )

    async def hold(
        self, restaurant_id: str, session_id: str, *, actor: str, version: int | None
    ) -> Session:
        """Let a member of staff take the session over.

        Raises StaleVersion if `version` is given and the session has another one.
        """
        return await self._store.write(
            lambda tx: voice_sessions.hold(tx, restaurant_id, session_id, actor, version),
            restaurant_id,
        )

    async def hand_back(
        self,
        restaurant_id: str,
        session_id: str,
        *,
        actor: str,
        version: int | None,
        with_order: bool = False,
    ) -> Session:
        """Let the member of staff hand the session back; raise as `hold` does.

        `with_order`: also raise IllegalTransition if its order can no longer be changed.
        """

        def hand_back(tx: Tx) -> Session:
            if with_order:
                voice_sessions.require_open_order(tx, restaurant_id, session_id)
            return voice_sessions.hand_back(tx, restaurant_id, session_id, actor, version)

        return await self._store.write(hand_back, restaurant_id)

    async def session(self, restaurant_id: str, session_id: str) -> Session:
        """Return a session; raise NotFound."""
        return await self._store.read(
            lambda r: voice_sessions.require(r, restaurant_id, session_id), restaurant_id
        )

    async def calls(self, restaurant_id: str) -> tuple[Call, ...]:
        """Return the calls for staff that are not resolved, the most urgent first."""
        return await self._store.read(lambda r: calls.unanswered(r, restaurant_id), restaurant_id)

    async def answer_call(
        self,
        restaurant_id: str,
        call_id: str,
        step: CallStep,
        *,
        actor: str,
        version: int | None,
    ) -> Call:
        """Move a call for staff on; raise as the function of that name in `calls` does."""
        return await self._store.write(
            lambda tx: _CALL_STEPS[step](tx, restaurant_id, call_id, actor, version), restaurant_id
        )

    async def newest(
        self, restaurant_id: str, before: float | None, limit: int
    ) -> tuple[list[Session], float | None]:
        """Return sessions, the newest first, and `before` for the next page."""
        return await self._store.read(
            lambda r: voice_sessions.newest(r, restaurant_id, before, limit), restaurant_id
        )

    async def audit_of_session(
        self, restaurant_id: str, session_id: str, page: AuditQuery
    ) -> AuditAnswer:
        """Return what is kept about a session; raise NotFound."""

        def read(reader: Reader) -> AuditAnswer:
            session = voice_sessions.require(reader, restaurant_id, session_id)
            return _page(reader, restaurant_id, audit_log.of_session(session_id), session, page)

        return await self._store.read(read, restaurant_id)

    async def audit_of_order(
        self, restaurant_id: str, order_id: str, page: AuditQuery
    ) -> AuditAnswer:
        """Return what is kept about an order and its session; raise NotFound."""

        def read(reader: Reader) -> AuditAnswer:
            order = reader.order(restaurant_id, order_id)
            if order is None:
                raise NotFound("there is no such order")
            session_id = order.source.session_id
            session = session_id and voice_sessions.find(reader, restaurant_id, session_id)
            return _page(reader, restaurant_id, audit_log.of_order(order), session or None, page)

        return await self._store.read(read, restaurant_id)

    async def trial(self, restaurant_id: str) -> Trial | None:
        """Return the trial of the restaurant's menu, over or not; None if it has none."""
        return await self._store.read(lambda r: r.trial(restaurant_id), restaurant_id)

    async def menu_versions(self, restaurant_id: str) -> tuple[MenuVersion, ...]:
        """Return the published menus that can be restored, the newest first."""
        return await self._store.read(lambda r: r.menu_versions(restaurant_id), restaurant_id)

    async def restore_menu(
        self, restaurant_id: str, version: int, actor: str, expected: int | None = None
    ) -> int:
        """Publish a version of the menu again; return the new version."""
        return await self._store.write(
            lambda tx: changes.restore_menu(tx, restaurant_id, version, actor, expected),
            restaurant_id,
        )

    async def erase(self, restaurant_id: str, session_id: str, actor: str) -> ErasedAnswer:
        """Erase what was said in a session from everything that is kept; raise NotFound."""
        erased = await self._store.write(
            lambda tx: erasure.erase_session(
                tx, restaurant_id, session_id, actor, of_orders=self._erase_orders
            ),
            restaurant_id,
        )
        self._hub.replace(erased.events)
        await self.forget_figures(restaurant_id)
        return ErasedAnswer(entries=erased.entries, events=len(erased.events))

    async def analytics(self, restaurant_id: str, query: AnalyticsQuery) -> bytes:
        """Return figures per day, as JSON; raise InvalidOrder for days that cannot be counted."""
        await self._cluster.follower.prepare(restaurant_id)
        return await self._figures.answer(restaurant_id, query)

    async def forget_figures(self, restaurant_id: str) -> None:
        """Count the restaurant's days anew: words that were in them have been deleted."""
        await self._figures.forget(restaurant_id)


def _page(
    reader: Reader, restaurant_id: str, subject: str, session: Session | None, page: AuditQuery
) -> AuditAnswer:
    entries = audit_log.entries(reader, restaurant_id, subject, page.after, page.limit)
    full = len(entries) + entries.damaged == page.limit
    after = entries[-1].number if entries and full else None
    return AuditAnswer(
        session=session, entries=tuple(entries), after=after, damaged=entries.damaged
    )
