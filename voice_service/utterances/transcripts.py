"""Build the transcripts of an utterance that has been announced. Pure."""

from __future__ import annotations

from typing import Final

from voice_service.asr.hypothesis import Hypothesis
from voice_service.utterances import events
from voice_service.utterances.settings import to_ms
from voice_service.utterances.utterance import Utterance

_FALLBACK_CONFIDENCE: Final = 0.2
"""Confidence of a final that only repeats what was shown."""


def partial(utterance: Utterance, decoded_to: int, confidence: float) -> events.Partial:
    """Return what has been heard so far, as the next revision of the transcript."""
    utterance.revision += 1
    return events.Partial(
        utterance=utterance.number or 0,
        revision=utterance.revision,
        start_ms=to_ms(utterance.started),
        end_ms=to_ms(decoded_to),
        text=utterance.text,
        stable_text=utterance.stable.text,
        confidence=confidence,
        language=utterance.language,
    )


def final(utterance: Utterance, hypothesis: Hypothesis, *, overheard: bool) -> events.Final:
    """Return the final transcript. Times count from the start of the session."""
    if not hypothesis.text and utterance.text:
        # The thorough decode looped or heard nothing: what was shown is better than nothing.
        hypothesis = Hypothesis(utterance.text, _FALLBACK_CONFIDENCE, language=utterance.language)
    utterance.revision += 1
    start_ms = to_ms(utterance.started)
    settled = utterance.settle(hypothesis).placed(to_ms(utterance.audio_start), start_ms)
    return events.Final(
        utterance=utterance.number or 0,
        revision=utterance.revision,
        start_ms=start_ms,
        end_ms=start_ms if utterance.ended is None else to_ms(utterance.ended),
        hypothesis=settled,
        overheard=overheard,
        lost=max(0, utterance.quick_words - len(settled.text.split())),
    )
