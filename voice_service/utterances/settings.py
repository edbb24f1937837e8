"""How a session listens: its settings, in frames."""

from __future__ import annotations

from dataclasses import dataclass

from voice_service.utterances.background import BackgroundSettings
from voice_service.utterances.endpointing import EndpointSettings
from voice_service.utterances.turn_end import TurnEndPolicy
from voice_service.utterances.vad import FRAME_MS


def frames(milliseconds: float) -> int:
    """How many frames come nearest to a length of time; at least one."""
    return max(1, round(milliseconds / FRAME_MS))


def to_ms(position: int) -> int:
    """Milliseconds from the start of a session to a frame."""
    return round(position * FRAME_MS)


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """How a session listens; lengths in frames.

    An utterance is recognised every `first_partial` until there is something to show, and then
    (also if no words are heard) every `partial_interval`; its final is tried once speech has paused
    for `speculate`, and `patience` says what its words mean for the pause. An utterance whose text
    has not changed for `no_progress` is ended although the detector still hears speech. Text of
    which the decoder is less sure than `min_confidence`, or `min_partial_confidence` before
    anything of the utterance has been shown, is taken for noise; where no frame was as speech-like
    as `clear_speech`, less than `unclear_confidence`. What is less sure than `surroundings` ask for
    is told, but taken for overheard.
    """

    endpoint: EndpointSettings
    pre_roll: int
    post_roll: int
    first_partial: int
    partial_interval: int
    speculate: int
    patience: TurnEndPolicy
    no_progress: int
    min_confidence: float
    min_partial_confidence: float
    clear_speech: float
    unclear_confidence: float
    surroundings: BackgroundSettings
