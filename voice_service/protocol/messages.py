"""Models of what a microphone sends on `/voice-stream`, and the names of what it receives."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from order_events.protocol.messages import ClientMessage
from voice_service.audio.encodings import Encoding, resolve
from voice_service.audio.formats import SAMPLE_RATE

STARTED: Final = "voice:started"
SPEECH_STARTED: Final = "voice:speech_started"
END_LIKELY: Final = "voice:end_likely"
END_UNLIKELY: Final = "voice:end_unlikely"
SPEECH_ENDED: Final = "voice:speech_ended"
SPEECH_DISCARDED: Final = "voice:speech_discarded"
TRANSCRIPT: Final = "voice:transcript"
ORDER: Final = "voice:order"
WARNING: Final = "voice:warning"
SAY: Final = "voice:say"
SPEECH: Final = "voice:speech"
SAY_STOP: Final = "voice:say_stop"
FINALIZE: Final = "voice:finalize"
END: Final = "voice:end"

_BCP_47: Final = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*"
_LANGUAGES: Final = rf"^{_BCP_47}( *, *{_BCP_47}){{0,3}}$"
"""Up to four tags."""
SessionId = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\w.:-]+$")]
Tag = Annotated[str, Field(min_length=1, max_length=100)]


def primary_language(tag: str) -> str:
    """Return the ISO 639 code at the start of a BCP 47 tag."""
    return tag.partition("-")[0].lower()


def tags_by_language(tags: str) -> dict[str, str]:
    """Return the tags of a list with commas by their ISO 639 codes, in the order of the list.

    Of two tags of one language, the first counts.
    """
    by_language: dict[str, str] = {}
    for tag in (part.strip() for part in tags.split(",")):
        by_language.setdefault(primary_language(tag), tag)
    return by_language


class Data(BaseModel):
    """A frozen model. Unknown fields are ignored, so that newer clients keep working."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class AudioData(Data):
    """How the audio of a session is encoded.

    `sample_rate` is in Hz. A container carries its own rate and number of channels. The names that
    other services and browsers give these encodings are taken, too, such as `linear16`,
    `g711_ulaw` or `audio/webm;codecs=opus`.
    """

    model_config = ConfigDict(extra="forbid")

    encoding: Encoding = "pcm_s16le"
    sample_rate: Annotated[int, Field(ge=8_000, le=48_000)] = SAMPLE_RATE
    channels: Annotated[int, Field(ge=1, le=8)] = 1

    @model_validator(mode="before")
    @classmethod
    def _our_name(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("encoding"), str):
            return given
        encoding, rate = resolve(given["encoding"])
        implied = {} if rate is None else {"sample_rate": rate}
        return {**implied, **given, "encoding": encoding}


class StartData(Data):
    """How to start or resume a session.

    `language` is a BCP 47 tag, or up to four with commas between them: the languages that may be
    spoken, the likeliest first.
    `keyterms` are words to listen for, beside the menu's: at most 50, of 64 characters each; what
    there is no room for is left out with a warning. `order: off` asks for transcripts only. `speak`
    is how the guest is told things: as `text` that the client says aloud, as `audio` besides, or
    not at all. Without it the text is sent, but nobody is taken to say it: what the microphone
    hears is the guest. With `resume`, `after_utterance` is the last utterance whose final the
    client has received; without it, the server repeats whatever may have been lost.
    """

    session_id: SessionId
    language: Annotated[str, Field(max_length=150, pattern=_LANGUAGES)] = "en-US"
    audio: AudioData = AudioData()
    lane: Tag | None = None
    table_id: Tag | None = None
    keyterms: tuple[str, ...] = ()
    order: Literal["auto", "off"] = "auto"
    speak: Literal["text", "audio", "off"] | None = None
    resume: bool = False
    after_utterance: Annotated[int, Field(ge=0)] | None = None


class ChunkData(Data):
    """A chunk of audio in base64. `sequence` starts at 1 in each session and increases by one."""

    audio: str
    sequence: Annotated[int, Field(ge=1, le=2**53)]


class FinalizeData(Data):
    """Which session's utterance ends now."""

    session_id: SessionId


class SaidData(Data):
    """Which prompt has been said to its end."""

    say_id: Tag


class InterruptedData(Data):
    """Which prompt was broken off, `at_ms` milliseconds after it began."""

    say_id: Tag
    at_ms: Annotated[int, Field(ge=0)] | None = None


class AnswerData(Data):
    """What the guest has chosen on a screen, in words: one of a reason's `choices`."""

    session_id: SessionId
    text: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


class QuantityData(Data):
    """How many the guest wants of a line of the order; 0 takes it out."""

    session_id: SessionId
    item_id: Tag
    quantity: Annotated[int, Field(ge=0, le=99)]


class CallStaffData(Data):
    """Whose guest wants a person."""

    session_id: SessionId


class EndData(Data):
    """`duration` is how many seconds of audio the client has sent; the server counts by itself."""

    session_id: SessionId
    duration: Annotated[float, Field(ge=0)] | None = None


class VoiceStart(ClientMessage):
    """Starts a session, or resumes one after a lost connection."""

    type: Literal["voice:start"]
    data: StartData


class VoiceAudio(ClientMessage):
    """A chunk of audio."""

    type: Literal["voice:audio"]
    data: ChunkData


class VoiceFinalize(ClientMessage):
    """Ends the utterance in progress, as a pause does; for example when a key is released."""

    type: Literal["voice:finalize"]
    data: FinalizeData


class VoiceSaid(ClientMessage):
    """Tells that a prompt has been said to its end."""

    type: Literal["voice:said"]
    data: SaidData


class VoiceInterrupted(ClientMessage):
    """Tells that a prompt was broken off."""

    type: Literal["voice:interrupted"]
    data: InterruptedData


class VoiceAnswer(ClientMessage):
    """Answers a question by a choice on a screen, like the same words spoken clearly."""

    type: Literal["voice:answer"]
    data: AnswerData


class VoiceQuantity(ClientMessage):
    """Changes how many there are of a line of the order."""

    type: Literal["voice:quantity"]
    data: QuantityData


class VoiceCallStaff(ClientMessage):
    """Calls a person to the guest, like the words "I need help"."""

    type: Literal["voice:call_staff"]
    data: CallStaffData


class VoiceEnd(ClientMessage):
    """Ends a session: the server recognises the last words and closes the order."""

    type: Literal["voice:end"]
    data: EndData


VoiceMessage = (
    VoiceStart
    | VoiceAudio
    | VoiceFinalize
    | VoiceSaid
    | VoiceInterrupted
    | VoiceAnswer
    | VoiceQuantity
    | VoiceCallStaff
    | VoiceEnd
)
VOICE_MESSAGES: Final[TypeAdapter[VoiceMessage]] = TypeAdapter(
    Annotated[VoiceMessage, Field(discriminator="type")]
)
VOICE_TYPES: Final = frozenset(
    {
        "voice:start",
        "voice:audio",
        "voice:finalize",
        "voice:said",
        "voice:interrupted",
        "voice:answer",
        "voice:quantity",
        "voice:call_staff",
        "voice:end",
    }
)
PRIORITY_TYPES: Final = frozenset({"voice:finalize", "voice:end"})
"""Messages with an allowance of their own, beside that of the audio."""
