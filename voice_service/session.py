"""One voice session as a state machine without IO: messages and hypotheses in, actions out.

Time is an argument (`now`, seconds of a monotonic clock). The caller performs the actions, asks
`wanted` and `take` for audio to recognise, hands the answers to `decoded`, and calls `on_timer`
when `next_deadline` has come. All of it happens on one thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import Enum, auto
from typing import Any

from order_events.models import OrderItem
from order_events.protocol import ErrorCode, MessageId, ProtocolError
from voice_service import protocol
from voice_service.audio import SAMPLE_RATE, AudioError, Decoder, Samples
from voice_service.heard import Discarded, Final, ListenerEvent, Partial, Want
from voice_service.hypothesis import DecodeRequest, Hypothesis
from voice_service.intake import Chunk, Intake, IntakeSettings, gap_error
from voice_service.listener import Listener
from voice_service.ordering import CartUpdate, Conversation, Heard, HeardWord, Reason
from voice_service.reorder import Gap
from voice_service.vad import FRAME
from voice_service.wire import wire_event


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


class Audience(Enum):
    """Who is told besides the client."""

    CLIENT = auto()
    WATCHERS_LIVE = auto()
    """Staff who watch now; a newer one replaces it."""
    WATCHERS = auto()
    """Staff, including those who come back later: it goes into the history."""


@dataclass(frozen=True, slots=True)
class Tell:
    """Send an event to the client and, by `audience`, to the restaurant's staff."""

    type: str
    data: Mapping[str, Any]
    audience: Audience = Audience.CLIENT
    id: MessageId | None = None
    """Of the client's message that this answers."""


@dataclass(frozen=True, slots=True)
class Complain:
    """Send an `error` event that answers no single message."""

    error: ProtocolError


@dataclass(frozen=True, slots=True)
class PlaceOrder:
    """Create or change the order at the hub, then call `order_placed`."""

    update: CartUpdate


Action = Tell | Complain | PlaceOrder


class Phase(Enum):
    """`ENDING`: `voice:end` has come; finals or order events are still on their way."""

    STREAMING = auto()
    ENDING = auto()
    ENDED = auto()


