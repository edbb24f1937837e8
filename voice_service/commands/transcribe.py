"""`voice-service transcribe`: run a session without socket and clock, fast and repeatable."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Sequence

from voice_service.asr.hypothesis import DecodeRequest, Hypothesis
from voice_service.asr.model_pair import SpeechRecognizer
from voice_service.audio.formats import SAMPLE_RATE, AudioError, Samples
from voice_service.audio.recordings import read_audio
from voice_service.protocol.encoding import wire_event
from voice_service.protocol.messages import primary_language
from voice_service.settings import VoiceSettings
from voice_service.utterances.events import Final, ListenerEvent
from voice_service.utterances.listener import Listener
from voice_service.utterances.vad import DetectorFactory

_CHUNK = SAMPLE_RATE // 10

Decode = Callable[[Sequence[DecodeRequest]], list[Hypothesis]]


def utterance_events(
    chunks: Iterable[Samples], listener: Listener, decode: Decode
) -> Iterator[ListenerEvent]:
    """Yield the events of a session that heard these chunks, if recognition took no time."""
    for chunk in chunks:
        yield from listener.push(chunk, 0.0)
        yield from _decode_pending(listener, decode)
    yield from listener.flush(0.0)
    yield from _decode_pending(listener, decode)


def _decode_pending(listener: Listener, decode: Decode) -> Iterator[ListenerEvent]:
    while listener.next_decode() is not None:
        [hypothesis] = decode([listener.start_decode()])
        yield from listener.decoded(hypothesis, 0.0)


def transcribe_files(
    options: argparse.Namespace,
    settings: VoiceSettings,
    recognizer: SpeechRecognizer,
    complain: Callable[[str], None],
) -> int:
    """Print finals as text, or every event as a line of JSON; return the exit status."""
    detectors = DetectorFactory(settings.detector, settings.webrtc_mode)
    language = primary_language(options.language)
    if language not in recognizer.languages:
        complain(f"the model does not know {options.language}")
        return 1
    failed = 0
    for path in options.files:
        try:
            samples = read_audio(path)
        except AudioError as error:
            complain(str(error))
            failed = 1
            continue
        listener = Listener(settings.listener(), detectors(), language, "")
        chunks = (samples[i : i + _CHUNK] for i in range(0, len(samples), _CHUNK))
        for event in utterance_events(chunks, listener, recognizer.decode):
            if options.jsonl:
                type_, data = wire_event(path.name, options.language, event)
                print(json.dumps({"file": str(path), "type": type_, "data": data}), flush=True)
            elif isinstance(event, Final):
                print(event.hypothesis.text, flush=True)
    return failed
