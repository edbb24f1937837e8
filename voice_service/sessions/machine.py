"""One voice session as a state machine without I/O: messages and hypotheses in, actions out.

Time is an argument (`now`, seconds of a monotonic clock). The caller performs the actions, asks
`next_decode` and `start_decode` for audio to recognise, passes the answers to `decoded`, and calls
`on_timer` at `next_deadline`. All of it happens on one thread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from enum import Enum, auto
from typing import Any

from order_events.domain.models import OrderItem
from order_events.protocol.messages import ErrorCode, MessageId, ProtocolError
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis
from voice_service.asr.needs import DecodeNeed
from voice_service.audio.bandwidth import BandwidthMeter
from voice_service.audio.formats import SAMPLE_RATE, AudioError, Samples, encoded_bytes
from voice_service.audio.intake import AudioChunk, Intake, gap_error
from voice_service.audio.reorder_buffer import Gap
from voice_service.ordering import CartUpdate
from voice_service.protocol import messages
from voice_service.protocol.encoding import wire_event
from voice_service.sessions.actions import Action, Audience, Send, SendError
from voice_service.sessions.closings import Closings
from voice_service.sessions.guest_order import GuestOrder
from voice_service.sessions.pipeline import SessionPipeline, SessionSettings
from voice_service.utterances.events import Discarded, Final, ListenerEvent, Partial
from voice_service.utterances.vad import FRAME


class Phase(Enum):
    """How far a session is. In `ENDING`, finals or orders are still to come after `voice:end`."""

    STREAMING = auto()
    ENDING = auto()
    ENDED = auto()


STOPPING = "server_stopping"
"""Reason for abandoning a session when the server stops.

