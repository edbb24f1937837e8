"""All voice sessions of the process: who may start one, who may come back to one."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from order_events.auth.tokens import Principal
from order_events.domain.audit_records import SessionStart
from order_events.domain.models import Source
from order_events.protocol.errors import NotFound
from order_events.protocol.messages import CloseCode, ErrorCode, ProtocolError
from order_events.service import OrderEvents
from order_events.websocket.connection import Connection
from voice_service.asr.calibration import Calibration
from voice_service.asr.capacity import Capacity
from voice_service.asr.scheduler import Scheduler
from voice_service.audio.containers import ContainerDecoder
from voice_service.audio.formats import AudioDecoder, AudioFormat, PcmDecoder
from voice_service.metrics import VoiceMetrics
from voice_service.ordering import CompiledMenu, Conversation, Thresholds
from voice_service.protocol import messages
from voice_service.protocol.messages import AudioData, StartData, VoiceStart
from voice_service.sessions.machine import STOPPING, Phase, SessionSettings, VoiceSession
from voice_service.sessions.order_sync import OrderSync
from voice_service.sessions.runner import SessionRunner
from voice_service.utterances.listener import Listener
from voice_service.utterances.settings import ListenerSettings
from voice_service.utterances.turn_end import by_marks
from voice_service.utterances.vad import DetectorFactory

_log = structlog.get_logger(__name__)
_MENUS_KEPT = 64


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """What sessions must know of the loaded model.

    Its name, the languages that it knows (ISO 639), and what its confidences mean.
    """

    name: str
    languages: frozenset[str]
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class SessionProfile:
    """How sessions are run.

    `policy` decides when an order is accepted. `max_sessions` of 0 leaves the limit to measured
    capacity. `menu_bias`: the recogniser is given the menu's words as its prompt.
    """

    session: SessionSettings
    listener: ListenerSettings
    policy: Thresholds
    max_sessions: int
    menu_bias: bool


@dataclass(frozen=True, slots=True)
class SessionKey:
    """A client can reach its own sessions only."""

    restaurant_id: str
    user_id: str
    session_id: str


def make_decoder(audio: AudioData) -> AudioDecoder:
    """The decoder for an encoding."""
    if audio.encoding in ("webm_opus", "ogg_opus"):
        return ContainerDecoder(audio.encoding)
    return PcmDecoder(AudioFormat(audio.encoding, audio.sample_rate, audio.channels))


class SessionRegistry:
    """Starts, resumes and counts sessions. Belongs to the event loop's thread."""

    def __init__(
        self,
        *,
        profile: SessionProfile,
        model: SpeechModel,
        detectors: DetectorFactory,
        scheduler: Scheduler,
        capacity: Capacity,
        events: OrderEvents,
        metrics: VoiceMetrics,
    ) -> None:
        self._profile = profile
        self._model = model
        self._detectors = detectors
        self._scheduler = scheduler
        self._capacity = capacity
        self._events = events
        self._metrics = metrics
        self._live: dict[SessionKey, SessionRunner] = {}
        self._menus: OrderedDict[tuple[str, str], tuple[int, CompiledMenu]] = OrderedDict()
        metrics.capacity.set_function(self._limit)

    async def open(
        self, principal: Principal, message: VoiceStart, connection: Connection
    ) -> SessionRunner:
        """Start or resume a session and tell the client so; raises ProtocolError."""
        start = message.data
        key = SessionKey(principal.restaurant_id, principal.user_id, start.session_id)
        if start.resume:
            return self._resume(key, message, connection)
        self._check(key, start)
        wanted = start.order == "auto"
        menu = await self._menu(key.restaurant_id, start.language) if wanted else None
        # Another start may have come first while the menu was read.
        self._check(key, start)
        self._make_room()
        live = self._start(key, start, menu)
        live.connection = connection
        self._tell_started(live, connection, message)
        if start.order == "auto" and menu is None:
            self._tell_no_menu(live, connection)
        return live

    def open_session(self, restaurant_id: str, session_id: str) -> SessionRunner:
        """The session in which somebody listens now; raises NotFound."""
        for key, live in self._live.items():
            named = (key.restaurant_id, key.session_id) == (restaurant_id, session_id)
            if named and live.session.phase is Phase.STREAMING:
                return live
        raise NotFound("no such session is open; change its order, if there is one")

    async def drain(self, seconds: float) -> None:
        """Let every session say what it still has to say, for a bounded time."""
        sessions = [live for live in self._live.values() if live.in_progress]
        for live in sessions:
            live.end(STOPPING)
        waits = [asyncio.ensure_future(live.ended.wait()) for live in sessions]
        if waits:
            _, late = await asyncio.wait(waits, timeout=seconds)
            for wait in late:
                wait.cancel()
        closing = [asyncio.create_task(live.close()) for live in list(self._live.values())]
        if closing:
            _, late_closing = await asyncio.wait(closing, timeout=seconds)
            for task in late_closing:
                task.cancel()

    def _check(self, key: SessionKey, start: StartData) -> None:
        if key in self._live:
            raise ProtocolError(
                ErrorCode.SESSION_EXISTS,
                "this session exists; send resume: true to continue it, or use a new session_id",
            )
        if messages.primary_language(start.language) not in self._model.languages:
            raise ProtocolError(
                ErrorCode.UNSUPPORTED_LANGUAGE,
                f"the model {self._model.name} does not know {start.language!r}; "
                f"it knows: {', '.join(sorted(self._model.languages))}",
            )
        if self._here() >= self._limit():
            self._metrics.refused.inc()
            raise ProtocolError(
                ErrorCode.OVERLOADED,
                "no room for another voice session; try again later",
                retry_after_ms=5_000,
            )

    def _make_room(self) -> None:
        """If it is full, the session that is away and began first gives way to one that is here."""
        running = [live for live in self._live.values() if live.in_progress]
        if len(running) >= self._limit():
            away = next((live for live in running if not live.here), None)
            if away is not None:
                away.end("connection_lost")

    def _here(self) -> int:
        return sum(live.here for live in self._live.values())

    def _limit(self) -> int:
        now = asyncio.get_running_loop().time()
        return self._profile.max_sessions or self._capacity.limit(now)

    def _count(self) -> None:
        """After every change. Who has ended or is away costs nothing, and is not counted as if."""
        self._metrics.sessions.set(sum(live.in_progress for live in self._live.values()))
        self._capacity.serving(self._here(), asyncio.get_running_loop().time())

    def _start(self, key: SessionKey, start: StartData, menu: CompiledMenu | None) -> SessionRunner:
        begun = SessionStart(
            session_id=start.session_id,
            lane=start.lane,
            table_id=start.table_id,
            ordering=start.order == "auto",
        )
        live = SessionRunner(
            self._voice_session(start, menu),
            restaurant_id=key.restaurant_id,
            about=begun.model_dump(exclude={"ordering"}, exclude_none=True),
            start=begun,
            user_id=key.user_id,
            desk=self._desk(key, start),
            events=self._events,
            scheduler=self._scheduler,
            metrics=self._metrics,
            on_change=self._count,
            on_over=lambda: self._forget(key),
        )
        self._live[key] = live
        self._count()
        _log.info("voice session started", session=start.session_id, lane=start.lane)
        return live

    def _voice_session(self, start: StartData, menu: CompiledMenu | None) -> VoiceSession:
        conversation = None if menu is None else self._conversation(menu)
        listener = Listener(
            self._profile.listener,
            self._detectors(),
            messages.primary_language(start.language),
            menu.bias if menu is not None and self._profile.menu_bias else "",
            by_marks if conversation is None else conversation.ending,
            self._model.calibration,
        )
        return VoiceSession(
            session_id=start.session_id,
            language=start.language,
            settings=self._profile.session,
            decoder=make_decoder(start.audio),
            listener=listener,
            conversation=conversation,
            now=asyncio.get_running_loop().time(),
        )

    def _desk(self, key: SessionKey, start: StartData) -> OrderSync:
        source = Source(session_id=start.session_id, lane=start.lane)
        return OrderSync(self._events, key.restaurant_id, key.user_id, source, start.table_id)

    def _conversation(self, menu: CompiledMenu) -> Conversation:
        local = datetime.now(ZoneInfo(menu.menu.time_zone))
        return Conversation(menu, self._profile.policy, at=local)

    def _resume(
        self, key: SessionKey, message: VoiceStart, connection: Connection
    ) -> SessionRunner:
        live = self._live.get(key)
        if live is None:
            raise ProtocolError(
                ErrorCode.SESSION_NOT_FOUND,
                "there is no such session to resume; start it again without resume",
            )
        stale = live.connection
        self._tell_started(live, connection, message)
        live.attach(connection, message.data.after_utterance)
        if stale is not None and stale is not connection:
            stale.close(CloseCode.NORMAL, "the session goes on in another connection")
        _log.info("voice session resumed", session=key.session_id)
        return live

    def _tell_started(
        self, live: SessionRunner, connection: Connection, message: VoiceStart
    ) -> None:
        session = live.session
        connection.send(
            messages.STARTED,
            {
                "session_id": session.session_id,
                "language": session.language,
                "model": self._model.name,
                "next_sequence": session.next_sequence,
                "resumed": message.data.resume,
            },
            id=message.id,
        )

    def _tell_no_menu(self, live: SessionRunner, connection: Connection) -> None:
        connection.send(
            messages.ORDER,
            {
                "session_id": live.session.session_id,
                "order": None,
                "readback": "",
                "change": "",
                "status": "needs_staff",
                "reasons": [
                    {
                        "code": "no_menu",
                        "text": "this restaurant has no menu in a language that is understood; "
                        "load one over PUT /v1/menu",
                        "utterance": 0,
                        "question": None,
                    }
                ],
            },
        )

    def _forget(self, key: SessionKey) -> None:
        del self._live[key]
        self._count()
        # Also when the server stops, in nobody's context.
        _log.info("voice session over", session=key.session_id, restaurant=key.restaurant_id)

    async def _menu(self, restaurant_id: str, tag: str) -> CompiledMenu | None:
        """The restaurant's menu for a language, compiled once for as long as it stays the same."""
        versioned = await self._events.versioned_menu(restaurant_id)
        if versioned is None:
            return None
        version, menu = versioned
        key = (restaurant_id, messages.primary_language(tag))
        known = self._menus.get(key)
        if known is None or known[0] != version:
            try:
                known = (version, await asyncio.to_thread(CompiledMenu, menu, tag))
            except ValueError as error:
                _log.warning("menu not usable", restaurant=restaurant_id, why=str(error))
                return None
            self._menus[key] = known
            if len(self._menus) > _MENUS_KEPT:
                self._menus.popitem(last=False)
        self._menus.move_to_end(key)
        return known[1]
