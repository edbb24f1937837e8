"""Which decode an utterance needs next, by its speech and by what has been heard of it. Pure."""

from __future__ import annotations

from voice_service.asr.needs import Urgency
from voice_service.utterances.endpointing import Endpointer
from voice_service.utterances.settings import ListenerSettings
from voice_service.utterances.utterance import Utterance

NOTHING_HEARD = 2
"""Successive quick decodes without a new word after which there is taken to be none."""


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
    hopeful = not utterance.revision and utterance.unchanged < NOTHING_HEARD
    interval = settings.first_partial if hopeful else settings.partial_interval
    if position - max(utterance.decoded_to, utterance.started) < interval:
        return None
    if hopeful:
        return Urgency.FIRST_PARTIAL
    # Without a decode since the last change, an old text says little: partials may be late.
    limit = settings.no_progress * (1 if utterance.unchanged else 2)
    stalled = position - utterance.changed_at >= limit
    return Urgency.STALLED if stalled else Urgency.PARTIAL