@dataclass(frozen=True, slots=True)
class _Sent:
    """What closed an utterance, and when it was told."""

    at: float
    tell: Tell


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
        decoder: Decoder,
        listener: Listener,
        conversation: Conversation | None,
        now: float,
    ) -> None:
        self.session_id = session_id
        self.language = language
        self.phase = Phase.STREAMING
        self.order_id: str | None = None
        self._settings = settings
        self._decoder = decoder
        self._listener = listener
        self._conversation = conversation
        self._intake = Intake(settings.intake, decoder, now)
        self._samples = 0
        self._last_audio = now
        self._last_heard = now
        self._ending_at: float | None = None
        self._detached_at: float | None = None
        self._ended_at: float | None = None
        self._orders_pending = 0
        self._closings: deque[_Sent] = deque(maxlen=_KEPT_FINALS)
        self._update: CartUpdate | None = None
        self._abandoned: str | None = None
        self._end_id: MessageId | None = None
        self._held = False
        self._last_order: Tell | None = None
        self._answer: Tell | None = None

    @property
    def next_sequence(self) -> int:
        """The first sequence that has not been taken yet."""
        return self._intake.next_sequence

    @property
    def audio_ms(self) -> int:
        """Milliseconds of audio taken so far."""
        return round(self._samples * 1000 / SAMPLE_RATE)

    @property
    def attached(self) -> bool:
        """Whether a connection is there to be told."""
        return self._detached_at is None

    # Messages of the client

    def audio(self, sequence: int, encoded: str, now: float) -> list[Action]:
        """Take a chunk. Raises `ProtocolError`; what is refused had no effect."""
        backlog = self._listener.backlog * FRAME / SAMPLE_RATE
        due = self._intake.push(sequence, encoded, backlog, now)
        self._last_audio = self._last_heard = now
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
            actions.append(Complain(ProtocolError(ErrorCode.INVALID_AUDIO, str(error))))
        else:
            actions += self._listen(rest, now)
        self._decoder.close()
        self.phase = Phase.ENDING
        actions += self._report(self._listener.flush(now), now)
        return actions + self._wind_up(now)

    # Recognition and orders

    def wanted(self) -> Want | None:
        """The decode that the session would like next; None while one is in flight."""
        return None if self.phase is Phase.ENDED else self._listener.wanted()

    def take(self) -> DecodeRequest:
        """The newest audio for what `wanted` names; call `decoded` with the answer."""
        request = self._listener.take()
        if self._conversation is None or not request.thorough:
            return request
        return replace(request, choose=self._conversation.chooser())

    def decoded(self, hypothesis: Hypothesis | None, now: float) -> list[Action]:
        """Take the answer to `take`; None if recognition failed."""
        if self.phase is Phase.ENDED:
            return []
        actions = self._report(self._listener.decoded(hypothesis, now), now)
        return actions + self._wind_up(now)

    def order_placed(
        self, order: Mapping[str, Any] | None, update: CartUpdate, now: float
    ) -> list[Action]:
        """The hub has stored the order; None if there is nothing to store or it could not be."""
        self._orders_pending -= 1
        if order is not None:
            self.order_id = str(order["id"])
        self._last_order = Tell(
            protocol.ORDER,
            {
                "session_id": self.session_id,
                "order": order,
                "readback": update.readback,
                "change": update.change,
                "status": update.status,
                "reasons": [
                    {
                        "code": reason.code,
                        "text": reason.text,
                        "utterance": reason.utterance,
                        "question": reason.question,
                    }
                    for reason in update.reasons
                ],
                "after_utterance": update.utterance,
                "matched": [asdict(match) for match in update.matched],
            },
            Audience.WATCHERS,
        )
        return [self._last_order, *self._wind_up(now)]

    # Staff

    def hold(self) -> list[Action]:
        """Staff have taken the order over: words are heard, and change nothing."""
        self._held = True
        return self._told_held(self._listener.utterances)

    def hand_back(self, items: Sequence[OrderItem]) -> tuple[list[Action], tuple[OrderItem, ...]]:
        """The guest goes on with the order as staff have left it; and what is to stay as it is."""
        self._held = False
        if self._conversation is None or self.phase is Phase.ENDED:
            return [], tuple(items)
        update, left = self._conversation.adopt(items)
        return [self._place(update)], left

    def _told_held(self, utterance: int) -> list[Action]:
        if self._conversation is None or self.phase is Phase.ENDED:
            return []
        return [
            self._place(CartUpdate((), "needs_staff", (), "", changed=False, utterance=utterance))
        ]

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
        again = [*missed, self._last_order, self._answer]
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
        self._conversation = None
        return [Complain(ProtocolError(ErrorCode.INTERNAL, message)), *self._ended(now)]

    def over(self, now: float) -> bool:
        """Whether the session has ended, and so long ago that its answer cannot be missing."""
        return self._ended_at is not None and now >= self._ended_at + self._settings.resume_window

    def close(self) -> None:
        """Free what the session holds; allowed at any time, more than once."""
        self._decoder.close()

    # Inside

    def _consume(self, due: Iterable[Chunk | Gap], now: float) -> list[Action]:
        """Ordered chunks and gaps to samples, samples to what the listener makes of them."""
        actions: list[Action] = []
        for piece in due:
            try:
                if isinstance(piece, Gap):
                    actions.append(Complain(gap_error(piece)))
                    samples = self._decoder.bridge(piece.count)
                else:
                    samples = self._decoder.decode(piece.payload)
            except AudioError as error:
                sequence = piece.first if isinstance(piece, Gap) else piece.sequence
                problem = ProtocolError(ErrorCode.INVALID_AUDIO, str(error), sequence=sequence)
                actions.append(Complain(problem))
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
                actions.append(Tell(type_, data, Audience.WATCHERS_LIVE))
            elif isinstance(event, Final):
                actions += self._final(event, Tell(type_, data, Audience.WATCHERS), now)
            elif isinstance(event, Discarded):
                actions += self._discarded(event, Tell(type_, data), now)
            else:
                actions.append(Tell(type_, data))
        return actions

    def _discarded(self, event: Discarded, tell: Tell, now: float) -> list[Action]:
        self._closings.append(_Sent(now, tell))
        if not event.failed:
            return [tell]
        message = f"utterance {event.utterance} could not be recognised; ask for it again"
        return [tell, Complain(ProtocolError(ErrorCode.INTERNAL, message))]

    def _final(self, heard: Final, tell: Tell, now: float) -> list[Action]:
        hypothesis = heard.hypothesis
        self._closings.append(_Sent(now, tell))
        if self._conversation is None or not hypothesis.text or heard.overheard:
            return [tell]
        if self._held:
            return [tell, *self._told_held(heard.utterance)]
        words = tuple(HeardWord(word.text, word.confidence) for word in hypothesis.words)
        heard_text = Heard(heard.utterance, hypothesis.text, hypothesis.confidence, words)
        return [tell, self._place(self._conversation.hear(heard_text))]

    def _place(self, update: CartUpdate) -> PlaceOrder:
        self._update = update
        self._orders_pending += 1
        return PlaceOrder(update)

    def _close_order(self, conversation: Conversation) -> CartUpdate:
        """What becomes of the order; one whose guest was cut off is for a person to look at."""
        update = conversation.end()
        complete = self._update is not None and self._update.status == "confirmed"
        if self._abandoned is None or complete or not update.items:
            return update
        reason = Reason(self._abandoned, "the guest was cut off", self._listener.utterances, None)
        return replace(update, status="needs_staff", reasons=(*update.reasons, reason))

    def _wind_up(self, now: float) -> list[Action]:
        """After `voice:end`: close the order once the last final is out, then answer."""
        if self.phase is not Phase.ENDING or not self._listener.settled or self._orders_pending:
            return []
        if self._conversation is not None and not self._held:
            conversation, self._conversation = self._conversation, None
            return [self._place(self._close_order(conversation))]
        return self._ended(now)

    def _ended(self, now: float) -> list[Action]:
        self.phase = Phase.ENDED
        self._ended_at = now
        if self._abandoned == STOPPING:
            return []
        self._answer = Tell(
            protocol.END,
            {
                "session_id": self.session_id,
                "duration": self.audio_ms / 1000,
                "audio_ms": self.audio_ms,
                "utterances": self._listener.utterances,
                "order_id": self.order_id,
            },
            id=self._end_id,
        )
        return [self._answer]
