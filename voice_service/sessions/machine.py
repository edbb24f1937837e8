"""One voice session as a state machine without IO: messages and hypotheses in, actions out.

Time is an argument (`now`, seconds of a monotonic clock). The caller performs the actions, asks
`next_decode` and `start_decode` for audio to recognise, hands the answers to `decoded`, and calls
`on_timer` when `next_deadline` has come. All of it happens on one thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Any

from order_events.domain.models import OrderItem
from order_events.protocol.messages import ErrorCode, MessageId, ProtocolError
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis
from voice_service.asr.needs import DecodeNeed
from voice_service.audio.formats import SAMPLE_RATE, AudioDecoder, AudioError, Samples
from voice_service.audio.intake import AudioChunk, Intake, IntakeSettings, gap_error
from voice_service.audio.reorder_buffer import Gap
from voice_service.ordering import CartUpdate, Conversation
from voice_service.protocol import messages as protocol
from voice_service.protocol.encoding import wire_event
from voice_service.sessions.actions import Action, Audience, Send, SendError
from voice_service.sessions.guest_order import GuestOrder
from voice_service.utterances.events import Discarded, Final, ListenerEvent, Partial
from voice_service.utterances.listener import Listener
from voice_service.utterances.vad import FRAME


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Bounds of a session, in seconds.

    An utterance is ended when no audio has come for `stall`, the session when none has come for
    `idle`; a lost connection may come back within `resume_window`. Finals and orders get `ending`
    after the last audio.
    """

    intake: IntakeSettings
    stall: float
    idle: float
    resume_window: float
    ending: float


class Phase(Enum):
    """`ENDING`: `voice:end` has come; finals or order events are still on their way."""

    STREAMING = auto()
    ENDING = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class _Sent:
    """What closed an utterance, and when it was told."""

    at: float
    tell: Send


STOPPING = "server_stopping"
"""Why a session is abandoned when the server stops; its client comes back and is told nothing."""
_KEPT_FINALS = 64


