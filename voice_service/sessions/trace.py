"""The traces of one voice session: one for each utterance, from its first chunk to its order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from order_events import tracing
from order_events.tracing import Step
from order_events.websocket.connection import Connection
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis
from voice_service.audio.formats import SAMPLE_RATE
from voice_service.protocol import messages

if TYPE_CHECKING:
    from opentelemetry.context import Context


class SessionTrace:
    """Follows a session, if there are traces.

    An utterance's trace has its chunks as notes and its decodes as steps. What comes of it later,
    such as its order, goes under `place`.
    """

    def __init__(self, session_id: str, restaurant_id: str) -> None:
        self.place: Context | None = None
        self._about = {"session_id": session_id, "restaurant_id": restaurant_id}
        self._utterances: dict[int, Step] = {}
        self._decode: Step | None = None
        self._sequence = 0

    def chunk(self, sequence: int) -> None:
        """Note a chunk of audio."""
        self._sequence = sequence
        for utterance in self._utterances.values():
            utterance.note("chunk", sequence=sequence)

    def sent(self, type_: str, data: Mapping[str, Any], connection: Connection | None) -> None:
        """Follow what the client is told; an utterance goes under the place it named, if any."""
        if not tracing.enabled():
            return
        number = data.get("utterance", 0)
        if type_ == messages.SPEECH_STARTED:
            self._begin(number, None if connection is None else connection.trace)
        elif number in self._utterances:
            if type_ == messages.SPEECH_ENDED:
                self._utterances[number].note("speech ended")
            elif type_ == messages.SPEECH_DISCARDED or data.get("is_final"):
                self._utterances.pop(number).end(outcome=type_)

    def decode_started(self, request: DecodeRequest) -> None:
        """Note that a worker has taken the audio."""
        seconds = len(request.audio) / SAMPLE_RATE
        if self._utterances:
            self._decode = tracing.begin(
                "decode", self.place, thorough=request.thorough, audio_s=round(seconds, 3)
            )

    def decode_ended(self, hypothesis: Hypothesis | None) -> None:
        """Note that it has answered."""
        if self._decode is not None:
            self._decode.end(failed=hypothesis is None)
            self._decode = None

    def close(self) -> None:
        """End everything: the session is over."""
        self.decode_ended(None)
        for utterance in self._utterances.values():
            utterance.end(outcome="session over")
        self._utterances.clear()

    def _begin(self, number: int, parent: Context | None) -> None:
        begun = tracing.begin(
            "utterance",
            parent,
            utterance=number,
            first_sequence=self._sequence,
            **self._about,
        )
        if begun is not None:
            self._utterances[number] = begun
            self.place = begun.context
