"""Models of every event that the voice service sends, `data` and envelope, and its channels."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from order_events.domain.event_payloads import KeptEnvelope, LiveEnvelope, message
from order_events.domain.models import Order
from order_events.specs import asyncapi
from order_events.specs.asyncapi import Channel, Exchange
from voice_service.protocol import messages
from voice_service.protocol.messages import VoiceAudio, VoiceEnd, VoiceStart

Confidence = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Number = Annotated[int, Field(ge=1)]


class SessionData(BaseModel):
    """What all `data` about a session has in common. Times are milliseconds of its audio."""

    model_config = ConfigDict(frozen=True)

    session_id: str


class StartedData(SessionData):
    """`data` of `voice:started`: send audio from `next_sequence` on."""

    language: str
    model: str
    next_sequence: Number
    resumed: bool


class SpeechData(SessionData):
    """`data` of `voice:speech_started` and `voice:speech_ended`."""

    utterance: Number
    at_ms: Milliseconds


class DiscardedData(SessionData):
    """`data` of `voice:speech_discarded`, which closes an utterance instead of a final."""

    utterance: Number
    reason: Literal["no_words", "failed"]


class TranscriptData(SessionData):
    """What partial and final transcripts have in common."""

    utterance: Number
    revision: Number
    text: str
    confidence: Confidence
    start_ms: Milliseconds
    end_ms: Milliseconds
    language: str


class PartialData(TranscriptData):
    """A transcript that may change; `stable_text` is the part of `text` that will not."""

    is_final: Literal[False]
    stable_text: str


class WordData(BaseModel):
    """A word of a final."""

    model_config = ConfigDict(frozen=True)

    text: str
    start_ms: Milliseconds
    end_ms: Milliseconds
    confidence: Confidence


class FinalData(TranscriptData):
    """The transcript of an utterance; there is no other after it.

    `overheard`: so unsure, and so faint beside the guest's speech or its surroundings, that other
    people may be talking; it orders nothing, but an allergy in it is noted.
    """

    is_final: Literal[True]
    overheard: bool
    words: tuple[WordData, ...]


class ReasonData(BaseModel):
    """Why an order is not simply accepted; `question` is what to ask the guest, if anything."""

    model_config = ConfigDict(frozen=True)

    code: str
    text: str
    utterance: Count
    question: str | None


class MatchData(BaseModel):
    """Words that were taken for an item, a modifier, or an item that is to go.

    `quality` is how well they match its name.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["item", "modifier", "removed"]
    id: str
    name: str
    text: str
    quality: Confidence


class UnderstoodData(SessionData):
    """`data` of `voice:order`: the order as understood so far, null while nothing was ordered.

    `after_utterance` is the one that was heard last, `matched` what its words were taken for.
    """

    order: Order | None
    readback: str
    change: str
    status: Literal["listening", "clarify", "confirmed", "needs_staff"]
    reasons: tuple[ReasonData, ...]
    after_utterance: Count
    matched: tuple[MatchData, ...]


class EndedData(SessionData):
    """`data` of the answer to `voice:end`; `duration` is seconds, as the server counted."""

    duration: Annotated[float, Field(ge=0)]
    audio_ms: Milliseconds
    utterances: Count
    order_id: str | None


class Place(BaseModel):
    """Where a session is, for those who watch several."""

    lane: str | None = None
    table_id: str | None = None


class WatchedPartialData(Place, PartialData):
    """A partial as watchers get it."""


class Erasable(BaseModel):
    """`redacted`: the guest's words have been erased since; absent, they have not."""

    redacted: Literal[True] | None = None


class WatchedFinalData(Place, Erasable, FinalData):
    """A final as watchers get it."""


class WatchedOrderData(Place, Erasable, UnderstoodData):
    """`voice:order` as watchers get it."""


Started = message("VoiceStarted", messages.STARTED, StartedData)
SpeechStarted = message("SpeechStarted", messages.SPEECH_STARTED, SpeechData)
SpeechEnded = message("SpeechEnded", messages.SPEECH_ENDED, SpeechData)
SpeechDiscarded = message("SpeechDiscarded", messages.SPEECH_DISCARDED, DiscardedData)
Partial = message("PartialTranscript", messages.TRANSCRIPT, PartialData)
Final = message("FinalTranscript", messages.TRANSCRIPT, FinalData)
Understood = message("OrderUnderstood", messages.ORDER, UnderstoodData)
Ended = message("VoiceEnded", messages.END, EndedData)
WatchedPartial = message("WatchedPartial", messages.TRANSCRIPT, WatchedPartialData, LiveEnvelope)
WatchedFinal = message("WatchedFinal", messages.TRANSCRIPT, WatchedFinalData, KeptEnvelope)
WatchedOrder = message("WatchedOrder", messages.ORDER, WatchedOrderData, KeptEnvelope)

ROOT = asyncapi.ROOT.with_events(WatchedPartial, WatchedFinal, WatchedOrder)
"""The hub's socket, with the events that voice sessions publish there."""
VOICE_STREAM = Channel(
    "voiceStream",
    "/voice-stream",
    "A microphone's session: audio in, transcripts and the order as understood out.",
    (
        *asyncapi.SHELL_EXCHANGES,
        Exchange(VoiceStart, (Started,)),
        Exchange(VoiceAudio),
        Exchange(VoiceEnd, (Ended,)),
    ),
    (
        *asyncapi.SHELL_EVENTS,
        SpeechStarted,
        SpeechEnded,
        SpeechDiscarded,
        Partial,
        Final,
        Understood,
        Ended,
    ),
    (
        *asyncapi.LIMITS,
        "voice_per_minute",
        "max_sessions",
        "reorder_chunks",
        "gap_patience_s",
        "stall_s",
        "idle_s",
        "resume_window_s",
        "max_backlog_s",
        "max_speed",
        "ending_s",
    ),
)
CHANNELS = (ROOT, VOICE_STREAM)
