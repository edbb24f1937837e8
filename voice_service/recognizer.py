"""Samples to text with faster-whisper's model, without the 30 s of padding it would add.

Whisper was trained on 30 s windows, and encoding always that much costs most of the time of a short
utterance. CTranslate2 encodes shorter windows, so `encode` and `generate` are called directly, with
as much context as accuracy needs. Figures and their source: docs/measurements.md.

The only module that imports faster_whisper and CTranslate2. Everything here may run on any thread.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Literal

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from voice_service.audio import SAMPLE_RATE, Samples
from voice_service.calibration import RAW, Calibration
from voice_service.hypothesis import DecodeRequest, Hypothesis, Word

_HOP: Final = 160
"""Samples per mel frame."""
_ENCODER_FRAME_MS: Final = 20
"""Length of an encoder frame: two mel frames."""
_FULL_CONTEXT: Final = 3000
"""Mel frames of the 30 s window that Whisper was trained on."""
MAX_SECONDS: Final = _FULL_CONTEXT * _HOP / SAMPLE_RATE
"""The longest audio that one decode can hear."""


Padding = Literal["silence", "ambient", "zero"]


@dataclass(frozen=True, slots=True)
class DecodingProfile:
    """How one kind of decode is done.

    The encoder sees at least `floor_s` seconds and at least `margin_s` more than the audio. At most
    `tokens_per_s` tokens are generated per second of audio (speech rarely passes 6), and no
    `no_repeat_ngram` of them in a row twice (0: guests may repeat themselves).
    """

    beam_size: int
    floor_s: float
    margin_s: float
    tokens_per_s: float
    no_repeat_ngram: int = 0
    padding: Padding = "silence"


QUICK: Final = DecodingProfile(beam_size=1, floor_s=10.0, margin_s=2.0, tokens_per_s=8.0)
THOROUGH: Final = DecodingProfile(beam_size=5, floor_s=15.0, margin_s=2.0, tokens_per_s=10.0)
_CAREFUL: Final = DecodingProfile(
    beam_size=5, floor_s=30.0, margin_s=2.0, tokens_per_s=10.0, no_repeat_ngram=5
)
"""For the second attempt, when the first one went round in circles."""

_MIN_TOKENS: Final = 12
_COMPRESSION_LIMIT: Final = 2.4
"""Text that zlib shrinks more than this repeats itself (threshold of Whisper's own decoder)."""
_COMPRESSION_MIN_CHARS: Final = 60
"""zlib's ratio says nothing about short texts: "two, two, two" is no loop."""
_SENTENCE_WORDS: Final = 7
"""So many words and the same again are a loop, however long the audio is: it may be noise."""
_PHRASE_WORDS: Final = 5
_FASTEST_SPEECH: Final = 4.5
"""Words per second of audio: a guest who says a phrase twice takes twice the time."""
_PUNCTUATION: Final = ".,!?;:"
_NO_SPEECH_LIMIT: Final = 0.6
_LOG_PROBABILITY_LIMIT: Final = -1.0
"""Both from Whisper's own decoder: silence is likely and the text is unlikely."""


class Recognizer:
    """A loaded Whisper model. `decode` may be called from `workers` threads at once.

    `cost` is the processor time, in seconds, that a quick and a thorough decode of a second of
    silence take together. `calibration` says what the probabilities mean that `decode` gives as
    confidences; it is for those who tell them to others.
    """

    def __init__(
        self,
        model: str,
        *,
        device: str,
        compute_type: str,
        threads: int,
        workers: int,
        calibration: Calibration = RAW,
    ) -> None:
        # numpy's BLAS would compute each small spectrogram on all cores, and its idle threads spin:
        # that doubled the processor time of a decode.
        threadpool_limits(1, user_api="blas")
        self._whisper = WhisperModel(
            model,
            device=device,
            compute_type=compute_type,
            cpu_threads=threads,
            num_workers=workers,
        )
        self._model = self._whisper.model
        self.calibration = calibration
        self.quick = QUICK
        self.thorough = THOROUGH
        self._warm_up()
        self.cost = self._warm_up()

    @property
    def multilingual(self) -> bool:
        """Whether the model knows more than one language."""
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
        profile = self.thorough if request.thorough else self.quick
        mel = self._mel(request.audio)
        wanted = max(profile.floor_s, seconds + profile.margin_s) * SAMPLE_RATE / _HOP
        result = self._attempt(request, profile, mel, min(_FULL_CONTEXT, int(wanted) & ~1))
        if result.looped:
            result = self._attempt(request, _CAREFUL, mel, _FULL_CONTEXT)
        if not result.tokens or result.silence or result.looped:
            return Hypothesis("", 0.0)
        if not request.thorough:
            return Hypothesis(result.text, result.confidence)
        words = self._align(request, result, mel.shape[1])
        confidence = float(np.mean([w.confidence for w in words])) if words else result.confidence
        return Hypothesis(result.text, confidence, words)

    def _warm_up(self) -> float:
        """Decode silence once in each way, since a model's first decode is several times slower."""
        silence = np.zeros(SAMPLE_RATE, np.float32)
        language = "en" if "en" in self.languages else min(self.languages)
        # Processor time: what else runs while the service starts does not count.
        started = time.process_time()
        for thorough in (False, True):
            self.decode(DecodeRequest(silence, language, thorough))
        return time.process_time() - started

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
        encoded = self._model.encode(
            ctranslate2.StorageView.from_array(_pad(mel, context, profile.padding))
        )
        seconds = len(request.audio) / SAMPLE_RATE
        limit = max(_MIN_TOKENS, int(seconds * profile.tokens_per_s))
        generated = self._generate(encoded, request, profile, limit)
        found = [[t for t in ids if t < tokenizer.eot] for ids in generated.sequences_ids]
        texts = [tokenizer.decode(tokens).strip() for tokens in found]
        best = 0 if request.choose is None else request.choose(texts)
        tokens, text, score = found[best], texts[best], generated.scores[best]
        mean_log_probability = score * len(tokens) / (len(tokens) + 1)
        return _Attempt(
            encoded=encoded,
            tokens=tokens,
            text=text,
            confidence=float(np.exp(min(0.0, score))),
            silence=generated.no_speech_prob > _NO_SPEECH_LIMIT
            and mean_log_probability < _LOG_PROBABILITY_LIMIT,
            looped=len(tokens) >= limit or loops(text, seconds),
        )

    def _generate(
        self, encoded: Any, request: DecodeRequest, profile: DecodingProfile, limit: int
    ) -> Any:
        """Beam search; all of its hypotheses where one is to be chosen, else the likeliest."""
        tokenizer = self._tokenizer(request.language)
        prompt = [*self._start(tokenizer, request), tokenizer.no_timestamps]
        room = int(self._whisper.max_length) - len(prompt)
        [generated] = self._model.generate(
            encoded,
            [prompt],
            beam_size=profile.beam_size,
            no_repeat_ngram_size=profile.no_repeat_ngram,
            max_length=len(prompt) + min(limit, room),
            num_hypotheses=1 if request.choose is None else profile.beam_size,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=self._suppressed(request.language),
        )
        return generated

    def _align(self, request: DecodeRequest, result: _Attempt, frames: int) -> tuple[Word, ...]:
        """Times and confidence per word, from the decoder's cross-attention and probabilities.

        Like `WhisperModel.find_alignment`, but given the bias as well: without it the decoder is
        less sure of the menu's words than it was when it wrote them.
        """
        tokenizer = self._tokenizer(request.language)
        [found] = self._model.align(
            result.encoded, self._start(tokenizer, request), [result.tokens], frames
        )
        pieces, piece_tokens = tokenizer.split_to_word_tokens([*result.tokens, tokenizer.eot])
        bounds = np.cumsum([0, *(len(tokens) for tokens in piece_tokens)])
        times = _start_times(found.alignments, int(bounds[-1]))
        words: list[Word] = []
        for text, first, last in zip(pieces[:-1], bounds[:-2], bounds[1:-1], strict=True):
            probability = float(np.mean(found.text_token_probs[first:last]))
            _append(words, Word(text, times[first], times[last], probability))
        limit = int(len(request.audio) * 1000 / SAMPLE_RATE)
        return tuple(
            replace(w, start_ms=min(w.start_ms, limit), end_ms=min(w.end_ms, limit)) for w in words
        )

    def _start(self, tokenizer: Tokenizer, request: DecodeRequest) -> list[int]:
        """The decoder's first tokens: the bias, as if it had been said before, and the task."""
        bias: list[int] = []
        if request.bias:
            half = int(self._whisper.max_length) // 2 - 1
            bias = [tokenizer.sot_prev, *tokenizer.encode(" " + request.bias)[:half]]
        return [*bias, *tokenizer.sot_sequence]

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


def _pad(mel: NDArray[np.float32], context: int, padding: Padding) -> NDArray[np.float32]:
    """(1, mels, context): the spectrogram followed by quiet.

    Whisper clamps its log spectrogram to 8 below the maximum and divides by 4, hence the 2.
    """
    padded = np.full((1, mel.shape[0], context), mel.max() - 2.0, np.float32)
    if padding == "ambient":
        padded[0] = np.percentile(mel, 10, axis=1, keepdims=True)
    elif padding == "zero":
        padded[0] = 0.0
    width = min(context, mel.shape[1])
    padded[0, :, :width] = mel[:, :width]
    return padded


def loops(text: str, seconds: float) -> bool:
    """Whether the decoder went round in circles in so many seconds of audio."""
    raw = text.encode()
    if len(raw) >= _COMPRESSION_MIN_CHARS and (
        len(raw) / len(zlib.compress(raw)) > _COMPRESSION_LIMIT
    ):
        return True
    words = [word.strip(_PUNCTUATION).lower() for word in text.split()]
    half, odd = divmod(len(words), 2)
    if not odd and half >= _SENTENCE_WORDS and words[:half] == words[half:]:
        return True
    return len(words) > _FASTEST_SPEECH * seconds and _says_again(words)


def _says_again(words: list[str]) -> bool:
    """Whether a phrase is followed by itself; once more is too little for zlib to notice."""
    return any(
        words[at : at + length] == words[at + length : at + 2 * length]
        for length in range(_PHRASE_WORDS, len(words) // 2 + 1)
        for at in range(len(words) - 2 * length + 1)
    )


def _start_times(alignments: list[tuple[int, int]], tokens: int) -> list[int]:
    """For each token, the millisecond at which the alignment path first reaches it.

    The path is a list of (token, encoder frame) steps; tokens it ends before get its last frame.
    """
    first: dict[int, int] = {}
    for token, frame in alignments:
        first.setdefault(token, frame)
    last = alignments[-1][1] if alignments else 0
    return [first.get(token, last) * _ENCODER_FRAME_MS for token in range(tokens + 1)]


def _append(words: list[Word], piece: Word) -> None:
    """Add a piece of text to words as they are written: split at spaces only."""
    if words and not piece.text.startswith(" "):
        before = words[-1]
        # Punctuation has no sound, and says nothing about how well the word was heard.
        spoken = any(c.isalnum() for c in piece.text)
        words[-1] = replace(
            before,
            text=before.text + piece.text,
            end_ms=piece.end_ms if spoken else before.end_ms,
            confidence=min(before.confidence, piece.confidence) if spoken else before.confidence,
        )
    elif piece.text.strip():
        words.append(replace(piece, text=piece.text.strip()))
