"""What goes into the recogniser and what comes out: plain values, read-only across threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from voice_service.asr.calibration import Calibration
from voice_service.audio.formats import Samples


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word as it is written, with its times from the start of the decoded audio.

    `confidence` is 0 to 1.
    """

    text: str
    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What the recogniser heard. `words` is empty for a quick decode, and for silence.

    `repeated`: the first attempt went round in circles, so there was a second one. `together`: so
    many were decoded in one pass, this one included.
    Confidences are the decoder's own probabilities until they have been `calibrated`.
    """

    text: str
    confidence: float
    words: tuple[Word, ...] = ()
    repeated: bool = False
    together: int = field(default=1, compare=False)

    def calibrated(self, calibration: Calibration) -> Hypothesis:
        """The same with confidences that are expected shares of right words."""
        words = tuple(replace(w, confidence=calibration(w.confidence)) for w in self.words)
        return replace(self, confidence=calibration(self.confidence)).worded(words)

    def worded(self, words: tuple[Word, ...]) -> Hypothesis:
        """The same with these words; its confidence is their mean, if there are any."""
        confidences = [word.confidence for word in words] or [self.confidence]
        return replace(self, confidence=sum(confidences) / len(confidences), words=words)

    def placed(self, audio_start_ms: int, speech_start_ms: int) -> Hypothesis:
        """The same, with word times from the start of the session, none before speech began.

        (The first word is aligned with all of the silence in front of it.)
        """
        words = tuple(
            replace(
                word,
                start_ms=max(speech_start_ms, word.start_ms + audio_start_ms),
                end_ms=max(speech_start_ms, word.end_ms + audio_start_ms),
            )
            for word in self.words
        )
        return replace(self, words=words)


@dataclass(frozen=True, slots=True, eq=False)
class DecodeRequest:
    """Audio to be recognised.

    `thorough` asks for beam search and for word times; without it the answer comes sooner.
    `bias` is text whose words are likelier than others. `choose` is given several texts, likeliest
    first, and says by its index which one to take; it is called on the recogniser's thread, and
    only by a thorough decode.
    """

    audio: Samples
    language: str
    thorough: bool
    bias: str = ""
    choose: Callable[[Sequence[str]], int] | None = None