class VoiceSession:
    """See the module. `conversation` is None where no order is to be understood."""

    def __init__(
        self,
        *,
        session_id: str,
        language: str,
        settings: SessionSettings,
        decoder: AudioDecoder,
        listener: Listener,
        conversation: Conversation | None,
        now: float,
    ) -> None:
        self.session_id = session_id
        self.language = language
        self.phase = Phase.STREAMING
        self._settings = settings
        self._decoder = decoder
        self._listener = listener
        self._order = GuestOrder(session_id, conversation)
        self._intake = Intake(settings.intake, decoder, now)
        self._samples = 0
        self._last_audio = now
        self._last_heard = now
        self._ending_at: float | None = None
        self._detached_at: float | None = None
        self._ended_at: float | None = None
        self._closings: deque[_Sent] = deque(maxlen=_KEPT_FINALS)
        self._abandoned: str | None = None
        self._end_id: MessageId | None = None
        self._answer: Send | None = None

    @property
    def next_sequence(self) -> int:
        """The first sequence that has not been taken yet."""
        return self._intake.next_sequence

    @property
    def audio_ms(self) -> int:
        """Milliseconds of audio taken so far."""
        return round(self._samples * 1000 / SAMPLE_RATE)

    @property
    def order_id(self) -> str | None:
        """The order at the hub; None before there is one."""
        return self._order.order_id

    @property
    def attached(self) -> bool:
        """Whether a connection is there to be told."""
        return self._detached_at is None

    # Messages of the client

    def audio(self, sequence: int, encoded: str, now: float) -> list[Action]:
        """Take a chunk. Raises `ProtocolError`; what is refused had no effect.

        But that the client was heard of: who is told to wait has not stopped sending.
        """
        self._last_audio = now
        backlog = self._listener.backlog * FRAME / SAMPLE_RATE
        due = self._intake.push(sequence, encoded, backlog, now)
        self._last_heard = now
        return self._consume(due, now)

    def end(
        self, now: float, abandoned: str | None = None, message_id: MessageId | None = None
    ) -> list[Action]:
        """No more audio. The answer comes after the last final and the last order event.

        `message_id` is that of the client's `voice:end`. `abandoned` says why it is not the guest
        who ended it; then a person looks at the order.
        """
        self._abandoned = abandoned
        self._end_id = message_id
        self._ending_at = now
        actions = self._consume(self._intake.flush(), now)
        try:
            rest = self._decoder.flush()
        except AudioError as error:
            actions.append(SendError(ProtocolError(ErrorCode.INVALID_AUDIO, str(error))))
        else:
            actions += self._listen(rest, now)
        self._decoder.close()
        self.phase = Phase.ENDING
        actions += self._report(self._listener.flush(now), now)
        return actions + self._wind_up(now)

    # Recognition and orders

    def next_decode(self) -> DecodeNeed | None:
        """The decode that the session would like next; None while one is in flight."""
        return None if self.phase is Phase.ENDED else self._listener.next_decode()

    def start_decode(self) -> DecodeRequest:
        """The newest audio for what `next_decode` names; call `decoded` with the answer."""
        request = self._listener.start_decode()
        return replace(request, choose=self._order.chooser()) if request.thorough else request

    def decoded(self, hypothesis: Hypothesis | None, now: float) -> list[Action]:
        """Take the answer to `start_decode`; None if recognition failed."""
        if self.phase is Phase.ENDED:
            return []
        actions = self._report(self._listener.decoded(hypothesis, now), now)
        return actions + self._wind_up(now)

    def order_placed(
        self, order: Mapping[str, Any] | None, update: CartUpdate, now: float
    ) -> list[Action]:
        """The hub has stored the order; None if there is nothing to store or it could not be."""
        return [self._order.placed(order, update), *self._wind_up(now)]

    # Staff

    def hold(self) -> Sequence[Action]:
        """Staff have taken the order over: words are heard, and change nothing."""
        return self._order.hold(self._listener.utterances)

    def hand_back(
        self, items: Sequence[OrderItem]
    ) -> tuple[Sequence[Action], tuple[OrderItem, ...]]:
        """The guest goes on with the order as staff have left it; and what is to stay as it is."""
        return self._order.hand_back(items)

    # Connection and time

    def detach(self, now: float) -> None:
        """The connection is lost; the session waits for it to come back."""
        self._detached_at = now

    def attach(self, after_utterance: int | None, now: float) -> list[Action]:
        """A connection is there again: tell what the client may have missed, in order.

        A client that says which utterance it has the final of gets those behind it. For any other,
        what was sent after its last audio arrived may have been lost: it is sent again, and the
        client knows by `utterance` what it has already.
        """
        missed = [
            sent.tell
            for sent in self._closings
            if (
                sent.at >= self._last_heard
                if after_utterance is None
                else sent.tell.data["utterance"] > after_utterance
            )
        ]
        self._detached_at = None
        self._last_audio = now
        self._intake.hold(now)
        again = [*missed, self._order.last_told, self._answer]
        return [replace(tell, audience=Audience.CLIENT) for tell in again if tell is not None]

    def next_deadline(self) -> float | None:
        """When `on_timer` must be called; None for never."""
        if self._ended_at is not None:
            return self._ended_at + self._settings.resume_window
        if self._ending_at is not None:
            return self._ending_at + self._settings.ending
        if self._detached_at is not None:
            return self._detached_at + self._settings.resume_window
        deadlines = [self._last_audio + self._settings.idle]
        gap = self._intake.next_deadline()
        if gap is not None:
            deadlines.append(gap)
        elif self._listener.speaking:
            deadlines.append(self._last_audio + self._settings.stall)
        return min(deadlines)

    def on_timer(self, now: float) -> list[Action]:
        """Do what has become due."""
        deadline = self.next_deadline()
        if deadline is None or now < deadline or self.phase is Phase.ENDED:
            return []
        if self.phase is Phase.ENDING:
            return self.fail(now)
        if self._detached_at is not None:
            return self.end(now, "connection_lost")
        if now >= self._last_audio + self._settings.idle:
            return self.end(now, "no_audio")
        due = self._intake.expire(now)
        if due:
            return self._consume(due, now)
        return self._report(self._listener.pause(now), now)

    def fail(self, now: float) -> list[Action]:
        """End at once, whatever is still owed: something of ours does not work."""
        message = "the session has failed; its order may be incomplete, a person must look at it"
        self._decoder.close()
        return [SendError(ProtocolError(ErrorCode.INTERNAL, message)), *self._ended(now)]

    def over(self, now: float) -> bool:
        """Whether the session has ended, and so long ago that its answer cannot be missing."""
        return self._ended_at is not None and now >= self._ended_at + self._settings.resume_window

    def close(self) -> None:
        """Free what the session holds; allowed at any time, more than once."""
        self._decoder.close()

    # Inside

    def _consume(self, due: Iterable[AudioChunk | Gap], now: float) -> list[Action]:
        """Ordered chunks and gaps to samples, samples to what the listener makes of them."""
        actions: list[Action] = []
        for piece in due:
            try:
                if isinstance(piece, Gap):
                    actions.append(SendError(gap_error(piece, self._decoder.in_place_of_lost)))
                    samples = self._decoder.bridge(piece.count)
                else:
                    samples = self._decoder.decode(piece.payload)
            except AudioError as error:
                sequence = piece.first if isinstance(piece, Gap) else piece.sequence
                problem = ProtocolError(ErrorCode.INVALID_AUDIO, str(error), sequence=sequence)
                actions.append(SendError(problem))
                continue
            actions += self._listen(samples, now)
        return actions

    def _listen(self, samples: Samples, now: float) -> list[Action]:
        self._samples += len(samples)
        return self._report(self._listener.push(samples, now), now)

    def _report(self, events: Iterable[ListenerEvent], now: float) -> list[Action]:
        actions: list[Action] = []
        for event in events:
            type_, data = wire_event(self.session_id, self.language, event)
            if isinstance(event, Partial):
                actions.append(Send(type_, data, Audience.STAFF_LIVE))
            elif isinstance(event, Final):
                actions += self._final(event, Send(type_, data, Audience.STAFF), now)
            elif isinstance(event, Discarded):
                actions += self._discarded(event, Send(type_, data), now)
            else:
                actions.append(Send(type_, data))
        return actions

    def _discarded(self, event: Discarded, tell: Send, now: float) -> list[Action]:
        self._closings.append(_Sent(now, tell))
        if not event.failed:
            return [tell]
        message = f"utterance {event.utterance} could not be recognised; ask for it again"
        return [tell, SendError(ProtocolError(ErrorCode.INTERNAL, message))]

    def _final(self, final: Final, tell: Send, now: float) -> list[Action]:
        self._closings.append(_Sent(now, tell))
        return [tell, *self._order.hear(final)]

    def _wind_up(self, now: float) -> list[Action]:
        """After `voice:end`: close the order once the last final is out, then answer."""
        if self.phase is not Phase.ENDING or not self._listener.settled or self._order.placing:
            return []
        closing = self._order.close(self._abandoned, self._listener.utterances)
        return [*closing] or self._ended(now)

    def _ended(self, now: float) -> list[Action]:
        self.phase = Phase.ENDED
        self._ended_at = now
        self._order.leave()
        if self._abandoned == STOPPING:
            return []
        self._answer = Send(
            protocol.END,
            {
                "session_id": self.session_id,
                "duration": self.audio_ms / 1000,
                "audio_ms": self.audio_ms,
                "utterances": self._listener.utterances,
                "order_id": self._order.order_id,
            },
            id=self._end_id,
        )
        return [self._answer]
