"""All voice sessions of the process: start them, resume them, and bound their number."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog

from order_events.auth.tokens import Principal
from order_events.domain.audit_records import SessionStart
from order_events.protocol.messages import CloseCode, ErrorCode, ProtocolError
from order_events.websocket.connection import Connection
from voice_service.asr.capacity import Capacity
from voice_service.audio.containers import ContainerDecoder
from voice_service.audio.formats import AudioDecoder, AudioFormat, PcmDecoder
from voice_service.ordering import CompiledMenu, Conversation, Thresholds
from voice_service.ordering.language.loader import LANGUAGES
from voice_service.protocol import messages
from voice_service.protocol.messages import AudioData, StartData, VoiceStart
from voice_service.sessions.compiled_menus import CompiledMenus
from voice_service.sessions.keyterms import fitting
from voice_service.sessions.machine import STOPPING, Phase, VoiceSession
from voice_service.sessions.pipeline import SessionPipeline, SessionSettings
from voice_service.sessions.runner import SessionKey, SessionRunner, SessionServices
from voice_service.sessions.talk import Talk
from voice_service.speech import synthesis
from voice_service.speech.prompts import Prompts
from voice_service.utterances.listener import Listener
from voice_service.utterances.settings import ListenerSettings
from voice_service.utterances.turn_end import by_marks
from voice_service.utterances.vad import DetectorFactory

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """What sessions must know of the loaded model; `languages` are ISO 639 codes."""

    name: str
    languages: frozenset[str]


@dataclass(frozen=True, slots=True)
class SessionProfile:
    """How sessions are run.

    `policy` decides when an order is accepted. A `max_sessions` of 0 leaves the limit to the
    measured capacity. With `menu_bias`, the recogniser gets the menu's words as its prompt.
    """

    session: SessionSettings
    listener: ListenerSettings
    policy: Thresholds
    max_sessions: int
    menu_bias: bool


def make_decoder(audio: AudioData) -> AudioDecoder:
    """Return a decoder for the declared encoding."""
    match audio.encoding:
        case "pcm_s16le" | "pcm_f32le" | "mulaw" | "alaw":
            return PcmDecoder(AudioFormat(audio.encoding, audio.sample_rate, audio.channels))
        case container:
            return ContainerDecoder(container)


class SessionRegistry:
    """Starts, resumes and counts sessions, on the event loop's thread."""

    def __init__(
        self,
        *,
        profile: SessionProfile,
        model: SpeechModel,
        detectors: DetectorFactory,
        capacity: Capacity,
        services: SessionServices,
    ) -> None:
        self._profile = profile
        self._model = model
        self._detectors = detectors
        self._capacity = capacity
        self._services = services
        self.stopping = False
        self._runners: dict[SessionKey, SessionRunner] = {}
        self._menus = CompiledMenus(services.events)
        services.metrics.capacity.set_function(self._limit)

    async def open(
        self, principal: Principal, message: VoiceStart, connection: Connection
    ) -> SessionRunner:
        """Start or resume a session and send `voice:started`; raises ProtocolError."""
        start = message.data
        key = SessionKey(principal.restaurant_id, principal.user_id, start.session_id)
        if start.resume:
            return self._resume(key, message, connection)
        self._check(key, start)
        orders = start.order == "auto"
        menus = await self._menus.spoken(key.restaurant_id, start.language) if orders else {}
        # Another start may have come first while the menu was being read.
        self._check(key, start)
        self._make_room()
        runner = self._start(key, start, menus)
        runner.connection = connection
        self._send_started(runner, connection, message)
        runner.greet()
        if orders and not menus:
            self._send_no_menu(runner, connection)
        return runner

    async def offers(self, restaurant_id: str) -> tuple[str, tuple[str, ...], tuple[str, ...]]:
        """Return the model, the languages that guests may order in, and those with a voice.

        The restaurant's own language is the first, if it is among them.
        """
        languages = [code for code in LANGUAGES if code in self._model.languages]
        versioned = await self._services.events.versioned_menu(restaurant_id)
        if versioned is not None:
            own = messages.primary_language(versioned[1].language)
            languages.sort(key=lambda code: code != own)
        voiced = self._services.voice is not None
        spoken = [code for code in languages if voiced and code in synthesis.LANGUAGES]
        return self._model.name, tuple(languages), tuple(spoken)

    def listening(self, restaurant_id: str, session_id: str) -> SessionRunner | None:
        """Return the session if it is taking audio here now."""
        for key, runner in self._runners.items():
            named = (key.restaurant_id, key.session_id) == (restaurant_id, session_id)
            if named and runner.session.phase is Phase.STREAMING:
                return runner
        return None

    def end_all(self) -> None:
        """End all sessions, also those whose client is away: the server is stopping."""
        self.stopping = True
        for runner in list(self._runners.values()):
            if runner.in_progress:
                runner.end(STOPPING)

    async def drain(self, seconds: Callable[[], float]) -> None:
        """Wait for all sessions to end, then close them; each step has `seconds()`.

        A session whose finals do not come in time ends without them.
        """
        self.end_all()
        sessions = [runner for runner in self._runners.values() if runner.in_progress]
        waits = [asyncio.ensure_future(runner.ended.wait()) for runner in sessions]
        if waits:
            _, late = await asyncio.wait(waits, timeout=seconds())
            for wait in late:
                wait.cancel()
        for runner in list(self._runners.values()):
            runner.give_up()
        closing = [asyncio.create_task(runner.close()) for runner in list(self._runners.values())]
        if closing:
            _, late_closing = await asyncio.wait(closing, timeout=seconds())
            for task in late_closing:
                task.cancel()

    def _check(self, key: SessionKey, start: StartData) -> None:
        if self.stopping:
            raise ProtocolError(ErrorCode.OVERLOADED, "the server is stopping; reconnect")
        if key in self._runners:
            raise ProtocolError(
                ErrorCode.SESSION_EXISTS,
                "this session exists; send resume: true to continue it, or use a new session_id",
            )
        spoken = messages.tags_by_language(start.language)
        unknown = [tag for code, tag in spoken.items() if code not in self._model.languages]
        if unknown:
            raise ProtocolError(
                ErrorCode.UNSUPPORTED_LANGUAGE,
                f"the model {self._model.name} does not know {', '.join(unknown)}; "
                f"it knows: {', '.join(sorted(self._model.languages))}",
            )
        if self._services.scheduler.stuck:
            raise ProtocolError(
                ErrorCode.OVERLOADED,
                "speech recognition does not answer, see /readyz; use another server",
                retry_after_ms=5_000,
            )
        if self._active_count() >= self._limit():
            self._services.metrics.refused.inc()
            raise ProtocolError(
                ErrorCode.OVERLOADED,
                "no room for another voice session; connect again for another node, or try later",
                retry_after_ms=5_000,
            )

    def _make_room(self) -> None:
        """If the service is full, end the oldest session whose client is away."""
        running = [runner for runner in self._runners.values() if runner.in_progress]
        if len(running) >= self._limit():
            away = next((runner for runner in running if not runner.active), None)
            if away is not None:
                away.end("connection_lost")

    def _active_count(self) -> int:
        return sum(runner.active for runner in self._runners.values())

    def _limit(self) -> int:
        now = asyncio.get_running_loop().time()
        return self._profile.max_sessions or self._capacity.limit(now)

    def _update_counts(self) -> None:
        """Update metrics and capacity. Ended sessions and absent clients cost nothing."""
        in_progress = sum(runner.in_progress for runner in self._runners.values())
        self._services.metrics.sessions.set(in_progress)
        self._capacity.serving(self._active_count(), asyncio.get_running_loop().time())

    def _start(
        self, key: SessionKey, start: StartData, menus: Mapping[str, CompiledMenu]
    ) -> SessionRunner:
        session_start = SessionStart(
            session_id=start.session_id,
            lane=start.lane,
            table_id=start.table_id,
            ordering=start.order == "auto",
        )
        runner = SessionRunner(
            self._voice_session(start, menus),
            key=key,
            start=session_start,
            services=self._services,
            on_change=self._update_counts,
            on_over=lambda: self._forget(key),
        )
        self._runners[key] = runner
        self._update_counts()
        _log.info("voice session started", session=start.session_id, lane=start.lane)
        return runner

    def _voice_session(self, start: StartData, menus: Mapping[str, CompiledMenu]) -> VoiceSession:
        spoken = messages.tags_by_language(start.language)
        menu = next(iter(menus.values()), None)
        conversation = None if menu is None else self._conversation(menu, menus)
        terms = fitting(start.keyterms)
        biases = {
            code: terms.before(
                menus[code].bias if code in menus and self._profile.menu_bias else "", tag
            )
            for code, tag in spoken.items()
        }
        listener = Listener(
            self._profile.listener,
            self._detectors(),
            ",".join(spoken),
            next(iter(biases.values())),
            by_marks if conversation is None else conversation.ending,
            biases,
        )
        return VoiceSession(
            session_id=start.session_id,
            language=start.language,
            settings=self._profile.session,
            pipeline=SessionPipeline(
                make_decoder(start.audio), listener, conversation, self._talk(start, menus)
            ),
            now=asyncio.get_running_loop().time(),
        )

    def _talk(self, start: StartData, menus: Mapping[str, CompiledMenu]) -> Talk:
        """Return what tells the guest things, in the language that the order is read back in."""
        code, menu = next(iter(menus.items()), ("", None))
        if menu is None or start.speak == "off":
            return Talk()
        tag = messages.tags_by_language(start.language)[code]
        voiced = self._voiced(start, code)
        prompts = Prompts(menu.language.texts)
        return Talk(prompts, tag, voiced=voiced, aloud=start.speak is not None)

    def _voiced(self, start: StartData, code: str) -> bool:
        has_voice = self._services.voice is not None and code in synthesis.LANGUAGES
        return start.speak == "audio" and has_voice

    def _conversation(self, menu: CompiledMenu, menus: Mapping[str, CompiledMenu]) -> Conversation:
        local = datetime.now(ZoneInfo(menu.menu.time_zone))
        return Conversation(menu, self._profile.policy, at=local, spoken=menus)

    def _resume(
        self, key: SessionKey, message: VoiceStart, connection: Connection
    ) -> SessionRunner:
        runner = self._runners.get(key)
        if runner is None:
            raise ProtocolError(
                ErrorCode.SESSION_NOT_FOUND,
                "there is no such session to resume; start it again without resume",
            )
        stale = runner.connection
        self._send_started(runner, connection, message)
        runner.attach(connection, message.data.after_utterance)
        if stale is not None and stale is not connection:
            stale.close(CloseCode.NORMAL, "the session goes on in another connection")
        _log.info("voice session resumed", session=key.session_id)
        return runner

    def _send_started(
        self, runner: SessionRunner, connection: Connection, message: VoiceStart
    ) -> None:
        session = runner.session
        connection.send(
            messages.STARTED,
            {
                "session_id": session.session_id,
                "language": session.language,
                "model": self._model.name,
                "audio": session.declared_audio,
                "next_sequence": session.next_sequence,
                "resumed": message.data.resume,
                "warnings": (
                    *fitting(message.data.keyterms).warnings,
                    *self._no_voice(message.data),
                ),
            },
            id=message.id,
        )

    def _no_voice(self, start: StartData) -> tuple[str, ...]:
        if start.speak != "audio":
            return ()
        if self._services.voice is None:
            return ("speak: this server has no voice; install voice-ordering[speak]",)
        codes = messages.tags_by_language(start.language)
        if next(iter(codes)) in synthesis.LANGUAGES:
            return ()
        known = ", ".join(sorted(synthesis.LANGUAGES))
        return (f"speak: the server's voice speaks {known} only; text is sent without audio",)

    def _send_no_menu(self, runner: SessionRunner, connection: Connection) -> None:
        connection.send(
            messages.ORDER,
            {
                "session_id": runner.session.session_id,
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
                        "calls_staff": True,
                    }
                ],
                "after_utterance": 0,
                "matched": [],
            },
        )

    def _forget(self, key: SessionKey) -> None:
        del self._runners[key]
        self._update_counts()
        # Name the session here: when the server stops, there is no logging context.
        _log.info("voice session over", session=key.session_id, restaurant=key.restaurant_id)