Its client gets no `voice:end`, since it should come back.
"""


class VoiceSession:
    """See the module."""

    def __init__(
        self,
        *,
        session_id: str,
        language: str,
        settings: SessionSettings,
        pipeline: SessionPipeline,
        now: float,
    ) -> None:
        self.session_id = session_id
        self.language = language
        self._tags = messages.tags_by_language(language)
        self.phase = Phase.STREAMING
        self._settings = settings
        self._decoder = pipeline.decoder
        self._listener = pipeline.listener
        self._order = GuestOrder(session_id, pipeline.conversation)
        self._talk = pipeline.talk
        self._intake = Intake(settings.intake, pipeline.decoder, now)
        # A telephone that is declared as one has no more to pass.
        declared = pipeline.decoder.declared.get("sample_rate", SAMPLE_RATE)
        self._bandwidth = BandwidthMeter() if int(declared) >= SAMPLE_RATE else None
        self._samples = 0
        self._last_audio = now
        self._last_heard = now
        self._ending_at: float | None = None
        self._detached_at: float | None = None
        self._ended_at: float | None = None
        self._closings = Closings(session_id)
        self._abandoned: str | None = None
        self._end_id: MessageId | None = None
        self._answer: Send | None = None

    @property
    def next_sequence(self) -> int:
        """Return the first sequence that has not been taken yet."""
        return self._intake.next_sequence

    @property
    def audio_ms(self) -> int:
        """Return the milliseconds of audio taken so far."""
        return round(self._samples * 1000 / SAMPLE_RATE)

    @property
    def order_id(self) -> str | None:
        """Return the id of the order at the hub; None before there is one."""
        return self._order.order_id

    @property
    def attached(self) -> bool:
        """Return whether the client is connected."""
        return self._detached_at is None

    @property
    def declared_audio(self) -> Mapping[str, str | int]:
        """Return how the client's audio is read."""
        return self._decoder.declared

    def room(self, message_bytes: int) -> str:
        """Return how much audio fits into one message, for people to read."""
        return self._decoder.room(encoded_bytes(message_bytes))

    # Messages of the client

    def audio(self, sequence: int, encoded: str, now: float) -> list[Action]:
        """Take a chunk of base64. Raises ProtocolError if it is refused.

        A refused chunk has no effect except that it counts as a sign of life: a client that is told
        to wait has not stopped sending.
        """
        self._last_audio = now
        backlog = self._listener.backlog * FRAME / SAMPLE_RATE
        due = self._intake.push(sequence, encoded, backlog, now)
        self._last_heard = now
        return self._consume(due, now)

    def finalize(self, now: float, message_id: MessageId | None = None) -> list[Action]:
        """End the utterance in progress. The answer is its final; raises ProtocolError.

        Audio that still waits behind a gap is not part of it.
        """
        self._closings.check_room()
        actions = self._report(self._listener.pause(now), now)
        self._closings.ask(self._listener.ended, message_id)
        return self._answered(actions)

    def end(
        self, now: float, abandoned: str | None = None, message_id: MessageId | None = None
    ) -> list[Action]:
        """End the audio. The answer comes after the last final and the last order event.

        `message_id` is the id of the client's `voice:end`. `abandoned` is why the session ends if
        not by the guest's wish; a person must then look at the order.
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

    def greet(self) -> list[Action]:
        """Tell the guest who is listening."""
        return self._talk.greet(self.session_id, self.audio_ms)

    def said(self, say_id: str) -> list[Action]:
        """Note that a prompt is over: the client has said it, or was interrupted."""
        return self._talk.over(say_id, self.audio_ms)

    def answer(self, text: str) -> Sequence[Action]:
        """Take words that the guest has chosen on a screen, as sure as can be."""
        return self._order.answer(text, self._listener.utterances)

    def change_quantity(self, item_id: str, quantity: int) -> Sequence[Action]:
        """Set how many the guest wants of a line, 0 for none; raises ProtocolError."""
        return self._order.change_quantity(item_id, quantity, self._listener.utterances)

    def call_staff(self) -> Sequence[Action]:
        """Note that the guest wants a person."""
        return self._order.call_staff(self._listener.utterances)

    # Recognition and orders

    def next_decode(self) -> DecodeNeed | None:
        """Return the decode that is needed next; None if none is, or while one is in flight."""
        return None if self.phase is Phase.ENDED else self._listener.next_decode()

    def start_decode(self) -> DecodeRequest:
        """Return the newest audio for that need; call `decoded` with the answer."""
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
        """Take the hub's answer to `PlaceOrder`.

        `order` is the order as stored; None if there is none or it could not be stored.
        """
        told = self._order.placed(order, update)
        # Nobody is talked over: what the guest is saying leads to another update.
        listening = self.phase is Phase.STREAMING and not self._listener.speaking
        said = self._talk.after(self.session_id, update, self.audio_ms) if listening else []
        return [told, *said, *self._wind_up(now)]

    # Staff

    def hold(self) -> Sequence[Action]:
        """Stop changing the order, since staff have taken it over; transcripts go on."""
        return self._order.hold(self._listener.utterances)

    def hand_back(
        self, items: Sequence[OrderItem]
    ) -> tuple[Sequence[Action], tuple[OrderItem, ...]]:
        """Continue with the order as staff have left it.

        Also return the items that the conversation cannot represent, which stay as they are.
        """
        return self._order.hand_back(items)

    # Connection and time

    def detach(self, now: float) -> None:
        """Wait for a lost connection to come back."""
        self._detached_at = now

    def attach(self, after_utterance: int | None, now: float) -> list[Action]:
        """Resume with a new connection: send what the client may have missed, in order."""
        missed = self._closings.missed(after_utterance, self._last_heard)
        self._detached_at = None
        self._last_audio = now
        self._intake.hold(now)
        again = [*missed, self._order.last_order, self._answer]
        return [replace(send, audience=Audience.CLIENT) for send in again if send is not None]

    def next_deadline(self) -> float | None:
        """Return when `on_timer` must be called; None for never."""
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
        """Do whatever is due."""
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
        """End at once, without waiting for finals or orders, because of a fault of ours."""
        message = "the session has failed; its order may be incomplete, a person must look at it"
        self._decoder.close()
        return [SendError(ProtocolError(ErrorCode.INTERNAL, message)), *self._ended(now)]

    def over(self, now: float) -> bool:
        """Return whether the session ended so long ago that its client cannot resume it."""
        return self._ended_at is not None and now >= self._ended_at + self._settings.resume_window

    def close(self) -> None:
        """Free what the session holds. May be called at any time, and repeatedly."""
        self._decoder.close()

    # Inside

    def _consume(self, due: Iterable[AudioChunk | Gap], now: float) -> list[Action]:
        """Decode ordered chunks and gaps, and pass the samples to the listener."""
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
        narrow = self._bandwidth is not None and self._bandwidth.add(samples)
        warnings: list[Action] = [self._narrow_band()] if narrow else []
        return [*warnings, *self._report(self._listener.push(samples, now), now)]

    def _narrow_band(self) -> Send:
        message = (
            "the microphone passes nothing above 4 kHz, as a telephone does, so recognition is "
            "less sure; if it can do more, check its settings (a Bluetooth headset in hands-free "
            "mode cannot)"
        )
        data = {"session_id": self.session_id, "code": "narrow_band", "message": message}
        return Send(messages.WARNING, data)

    def _report(self, events: Iterable[ListenerEvent], now: float) -> list[Action]:
        actions: list[Action] = []
        for event in events:
            if isinstance(event, Final):
                actions += self._final(event, now)
                continue
            send = self._sent(event)
            if isinstance(event, Partial):
                actions += self._talk.interrupts(self.session_id, event.text, event.end_ms)
                actions.append(replace(send, audience=Audience.STAFF_LIVE))
            elif isinstance(event, Discarded):
                actions += self._discarded(event, send, now)
            else:
                actions.append(send)
        return self._answered(actions)

    def _sent(self, event: ListenerEvent, *, echo: bool = False) -> Send:
        narrow = self._bandwidth is not None and self._bandwidth.narrow
        type_, data = wire_event(
            self.session_id, self._tag(event), event, narrow_band=narrow, echo=echo
        )
        return Send(type_, data)

    def _tag(self, event: ListenerEvent) -> str:
        """Return the tag of the language that an event is about; the first if none was heard."""
        code = event.language if isinstance(event, Partial | Final) else ""
        return self._tags.get(code) or next(iter(self._tags.values()))

    def _answered(self, actions: list[Action]) -> list[Action]:
        listener = self._listener
        return self._closings.answer(actions, listener.concluded, listener.utterances)

    def _discarded(self, event: Discarded, send: Send, now: float) -> list[Action]:
        self._closings.add(send, now)
        if not event.failed:
            return [send]
        message = f"utterance {event.utterance} could not be recognised; ask for it again"
        return [send, SendError(ProtocolError(ErrorCode.INTERNAL, message))]

    def _final(self, final: Final, now: float) -> list[Action]:
        """Pass a final on, and what the guest has said of it to the order."""
        own = self._talk.guests_part(final)
        shown = final if own is not None else replace(final, overheard=True)
        send = replace(self._sent(shown, echo=own is not final), audience=Audience.STAFF)
        self._closings.add(send, now)
        hushed = self._talk.interrupts(self.session_id, final.hypothesis.text, final.end_ms)
        return [send] if own is None else [*hushed, send, *self._order.hear(own)]

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
            messages.END,
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
