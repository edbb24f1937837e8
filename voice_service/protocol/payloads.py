"""Models of every message that the voice service adds to the sockets."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from order_events.domain.event_payloads import KeptEnvelope, LiveEnvelope, message
from order_events.domain.models import Order
from order_events.specs import asyncapi
from order_events.specs.asyncapi import Channel, Exchange
from voice_service.audio.encodings import Encoding
from voice_service.protocol import messages
from voice_service.protocol.messages import (
    VoiceAnswer,
    VoiceAudio,
    VoiceCallStaff,
    VoiceEnd,
    VoiceFinalize,
    VoiceInterrupted,
    VoiceQuantity,
    VoiceSaid,
    VoiceStart,
)
from voice_service.speech.prompts import Why

Confidence = Annotated[float, Field(ge=0, le=1)]
Milliseconds = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=0)]
Number = Annotated[int, Field(ge=1)]
OrderingStatus = Literal["listening", "clarify", "confirmed", "needs_staff"]


class SessionData(BaseModel):
    """Data about a session. Times are milliseconds of audio since its start."""

    model_config = ConfigDict(frozen=True)

    session_id: str


class StartedAudio(BaseModel):
    """How the session's audio is read. A container has a rate and channels of its own."""

    model_config = ConfigDict(frozen=True)

    encoding: Encoding
    sample_rate: Number | None = None
    channels: Number | None = None


class StartedData(SessionData):
    """The session has started, or has been resumed. Send audio from `next_sequence` on.

    `warnings` say, for people, which of the wishes in `voice:start` are not fulfilled.
    """

    language: str
    model: str
    audio: StartedAudio
    next_sequence: Number
    resumed: bool
    warnings: tuple[str, ...]


class SpeechData(SessionData):
    """The start or end of speech, `at_ms` milliseconds into the audio of the session."""

    utterance: Number
    at_ms: Milliseconds


class EndLikelyData(SpeechData):
    """Speech has paused at `at_ms`. If the pause lasts, `text` will be the final's.

    It may still go on: `voice:end_unlikely` follows then, and otherwise `voice:speech_ended`.
    """

    text: str
    confidence: Confidence


class DiscardedData(SessionData):
    """An utterance ended without a final: it had no words, or recognition failed."""

    utterance: Number
    reason: Literal["no_words", "failed"]


class TranscriptData(SessionData):
    """Fields that partial and final transcripts share."""

    utterance: Number
    revision: Number
    text: str
    confidence: Confidence
    start_ms: Milliseconds
    end_ms: Milliseconds
    language: str


class PartialData(TranscriptData):
    """A transcript that may still change. `stable_text` is the part of `text` that will not."""

    is_final: Literal[False]
    stable_text: str


class WordData(BaseModel):
    """A word of a final transcript."""

    model_config = ConfigDict(frozen=True)

    text: str
    start_ms: Milliseconds
    end_ms: Milliseconds
    confidence: Confidence


class FinalData(TranscriptData):
    """The final transcript of an utterance.

    `overheard` is true if somebody else may be talking: recognition is unsure, and the speech is
    faint compared with the guest's or with its surroundings. It then does not change the order, but
    an allergy in it is noted. `narrow_band` is true once the microphone has proved to pass the
    telephone's band only. `echo` is true if the microphone has heard what the guest was told
    (`voice:say`): those words change nothing, and without others `overheard` is true as well.
    """

    is_final: Literal[True]
    overheard: bool
    narrow_band: bool
    echo: bool = False
    words: tuple[WordData, ...]


class ReasonData(BaseModel):
    """Why an order is not simply accepted. `question` is what to ask the guest, or null.

    `choices` are answers to it that may be offered, for `voice:answer`; they may be empty.
    `calls_staff` is true if a person has to come.
    """

    model_config = ConfigDict(frozen=True)

    code: str
    text: str
    utterance: Count
    question: str | None
    choices: tuple[str, ...] = ()
    calls_staff: bool


class MatchData(BaseModel):
    """Words (`text`) that were taken for an item, a modifier, or an item to be removed.

    `quality`, from 0 to 1, is how well they match its name.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["item", "modifier", "removed"]
    id: str
    name: str
    text: str
    quality: Confidence


class SignData(BaseModel):
    """A feature that decided about a reading; a `weight` below 0 speaks against it."""

    model_config = ConfigDict(frozen=True)

    feature: str
    weight: float


class WeighedReadingData(BaseModel):
    """A way in which the utterance could be meant, given the order so far.

    `name` is how it is taken: `as_said` (each item is one more), `restated` or `restated_in_part`
    (it is there already), `nothing_else` (the others go), `instead_of_last`, `instead_of_all`, or
    `on_top` (nothing goes). `probability` is how likely that is, and `taken` whether the order went
    by it. `because` has the features that decided.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    probability: Confidence
    taken: bool
    because: tuple[SignData, ...]


class UnderstoodData(SessionData):
    """The order as understood so far; `order` is null while nothing has been ordered.

    `readback` is the whole order in words, and `change` what changed. `after_utterance` is the last
    utterance taken into account, `matched` is what its words were taken for, and `readings` are the
    ways in which it could be meant, the likeliest first. While the menu is on trial,
    `status_without_trial` is the status that the order would have otherwise.
    """

    order: Order | None
    readback: str
    change: str
    status: OrderingStatus
    reasons: tuple[ReasonData, ...]
    after_utterance: Count
    matched: tuple[MatchData, ...]
    readings: tuple[WeighedReadingData, ...] = ()
    status_without_trial: OrderingStatus | None = None


