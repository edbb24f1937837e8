"""Which decode an utterance needs next, and what counts as heard in its answer. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from voice_service.asr.needs import Urgency
from voice_service.audio.formats import Samples
from voice_service.utterances.endpointing import Endpointer
from voice_service.utterances.settings import ListenerSettings
from voice_service.utterances.utterance import Utterance

NOTHING_HEARD = 2
"""Successive quick decodes without a new word after which there is taken to be none."""


HOPEFUL_TRIES = 4
"""Quick decodes without a word in the first half second or so, after which speech is taken to be
noise until there is more of it: a word is rarely understood before its end."""


@dataclass(slots=True)
class WaitingFinal:
    """An ended utterance whose final has still to be recognised."""

    utterance: Utterance
    audio: Samples
    since: float
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class InFlight:
    """The decode in flight: its utterance, the end of its audio, and where speech had paused."""

    utterance: Utterance
    urgency: Urgency
    decoded_to: int
    paused_at: int


def choose_urgency(
    utterance: Utterance | None, endpointer: Endpointer, settings: ListenerSettings
) -> Urgency | None:
    """Return why the utterance in progress should be decoded now; None if it should not."""
    if utterance is None:
        return None
    position, pause = endpointer.position, endpointer.pause
    if pause >= settings.speculate:
        done = utterance.speculated == endpointer.last_speech
        return None if done else Urgency.SPECULATIVE
    hopeful = not utterance.revision and utterance.unchanged < HOPEFUL_TRIES
    interval = settings.partial_interval
    if hopeful:
        tried = utterance.decoded_to > utterance.started
        interval = settings.first_partial_retry if tried else settings.first_partial
    if position - max(utterance.decoded_to, utterance.started) < interval:
        return None
    if hopeful:
        return Urgency.FIRST_PARTIAL
    # Without a decode since the last change, an old text says little: partials may be late.
    limit = settings.no_progress * (1 if utterance.unchanged else 2)
    stalled = position - utterance.changed_at >= limit
    return Urgency.STALLED if stalled else Urgency.PARTIAL


def least_confidence(utterance: Utterance, settings: ListenerSettings, otherwise: float) -> float:
    """Return the confidence from which text counts as heard, by how clear the speech was."""
    if utterance.peak >= settings.clear_speech:
        return otherwise
    return max(otherwise, settings.unclear_confidence)
