"""Encode the events of a listener as events of `/voice-stream`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from voice_service.asr.hypothesis import Word
from voice_service.protocol import messages
from voice_service.protocol.payloads import (
    DiscardedData,
    EndLikelyData,
    FinalData,
    PartialData,
    SpeechData,
    WordData,
)
from voice_service.utterances.events import (
    Discarded,
    Ended,
    EndLikely,
    EndUnlikely,
    Final,
    ListenerEvent,
    Partial,
    Started,
)

_MOMENTS: Mapping[type[ListenerEvent], str] = {
    Started: messages.SPEECH_STARTED,
    EndUnlikely: messages.END_UNLIKELY,
    Ended: messages.SPEECH_ENDED,
}


def wire_event(
    session_id: str,
    language: str,
    event: ListenerEvent,
    *,
    narrow_band: bool = False,
    echo: bool = False,
) -> tuple[str, dict[str, Any]]:
    """Return the `type` and `data` of an event.

    `language` is the tag of what was spoken; `narrow_band` is about the microphone. `echo`: some
    words of a final are the service's own.
    """
    type_, data = _payload(session_id, language, event, narrow_band, echo)
    return type_, data.model_dump()


def _payload(
    session_id: str, language: str, event: ListenerEvent, narrow_band: bool, echo: bool
) -> tuple[str, BaseModel]:
    utterance = event.utterance
    match event:
        case Started(_, at_ms) | EndUnlikely(_, at_ms) | Ended(_, at_ms):
            data = SpeechData(session_id=session_id, utterance=utterance, at_ms=at_ms)
            return _MOMENTS[type(event)], data
        case EndLikely(_, at_ms, text, confidence):
            return messages.END_LIKELY, EndLikelyData(
                session_id=session_id,
                utterance=utterance,
                at_ms=at_ms,
                text=text,
                confidence=round(confidence, 4),
            )
        case Discarded(_, failed):
            return messages.SPEECH_DISCARDED, DiscardedData(
                session_id=session_id,
                utterance=utterance,
                reason="failed" if failed else "no_words",
            )
        case Partial():
            return messages.TRANSCRIPT, PartialData(
                session_id=session_id,
                utterance=utterance,
                revision=event.revision,
                text=event.text,
                confidence=round(event.confidence, 4),
                start_ms=event.start_ms,
                end_ms=event.end_ms,
                language=language,
                is_final=False,
                stable_text=event.stable_text,
            )
        case Final():
            hypothesis = event.hypothesis
            return messages.TRANSCRIPT, FinalData(
                session_id=session_id,
                utterance=utterance,
                revision=event.revision,
                text=hypothesis.text,
                confidence=round(hypothesis.confidence, 4),
                start_ms=event.start_ms,
                end_ms=event.end_ms,
                language=language,
                is_final=True,
                overheard=event.overheard,
                narrow_band=narrow_band,
                echo=echo,
                words=tuple(map(_word, hypothesis.words)),
            )


def _word(word: Word) -> WordData:
    return WordData(
        text=word.text,
        start_ms=word.start_ms,
        end_ms=word.end_ms,
        confidence=round(word.confidence, 4),
    )
