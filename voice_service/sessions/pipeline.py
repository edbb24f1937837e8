"""What a session is made of, and how long it waits."""

from __future__ import annotations

from dataclasses import dataclass, field

from voice_service.audio.formats import AudioDecoder
from voice_service.audio.intake import IntakeSettings
from voice_service.ordering import Conversation
from voice_service.sessions.talk import Talk
from voice_service.utterances.listener import Listener


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """The bounds of a session, in seconds.

    Without audio for `stall`, the utterance in progress is ended; without audio for `idle`, the
    session. A lost connection may come back within `resume_window`. The last finals and the order
    may take `ending` after the last audio.
    """

    intake: IntakeSettings
    stall: float
    idle: float
    resume_window: float
    ending: float


@dataclass(frozen=True, slots=True)
class SessionPipeline:
    """The stages that the audio of one session passes through.

    `conversation` is None if no order is to be understood. `talk` is what the guest is told.
    """

    decoder: AudioDecoder
    listener: Listener
    conversation: Conversation | None
    talk: Talk = field(default_factory=Talk)
