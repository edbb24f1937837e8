"""What a listener noticed, as events of `/voice-stream`."""

from __future__ import annotations

from typing import Any

from voice_service import protocol
from voice_service.heard import Discarded, Ended, Final, ListenerEvent, Partial, Started
from voice_service.hypothesis import Word


def wire_event(session_id: str, language: str, event: ListenerEvent) -> tuple[str, dict[str, Any]]:
    """`type` and `data` of an event."""
    about = {"session_id": session_id, "utterance": event.utterance}
    match event:
        case Started(_, at_ms):
            return protocol.SPEECH_STARTED, {**about, "at_ms": at_ms}
        case Ended(_, at_ms):
            return protocol.SPEECH_ENDED, {**about, "at_ms": at_ms}
        case Discarded(_, failed):
            return protocol.SPEECH_DISCARDED, {
                **about,
                "reason": "failed" if failed else "no_words",
            }
        case Partial():
            return protocol.TRANSCRIPT, {
                **about,
                **_transcript(event, event.text, event.confidence, language),
                "is_final": False,
                "stable_text": event.stable_text,
            }
        case Final():
            heard = event.hypothesis
            return protocol.TRANSCRIPT, {
                **about,
                **_transcript(event, heard.text, heard.confidence, language),
                "is_final": True,
                "words": [_word(word) for word in heard.words],
            }


def _transcript(
    event: Partial | Final, text: str, confidence: float, language: str
) -> dict[str, Any]:
    return {
        "revision": event.revision,
        "text": text,
        "confidence": round(confidence, 4),
        "start_ms": event.start_ms,
        "end_ms": event.end_ms,
        "language": language,
    }


def _word(word: Word) -> dict[str, Any]:
    return {
        "text": word.text,
        "start_ms": word.start_ms,
        "end_ms": word.end_ms,
        "confidence": round(word.confidence, 4),
    }
