"""The settings of a listener, in frames."""

from __future__ import annotations

from dataclasses import dataclass

from voice_service.utterances.background import BackgroundSettings
from voice_service.utterances.endpointing import EndpointSettings
from voice_service.utterances.turn_end import TurnEndPolicy
from voice_service.utterances.vad import FRAME_MS


def frames(milliseconds: float) -> int:
    """Return the number of frames closest to a length of time; at least one."""
    return max(1, round(milliseconds / FRAME_MS))


def to_ms(position: int) -> int:
    """Return the milliseconds from the start of a session to the frame at `position`."""
    return round(position * FRAME_MS)


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """When a listener decodes, what it takes for noise, and when it ends an utterance.

    All lengths are in frames. An utterance is decoded after `first_partial`, then every
    `first_partial_retry` until there is text to show, and then, or if no words are heard, every
    `partial_interval`. Its final is tried once
    speech has paused for `speculate`, and `turn_end_policy` decides by its words how long to wait.
    An utterance whose text has not changed for `no_progress` is ended although the detector still
    hears speech.

    Text with less than `min_confidence` is taken for noise; before anything of the utterance has
    been shown, so is text with less than `min_partial_confidence`. If no frame was as speech-like
    as `clear_speech`, at least `unclear_confidence` is needed. Text with less confidence than
    `background` requires is still sent, but marked as overheard.
    """

    endpoint: EndpointSettings
    pre_roll: int
    post_roll: int
    first_partial: int
    first_partial_retry: int
    partial_interval: int
    speculate: int
    turn_end_policy: TurnEndPolicy
    no_progress: int
    min_confidence: float
    min_partial_confidence: float
    clear_speech: float
    unclear_confidence: float
    background: BackgroundSettings
