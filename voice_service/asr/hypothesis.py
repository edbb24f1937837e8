"""The recogniser's input and output: plain values that threads only read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from voice_service.asr.calibration import RAW, Calibration
from voice_service.audio.formats import Samples

Chooser = Callable[[Sequence[str], Sequence[float]], tuple[int, float]]
"""See `DecodeRequest.choose`."""


class Retry(StrEnum):
    """Why audio was decoded once more."""

    DOUBT = "doubt"
    """A phrase came twice, or more words than fit into the time: heard again in a full window."""
    LOOP = "loop"
    """There too, the decoder wrote the same words again and again: repetition was forbidden."""
    PROMPT = "prompt"
    """Still too many words for the time: heard without the bias."""


@dataclass(frozen=True, slots=True)
class Word:
    """A recognised word as written, with times in ms from the start of the decoded audio.

    `confidence` is from 0 to 1.
    """

    text: str
    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What the recogniser heard. `words` is empty for a quick decode and for silence.

    `language` is the ISO 639 code of what was spoken; empty if nothing was heard.
    `retries` says why there were further attempts, if there were. `batch_size` is how many requests
    shared the pass through the model, this one included.
    Confidences are the decoder's own probabilities; `calibrated` applies the model's `calibration`.
    `agreement` is what `DecodeRequest.choose` said of it; 1 if nobody was asked.
    """

    text: str
    confidence: float
    words: tuple[Word, ...] = ()
    retries: tuple[Retry, ...] = ()
    batch_size: int = field(default=1, compare=False)
    calibration: Calibration = field(default=RAW, compare=False)
    language: str = ""
    agreement: float = 1.0

    def calibrated(self) -> Hypothesis:
        """Return a copy whose confidences are expected shares of right words."""
        right = self.calibration
        words = tuple(replace(w, confidence=right(w.confidence)) for w in self.words)
        return replace(self, confidence=right(self.confidence), calibration=RAW).with_words(words)

    def with_words(self, words: tuple[Word, ...]) -> Hypothesis:
        """Return a copy with these words and, if there are any, their mean confidence."""
        confidences = [word.confidence for word in words] or [self.confidence]
        return replace(self, confidence=sum(confidences) / len(confidences), words=words)

    def placed(self, audio_start_ms: int, speech_start_ms: int) -> Hypothesis:
        """Return a copy with word times from the start of the session, none before speech began.

        The decoder aligns the first word with all of the silence before it.
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
    """Audio to recognise.

    `language` is an ISO 639 code; or several with commas between them, of which the recogniser
    chooses one, the first if in doubt.
    `thorough` asks for beam search and word times; without it the result comes sooner. `bias` is
    text whose words become more likely. `speech_s` is how long somebody speaks in it, in seconds;
    None if that is not known. `choose` is given several texts, most likely first, and how likely
    each is (1 together), and returns the index of the one to use and how likely those are that mean
    the same; only a thorough decode calls it, on the recogniser's thread.
    """

    audio: Samples
    language: str
    thorough: bool
    bias: str = ""
    speech_s: float | None = None
    choose: Chooser | None = None
    biases: Mapping[str, str] = field(default_factory=dict)
    """Text in place of `bias` for some of the languages: one in another language would be taken for
    what is spoken."""

    def bias_in(self, language: str) -> str:
        """Return the text whose words become more likely if this language is spoken."""
        return self.biases.get(language, self.bias)
