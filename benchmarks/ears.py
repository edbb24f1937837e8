"""The service's recognition without the service: no socket, no clock, the same words each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from voice_service.asr.model_pair import SpeechRecognizer
from voice_service.audio.formats import SAMPLE_RATE, Samples
from voice_service.commands.transcribe import Decode, utterance_events
from voice_service.ordering.dialogue.conversation import Conversation
from voice_service.ordering.menu.compiled import CompiledMenu
from voice_service.settings import VoiceSettings
from voice_service.utterances.events import Final, ListenerEvent
from voice_service.utterances.listener import Listener
from voice_service.utterances.vad import DetectorFactory

_CHUNK = SAMPLE_RATE // 10


@dataclass(frozen=True)
class Ears:
    """A session's recognition.

    With a menu, its words are the decoder's prompt, and it chooses among the hypotheses.
    """

    settings: VoiceSettings
    recognizer: SpeechRecognizer
    menu: CompiledMenu | None
    language: str

    def events(self, audio: Samples) -> Iterator[ListenerEvent]:
        """Yield the events of a session that heard this audio."""
        detector = DetectorFactory(self.settings.detector, self.settings.webrtc_mode)()
        bias = self.menu.bias if self.menu else ""
        listener = Listener(self.settings.listener(), detector, self.language, bias)
        chunks = (audio[i : i + _CHUNK] for i in range(0, len(audio), _CHUNK))
        return utterance_events(chunks, listener, self._decoder())

    def text(self, audio: Samples) -> str:
        """Return the finals of a session that heard this audio, as one text."""
        heard = (e.hypothesis.text for e in self.events(audio) if isinstance(e, Final))
        return " ".join(heard)

    def _decoder(self) -> Decode:
        if self.menu is None:
            return self.recognizer.decode
        choose = Conversation(self.menu).chooser()
        return lambda requests: self.recognizer.decode(
            [replace(r, choose=choose if r.thorough else None) for r in requests]
        )
