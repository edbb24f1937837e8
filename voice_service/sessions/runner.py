"""Run one voice session: perform its actions, keep its timer, and pass its events to the hub.

Everything runs on the event loop's thread. The session's own state is in `machine`.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from order_events import tracing
from order_events.domain.audit_records import SessionStart, SessionState
from order_events.domain.models import Order, Source
from order_events.protocol.errors import SessionLost
from order_events.protocol.messages import MessageId
from order_events.service import OrderEvents
from order_events.websocket.connection import Connection
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis
from voice_service.asr.needs import DecodeNeed
from voice_service.asr.scheduler import Scheduler
from voice_service.metrics import VoiceMetrics
from voice_service.protocol import messages
from voice_service.sessions.actions import (
    Action,
    Audience,
    Hush,
    PlaceOrder,
    Send,
    SendError,
    Speak,
)
from voice_service.sessions.hub.entries import HubEntries
from voice_service.sessions.hub.order_sync import OrderSync
from voice_service.sessions.machine import Phase, VoiceSession
from voice_service.sessions.trace import SessionTrace
from voice_service.speech.speaker import Speaker
from voice_service.speech.synthesis import Voice

if TYPE_CHECKING:
    from opentelemetry.context import Context

T = TypeVar("T")
_log = structlog.get_logger(__name__)
_ForHub = Send | PlaceOrder | SessionState | None
_MOST_FOR_HUB = 128
"""Finals and orders that may wait for the hub: some minutes of speech."""


@dataclass(frozen=True, slots=True)
class SessionKey:
    """Whose session it is: a client can reach only its own."""

    restaurant_id: str
    user_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class SessionServices:
    """What all sessions of the process share.

    The hub, the recogniser's scheduler, the metrics, and the voice, if there is one.
    While the database is away, finals and orders wait for it for `patience_s` seconds.
    """

    events: OrderEvents
    scheduler: Scheduler
    metrics: VoiceMetrics
    patience_s: float
    voice: Voice | None = None


class SessionRunner:
    """One session; `connection` is None while the client is away.

    `on_change` is called when the client has gone or come back, or the session has ended; `on_over`
    once, when it has ended and nobody can resume it.
    """

    def __init__(
        self,
        session: VoiceSession,
        *,
        key: SessionKey,
        start: SessionStart,
        services: SessionServices,
        on_change: Callable[[], None],
        on_over: Callable[[], None],
    ) -> None:
        self.session = session
        self.connection: Connection | None = None
        self.ended = asyncio.Event()
        self.order_sync = OrderSync(
            services.events,
            key.restaurant_id,
            key.user_id,
            Source(session_id=start.session_id, lane=start.lane),
            start.table_id,
            services.patience_s,
        )
        self.staff_lock = asyncio.Lock()
        self._restaurant = key.restaurant_id
        self._entries = HubEntries(
            services.events,
            key.restaurant_id,
            key.user_id,
            start,
            self.order_sync,
            services.patience_s,
        )
        self._events = services.events
        self._scheduler = services.scheduler
        self._speaker = Speaker(session.session_id, services.voice, self._tell)
        self._metrics = services.metrics
        self._on_change = on_change
        self._on_over = on_over
        self._over = False
        self._last_state = self.in_progress, self.active
        self._closed_at: dict[int, float] = {}
        self._loop = asyncio.get_running_loop()
        self._logging = contextvars.copy_context()
        self._logging.run(_bind, session.session_id, key.restaurant_id)
        self._timer: asyncio.TimerHandle | None = None
        self._trace = SessionTrace(session.session_id, key.restaurant_id)
        self._for_hub: asyncio.Queue[tuple[_ForHub, Context | None]] = asyncio.Queue()
        self._to_hub(SessionState.STARTED)
        self._hub_task = self._loop.create_task(
            self._serve_hub(), name="voice session to hub", context=self._logging.copy()
        )
        self._settle()

    @property
    def in_progress(self) -> bool:
        """Return whether the session has not ended yet."""
        return self.session.phase is not Phase.ENDED

    @property
    def active(self) -> bool:
        """Return whether it may need a worker: its client is connected, or finals are still due."""
        return self.session.phase is Phase.ENDING or (self.in_progress and self.session.attached)

    # The client's side

    def attach(self, connection: Connection, after_utterance: int | None) -> None:
        """Resume with a new connection: send what the client may have missed, then go on."""
        self.connection = connection
        self._perform(self.session.attach(after_utterance, self._loop.time()))

    def detach(self) -> None:
        """Wait for a client whose connection is lost."""
        self.connection = None
        self.session.detach(self._loop.time())
        self._settle()

    def audio(self, sequence: int, encoded: str, now: float) -> None:
        """Take a chunk of base64; raises ProtocolError."""
        self._trace.chunk(sequence)
        before = self.session.audio_ms
        actions = self.session.audio(sequence, encoded, now)
        self._metrics.audio.inc((self.session.audio_ms - before) / 1000)
        self._perform(actions)

    def greet(self) -> None:
        """Tell the guest who is listening."""
        self._perform(self.session.greet())

    def said(self, say_id: str) -> None:
        """Note that a prompt is over."""
        self._perform(self.session.said(say_id))

    def answer(self, text: str) -> None:
        """Take an answer that the guest has chosen on a screen."""
        self._perform(self.session.answer(text))

    def change_quantity(self, item_id: str, quantity: int) -> None:
        """Set how many the guest wants of a line; raises ProtocolError."""
        self._perform(self.session.change_quantity(item_id, quantity))

    def call_staff(self) -> None:
        """Note that the guest wants a person."""
        self._perform(self.session.call_staff())

    def finalize(self, message_id: MessageId | None = None) -> None:
        """End the utterance in progress; raises ProtocolError."""
        self._perform(self.session.finalize(self._loop.time(), message_id))

    def end(self, abandoned: str | None = None, message_id: MessageId | None = None) -> None:
        """End the audio and finish what was heard. `abandoned`: why the guest is cut off, if so."""
        if self.session.phase is Phase.STREAMING:
            self._perform(self.session.end(self._loop.time(), abandoned, message_id))

    def give_up(self) -> None:
        """End now, if finals or the order are still due; the client is told."""
        if self.in_progress:
            self._perform(self.session.fail(self._loop.time()))

    def release(self, connection: Connection) -> None:
        """Let go of a connection that turns to another session; this one has ended."""
        if self.connection is connection:
            self.connection = None

    # The staff's side

    def hold(self) -> None:
        """Tell the session that staff have taken the order over; `order_sync` knows already."""
        self._perform(self.session.hold())

    def hand_back(self, order: Order | None) -> None:
        """Let the guest continue with the order as staff have left it."""
        actions, left = self.session.hand_back(() if order is None else order.items)
        self.order_sync.resume(order, left)
        self._perform(actions)

    async def close(self) -> None:
        """Free what the session holds, once the hub has received all of its events."""
        self._finish()
        if self._timer is not None:
            self._timer.cancel()
        await self._hub_task

    # The scheduler's side

    def next_decode(self) -> DecodeNeed | None:
        """Return the decode that is needed next; None if none is."""
        return self.session.next_decode()

    def start_decode(self) -> DecodeRequest:
        """Return the audio to recognise now."""
        request = self.session.start_decode()
        self._trace.decode_started(request)
        return request

    def deliver(self, hypothesis: Hypothesis | None) -> None:
        """Take the answer to `start_decode`; None if recognition failed."""
        self._trace.decode_ended(hypothesis)
        self._logging.run(self._decoded, hypothesis)

    # Inside

    def _decoded(self, hypothesis: Hypothesis | None) -> None:
        if hypothesis is None:
            _log.error("an utterance could not be decoded")
        with self._contained():
            self._perform(self.session.decoded(hypothesis, self._loop.time()))

    def _perform(self, actions: Iterable[Action]) -> None:
        for action in actions:
            if isinstance(action, Send):
                self._send(action)
            elif isinstance(action, PlaceOrder):
                self._to_hub(action)
            elif isinstance(action, Speak):
                self._speaker.speak(action.say_id, action.text)
            elif isinstance(action, Hush):
                self._speaker.hush(action.say_id)
            elif isinstance(action, SendError) and self.connection is not None:
                self.connection.send_error(action.error)
        self._settle()

    def _tell(self, data: Mapping[str, Any]) -> None:
        if self.connection is not None:
            self.connection.send(messages.SPEECH, data)

    def _send(self, message: Send) -> None:
        if self.connection is not None:
            self.connection.send(message.type, message.data, id=message.id)
        _log.debug(
            "sent",
            session=self.session.session_id,
            restaurant=self._restaurant,
            type=message.type,
            data=message.data,
        )
        self._time_final(message)
        self._trace.sent(message.type, message.data, self.connection)
        if message.audience is Audience.STAFF:
            if message.type == messages.TRANSCRIPT:
                self._metrics.finals.inc()
            self._to_hub(message)
        elif message.audience is Audience.STAFF_LIVE:
            self._metrics.partials.inc()
            self._events.publish_live(
                self._restaurant,
                message.type,
                self._entries.with_place(message.data),
                key=self.session.session_id,
                tags=self._entries.place,
            )

    def _time_final(self, message: Send) -> None:
        utterance = message.data.get("utterance", 0)
        if message.type == messages.SPEECH_ENDED:
            self._closed_at[utterance] = self._loop.time()
        elif message.data.get("is_final") or message.type == messages.SPEECH_DISCARDED:
            closed_at = self._closed_at.pop(utterance, None)
            if closed_at is not None and message.type == messages.TRANSCRIPT:
                self._metrics.final_latency.observe(self._loop.time() - closed_at)

    def _settle(self) -> None:
        """After every event, update the scheduler, the counts and the timer; finish if over."""
        if self.in_progress and self._for_hub.qsize() > _MOST_FOR_HUB:
            _log.error("the hub takes nothing", session=self.session.session_id)
            self._perform(self.session.fail(self._loop.time()))
            return
        self._scheduler.update(self)
        if self._last_state != (self.in_progress, self.active):
            self._last_state = self.in_progress, self.active
            self._on_change()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.session.phase is Phase.ENDED and not self.ended.is_set():
            self.ended.set()
            self._to_hub(SessionState.ENDED)
        deadline = self.session.next_deadline()
        if self.session.over(self._loop.time()):
            self._finish()
        elif deadline is not None:
            self._timer = self._loop.call_at(deadline, self._on_timer, context=self._logging)

    def _on_timer(self) -> None:
        self._timer = None
        with self._contained():
            self._perform(self.session.on_timer(self._loop.time()))

    @contextlib.contextmanager
    def _contained(self) -> Iterator[None]:
        """End this session, and no other, on a fault of ours; its client is told."""
        try:
            yield
        except Exception:  # noqa: BLE001  the one boundary of a session's tasks and timers
            _log.exception("a voice session failed", session=self.session.session_id)
            if self.session.phase is not Phase.ENDED:
                self._perform(self.session.fail(self._loop.time()))

    def _finish(self) -> None:
        if self._over:
            return
        self._over = True
        self._speaker.stop()
        self._scheduler.forget(self)
        self.session.close()
        self._trace.close()
        self._to_hub(None)
        self._on_over()

    def _to_hub(self, item: _ForHub) -> None:
        self._for_hub.put_nowait((item, self._trace.place))

    async def _serve_hub(self) -> None:
        """Pass finals and orders to the hub, in the order in which they arose."""
        while True:
            item, place = await self._for_hub.get()
            if item is None:
                return
            with self._contained(), tracing.within(place):
                try:
                    await self._give_to_hub(item)
                except SessionLost:
                    self._lose()

    async def _give_to_hub(self, item: Send | PlaceOrder | SessionState) -> None:
        if self.order_sync.fence is None and item is not SessionState.ENDED:
            await self._begin()
        if isinstance(item, PlaceOrder):
            with tracing.substep("order"):
                order, update = await self.order_sync.place(item.update, item.turn)
            shown = None if order is None else order.model_dump(mode="json")
            self._perform(self.session.order_placed(shown, update, self._loop.time()))
        elif item is SessionState.ENDED:
            await self._entries.end()
        elif isinstance(item, Send):
            await self._entries.publish(item.type, item.data)

    async def _begin(self) -> None:
        """Enter the session into the ledger; if staff held it elsewhere, they still do."""
        session = await self._entries.begin()
        if session is not None and session.held_by is not None:
            await self.order_sync.hold()
            self.hold()

    def _lose(self) -> None:
        """End here what goes on elsewhere: the client has started the session at another node."""
        if self.in_progress:
            _log.warning("the session goes on elsewhere", session=self.session.session_id)
            self._perform(self.session.fail(self._loop.time()))


def _bind(session_id: str, restaurant_id: str) -> None:
    """Name the session in the logs of its own tasks and timers: it may outlive its connection."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(session=session_id, restaurant=restaurant_id)
