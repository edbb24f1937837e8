"""Samples to text with faster-whisper's model, without the 30 s of padding it would add.

Whisper was trained on 30 s windows, and encoding always that much costs most of the time of a short
utterance. CTranslate2 encodes shorter windows, so `encode` and `generate` are called directly, with
as much context as accuracy needs. Figures and their source: docs/measurements.md.

The only module that imports faster_whisper and CTranslate2. Everything here may run on any thread.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens
from numpy.typing import NDArray

from voice_service.audio import SAMPLE_RATE, Samples
from voice_service.hypothesis import DecodeRequest, Hypothesis, Word

_HOP: Final = 160
"""Samples per mel frame."""
_FULL_CONTEXT: Final = 3000
"""Mel frames of the 30 s window that Whisper was trained on."""
MAX_SECONDS: Final = _FULL_CONTEXT * _HOP / SAMPLE_RATE
"""The longest audio that one decode can hear."""


@dataclass(frozen=True, slots=True)
class DecodingProfile:
    """How one kind of decode is done.

    The encoder sees at least `floor_s` seconds and at least `margin_s` more than the audio. At most
    `tokens_per_s` tokens are generated per second of audio (speech rarely passes 6).
    """

    beam_size: int
    floor_s: float
    margin_s: float
    tokens_per_s: float


QUICK: Final = DecodingProfile(beam_size=1, floor_s=10.0, margin_s=2.0, tokens_per_s=8.0)
THOROUGH: Final = DecodingProfile(beam_size=5, floor_s=15.0, margin_s=2.0, tokens_per_s=10.0)

_MIN_TOKENS: Final = 12
_COMPRESSION_LIMIT: Final = 2.4
"""Text that zlib shrinks more than this repeats itself (threshold of Whisper's own decoder)."""
_COMPRESSION_MIN_CHARS: Final = 60
"""zlib's ratio says nothing about short texts: "two, two, two" is no loop."""
_NO_SPEECH_LIMIT: Final = 0.6
_LOG_PROBABILITY_LIMIT: Final = -1.0
"""Both from Whisper's own decoder: silence is likely and the text is unlikely."""


class Recognizer:
    """A loaded Whisper model. `decode` may be called from `workers` threads at once."""

    def __init__(
        self, model: str, *, device: str, compute_type: str, threads: int, workers: int
    ) -> None:
        self._whisper = WhisperModel(
            model,
            device=device,
            compute_type=compute_type,
            cpu_threads=threads,
            num_workers=workers,
        )
        self._model = self._whisper.model

    @property
    def multilingual(self) -> bool:
        return bool(self._model.is_multilingual)

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639 codes of what the model can recognise."""
        return frozenset(self._whisper.supported_languages)

    def decode(self, request: DecodeRequest) -> Hypothesis:
        """Recognise at most `MAX_SECONDS` of audio; anything beyond that is an error."""
        seconds = len(request.audio) / SAMPLE_RATE
        if seconds > MAX_SECONDS:
            raise ValueError(f"{seconds:.1f} s of audio, more than {MAX_SECONDS:.0f} s")
        profile = THOROUGH if request.thorough else QUICK
        mel = self._mel(request.audio)
        wanted = max(profile.floor_s, seconds + profile.margin_s) * SAMPLE_RATE / _HOP
        result = self._attempt(request, profile, mel, min(_FULL_CONTEXT, int(wanted) & ~1))
        if result.looped:
            result = self._attempt(request, profile, mel, _FULL_CONTEXT)
        if not result.tokens or result.silence or result.looped:
            return Hypothesis("", 0.0)
        if not request.thorough:
            return Hypothesis(result.text, result.confidence)
        words = self._align(request, result, mel.shape[1])
        confidence = float(np.mean([w.confidence for w in words])) if words else result.confidence
        return Hypothesis(result.text, confidence, words)

    def warm_up(self) -> None:
        """Decode a second of silence: the first decode of a model is several times slower."""
        silence = np.zeros(SAMPLE_RATE, np.float32)
        language = "en" if "en" in self.languages else min(self.languages)
        for thorough in (False, True):
            self.decode(DecodeRequest(silence, language, thorough))

    def _mel(self, audio: Samples) -> NDArray[np.float32]:
        return np.asarray(self._whisper.feature_extractor(audio, padding=_HOP), np.float32)

    def _attempt(
        self,
        request: DecodeRequest,
        profile: DecodingProfile,
        mel: NDArray[np.float32],
        context: int,
    ) -> _Attempt:
        tokenizer = self._tokenizer(request.language)
        encoded = self._model.encode(ctranslate2.StorageView.from_array(_pad(mel, context)))
        prompt = self._prompt(tokenizer, request)
        seconds = len(request.audio) / SAMPLE_RATE
        limit = max(_MIN_TOKENS, int(seconds * profile.tokens_per_s))
        room = int(self._whisper.max_length) - len(prompt)
        generated = self._model.generate(
            encoded,
            [prompt],
            beam_size=profile.beam_size,
            max_length=len(prompt) + min(limit, room),
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=self._suppressed(request.language),
        )[0]
        tokens = [token for token in generated.sequences_ids[0] if token < tokenizer.eot]
        text = tokenizer.decode(tokens).strip()
        mean_log_probability = generated.scores[0] * len(tokens) / (len(tokens) + 1)
        return _Attempt(
            encoded=encoded,
            tokens=tokens,
            text=text,
            confidence=float(np.exp(min(0.0, generated.scores[0]))),
            silence=generated.no_speech_prob > _NO_SPEECH_LIMIT
            and mean_log_probability < _LOG_PROBABILITY_LIMIT,
            looped=len(tokens) >= limit or _repeats(text),
        )

    def _align(self, request: DecodeRequest, result: _Attempt, frames: int) -> tuple[Word, ...]:
        """Times and confidence per word, from the decoder's cross-attention."""
        [found] = self._whisper.find_alignment(
            self._tokenizer(request.language), [result.tokens], result.encoded, frames
        )
        return _written_words(found, int(len(request.audio) * 1000 / SAMPLE_RATE))

    def _prompt(self, tokenizer: Tokenizer, request: DecodeRequest) -> list[int]:
        bias: list[int] = []
        if request.bias:
            half = int(self._whisper.max_length) // 2 - 1
            bias = [tokenizer.sot_prev, *tokenizer.encode(" " + request.bias)[:half]]
        return [*bias, *tokenizer.sot_sequence, tokenizer.no_timestamps]

    @lru_cache(maxsize=128)  # noqa: B019  one recogniser lives as long as the process
    def _tokenizer(self, language: str) -> Tokenizer:
        return Tokenizer(
            self._whisper.hf_tokenizer, self.multilingual, task="transcribe", language=language
        )

    @lru_cache(maxsize=128)  # noqa: B019
    def _suppressed(self, language: str) -> list[int]:
        return list(get_suppressed_tokens(self._tokenizer(language), [-1]))


@dataclass(frozen=True, slots=True)
class _Attempt:
    encoded: Any
    tokens: list[int]
    text: str
    confidence: float
    silence: bool
    looped: bool


def _pad(mel: NDArray[np.float32], context: int) -> NDArray[np.float32]:
    """(1, mels, context): the spectrogram followed by what digital silence would look like.

    Whisper clamps its log spectrogram to 8 below the maximum and divides by 4, hence the 2.
    """
    padded = np.full((1, mel.shape[0], context), mel.max() - 2.0, np.float32)
    width = min(context, mel.shape[1])
    padded[0, :, :width] = mel[:, :width]
    return padded


def _repeats(text: str) -> bool:
    raw = text.encode()
    return len(raw) >= _COMPRESSION_MIN_CHARS and (
        len(raw) / len(zlib.compress(raw)) > _COMPRESSION_LIMIT
    )


def _written_words(found: list[dict[str, Any]], audio_ms: int) -> tuple[Word, ...]:
    """Alignment pieces joined into words as they are written: split at spaces only."""
    words: list[Word] = []
    for piece in found:
        text = str(piece["word"])
        start = min(audio_ms, int(piece["start"] * 1000))
        end = min(audio_ms, int(piece["end"] * 1000))
        confidence = float(piece["probability"])
        if words and not text.startswith(" "):
            last = words[-1]
            # Punctuation has no sound, and says nothing about how well the word was heard.
            spoken = any(c.isalnum() for c in text)
            words[-1] = Word(
                last.text + text,
                last.start_ms,
                max(last.end_ms, end) if spoken else last.end_ms,
                min(last.confidence, confidence) if spoken else last.confidence,
            )
        elif text.strip():
            words.append(Word(text.strip(), start, end, confidence))
    return tuple(words)