class WarningData(SessionData):
    """Something makes recognition worse than it need be. `code` is for programs.

    `narrow_band`: the microphone passes nothing above 4 kHz, although more was declared.
    """

    code: Literal["narrow_band"]
    message: str


class SayData(SessionData):
    """Something to tell the guest now; a newer one takes its place.

    `language` is the tag of `text`. `audio` is true if `voice:speech` brings it as sound. Answer
    with `voice:said` at its end, or with `voice:interrupted`.
    """

    say_id: str
    text: str
    language: str
    why: Why
    audio: bool


class SpokenData(SessionData):
    """A piece of what the guest is told, as `pcm_s16le` of one channel in base64.

    `sequence` starts at 1 for each `say_id`. The last piece may be empty: then only `text` is left.
    """

    say_id: str
    sequence: Number
    audio: str
    sample_rate: Number
    is_last: bool


class SayStopData(SessionData):
    """The guest has begun to speak: stop saying this, and send `voice:interrupted`."""

    say_id: str


class FinalizedData(SessionData):
    """There was nothing to finalize. `utterances` is how many there have been so far."""

    utterances: Count


class EndedData(SessionData):
    """The session has ended. `duration` is in seconds, as counted by the server."""

    duration: Annotated[float, Field(ge=0)]
    audio_ms: Milliseconds
    utterances: Count
    order_id: str | None


class Place(BaseModel):
    """Where a session takes place, for clients that watch several."""

    lane: str | None = None
    table_id: str | None = None


class WatchedPartialData(Place, PartialData):
    """A partial transcript, as sent to clients that watch the root socket."""


class Erasable(BaseModel):
    """Data whose words can be erased. `redacted` is true if they have been, and absent if not."""

    redacted: Literal[True] | None = None


class WatchedFinalData(Place, Erasable, FinalData):
    """A final transcript, as sent to clients that watch the root socket."""


class WatchedOrderData(Place, Erasable, UnderstoodData):
    """The order as understood so far, as sent to clients that watch the root socket."""


Started = message("VoiceStarted", messages.STARTED, StartedData)
SpeechStarted = message(
    "SpeechStarted",
    messages.SPEECH_STARTED,
    SpeechData,
    about="An utterance began, `at_ms` milliseconds into the audio of the session.",
)
EndIsLikely = message("EndLikely", messages.END_LIKELY, EndLikelyData)
EndIsUnlikely = message(
    "EndUnlikely",
    messages.END_UNLIKELY,
    SpeechData,
    about="Speech goes on after `voice:end_likely`, `at_ms` milliseconds into the audio.",
)
SpeechEnded = message(
    "SpeechEnded",
    messages.SPEECH_ENDED,
    SpeechData,
    about="The speech of an utterance ended, `at_ms` milliseconds into the audio of the session.",
)
SpeechDiscarded = message("SpeechDiscarded", messages.SPEECH_DISCARDED, DiscardedData)
Partial = message("PartialTranscript", messages.TRANSCRIPT, PartialData)
Final = message("FinalTranscript", messages.TRANSCRIPT, FinalData)
Understood = message("OrderUnderstood", messages.ORDER, UnderstoodData)
Warned = message("VoiceWarning", messages.WARNING, WarningData)
Said = message("VoiceSay", messages.SAY, SayData)
Spoken = message("VoiceSpeech", messages.SPEECH, SpokenData)
SayStopped = message("VoiceSayStop", messages.SAY_STOP, SayStopData)
Finalized = message("VoiceFinalized", messages.FINALIZE, FinalizedData)
Ended = message("VoiceEnded", messages.END, EndedData)
WatchedPartial = message("WatchedPartial", messages.TRANSCRIPT, WatchedPartialData, LiveEnvelope)
WatchedFinal = message("WatchedFinal", messages.TRANSCRIPT, WatchedFinalData, KeptEnvelope)
WatchedOrder = message("WatchedOrder", messages.ORDER, WatchedOrderData, KeptEnvelope)

ROOT = asyncapi.ROOT.with_events(WatchedPartial, WatchedFinal, WatchedOrder)
"""The root socket of the hub, with what voice sessions publish there."""
VOICE_STREAM = Channel(
    "voiceStream",
    "/voice-stream",
    "The session of a microphone. It takes audio and sends transcripts and the order as "
    "understood so far.",
    (
        *asyncapi.SHELL_EXCHANGES,
        Exchange(VoiceStart, (Started,)),
        Exchange(VoiceAudio),
        Exchange(VoiceFinalize, (Final, SpeechDiscarded, Finalized)),
        Exchange(VoiceSaid),
        Exchange(VoiceInterrupted),
        Exchange(VoiceAnswer, (Understood,)),
        Exchange(VoiceQuantity, (Understood,)),
        Exchange(VoiceCallStaff, (Understood,)),
        Exchange(VoiceEnd, (Ended,)),
    ),
    (
        *asyncapi.SHELL_EVENTS,
        SpeechStarted,
        EndIsLikely,
        EndIsUnlikely,
        SpeechEnded,
        SpeechDiscarded,
        Partial,
        Final,
        Understood,
        Warned,
        Said,
        Spoken,
        SayStopped,
        Finalized,
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
