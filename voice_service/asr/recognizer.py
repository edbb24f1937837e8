"""Turn samples into text: choose the encoder's window, judge each attempt, retry what is doubtful.

Requests that can share a pass through the model do so. Figures and their source:
docs/measurements/recognition.md. Everything here may run on any thread.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from voice_service.asr.alignment import timed_words
from voice_service.asr.batching import group_by
from voice_service.asr.calibration import RAW, Calibration
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis, Retry, Word
from voice_service.asr.language_choice import choose_language
from voice_service.asr.repetition import doubtful, loops, too_fast
from voice_service.asr.whisper import (
    FULL_WINDOW,
    HOP,
    MAX_SECONDS,
    Encoded,
    Generated,
    Tokens,
    Whisper,
)
from voice_service.audio.formats import SAMPLE_RATE

Padding = Literal["silence", "zero"]


@dataclass(frozen=True, slots=True)
class DecodingProfile:
    """How one kind of decode is done.

    The encoder sees at least `floor_s` seconds, and at least `margin_s` more than the audio. At
    most `tokens_per_s` tokens are generated per second of audio (speech rarely exceeds 6), and no
    sequence of `no_repeat_ngram` tokens twice (0: guests may repeat themselves).
    """

    beam_size: int
    floor_s: float
    margin_s: float
    tokens_per_s: float
    no_repeat_ngram: int = 0
    padding: Padding = "silence"

    def limit(self, seconds: float) -> int:
        """Return the most tokens that may be generated for `seconds` of audio."""
        return max(_MIN_TOKENS, int(seconds * self.tokens_per_s))


QUICK: Final = DecodingProfile(beam_size=1, floor_s=8.0, margin_s=2.0, tokens_per_s=8.0)
THOROUGH: Final = DecodingProfile(beam_size=5, floor_s=15.0, margin_s=2.0, tokens_per_s=10.0)
CAREFUL: Final = DecodingProfile(
    beam_size=5, floor_s=30.0, margin_s=2.0, tokens_per_s=10.0, no_repeat_ngram=5
)
"""For another attempt, when the last one looped."""

_MIN_TOKENS: Final = 12
_NO_SPEECH_LIMIT: Final = 0.6
_LOG_PROBABILITY_LIMIT: Final = -1.0
"""Both from Whisper's own decoder: silence is likely, and the text is unlikely."""


@dataclass(frozen=True, slots=True, eq=False)
class _PreparedRequest:
    """A request with the model's input for it; `window` is in mel frames."""

    request: DecodeRequest
    profile: DecodingProfile
    seconds: float
    spectrogram: NDArray[np.float32]
    window: int
    language: str
    prompt: Tokens

    def shape(self) -> Hashable:
        """Return a key; requests with the same key can share a pass."""
        return self.request.thorough, self.window, len(self.prompt)

    @property
    def speech_s(self) -> float:
        """Return how long somebody may have spoken, in seconds."""
        spoken = self.request.speech_s
        return self.seconds if spoken is None else spoken


@dataclass(frozen=True, slots=True, eq=False)
class _Attempt:
    """The result for one request, which is row `row` of a batch."""

    prepared: _PreparedRequest
    encoded: Encoded
    row: int
    tokens: Tokens
    text: str
    confidence: float
    agreement: float
    silence: bool
    looped: bool

    @property
    def heard(self) -> bool:
        """Return whether there are words that can be trusted."""
        return bool(self.tokens) and not self.silence and not self.looped

    @property
    def doubtful(self) -> bool:
        """Return whether a full window may hear something else: shorter ones add words."""
        if self.prepared.window == FULL_WINDOW:
            return False
        return self.looped or doubtful(self.text, self.prepared.speech_s)

    @property
    def made_up(self) -> bool:
        """Return whether there are words of the bias that nobody can have said."""
        prepared = self.prepared
        return bool(prepared.request.bias) and too_fast(self.text, prepared.speech_s)


class Recognizer:
    """A loaded model. `decode` may be called from `compute.workers` threads at once.

    `quick_cost` and `thorough_cost` are the times, in seconds, that these decodes of one second of
    silence take in full batches (on a CPU, processor time). `calibration` belongs to the model and
    goes with each answer, whose confidences are the decoder's own probabilities.
    `languages` are the ones the model has been trained on, where that is known: a distilled model
    has tokens for others, too.
    """

    def __init__(
        self,
        whisper: Whisper,
        calibration: Calibration = RAW,
        languages: Collection[str] | None = None,
    ) -> None:
        self.whisper = whisper
        self.compute = whisper.compute
        self.calibration = calibration
        self.languages = whisper.languages if languages is None else frozenset(languages)
        self.quick = QUICK
        self.thorough = THOROUGH
        self.careful: DecodingProfile | None = CAREFUL
        """The profile of another attempt after a loop; None accepts all first attempts."""
        self._batches = whisper.compute.batches
        # A model's first decode is several times slower than the next ones.
        for _ in range(2):
            self.quick_cost, self.thorough_cost = (self._cost(kind) for kind in (False, True))

    @property
    def cost(self) -> float:
        """Return the seconds that a quick and a thorough decode of a second of silence take."""
        return self.quick_cost + self.thorough_cost

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """Return what was said in each request; raise ValueError if one exceeds `MAX_SECONDS`.

        Requests of one kind share a pass through the model if their prompts and their encoder
        windows have the same length. The rest of a batch affects an answer only by rounding.
        """
        prepared_requests = [self._prepare(request) for request in requests]
        answers: dict[_PreparedRequest, Hypothesis] = {}
        for batch in group_by(prepared_requests, _PreparedRequest.shape):
            answers.update(zip(batch, self._decode_batch(batch), strict=True))
        return [answers[prepared] for prepared in prepared_requests]

    def prompt_length(self, language: str, bias: str) -> int:
        """Return how many tokens the decoder is given before the text."""
        return len(self.whisper.prompt(language.partition(",")[0], bias))

    def _cost(self, thorough: bool) -> float:
        """Decode silence, and return the seconds it took per request."""
        silence = np.zeros(SAMPLE_RATE, np.float32)
        language = "en" if "en" in self.languages else min(self.languages)
        # On a CPU, other work while the service starts must not count.
        on_cpu = self.whisper.compute.device == "cpu"
        clock = time.process_time if on_cpu else time.perf_counter
        started = clock()
        self.decode([DecodeRequest(silence, language, thorough)] * self._batches.size)
        return (clock() - started) / self._batches.size

    def _prepare(self, request: DecodeRequest) -> _PreparedRequest:
        seconds = len(request.audio) / SAMPLE_RATE
        if seconds > MAX_SECONDS:
            raise ValueError(f"{seconds:.1f} s of audio, more than {MAX_SECONDS:.0f} s")
        profile = self.thorough if request.thorough else self.quick
        window = self._batches.context(max(profile.floor_s, seconds + profile.margin_s))
        spectrogram = self.whisper.spectrogram(request.audio)
        frames = min(FULL_WINDOW, int(window * SAMPLE_RATE / HOP) & ~1)
        language = self._language(request, spectrogram, frames)
        return _PreparedRequest(
            request,
            profile,
            seconds,
            spectrogram,
            frames,
            language,
            self.whisper.prompt(language, request.bias_in(language)),
        )

    def _language(
        self, request: DecodeRequest, spectrogram: NDArray[np.float32], window: int
    ) -> str:
        """Return the language that is spoken, of those that are possible.

        This takes an encoding of its own, because the prompt depends on it.
        """
        candidates = request.language.split(",")
        if len(candidates) == 1:
            return request.language
        padded = _pad(spectrogram, window, "silence")
        encoded = self.whisper.encode(padded[np.newaxis], rows_apart=False)
        [probabilities] = self.whisper.language_probabilities(encoded)
        return choose_language(candidates, probabilities)

    def _decode_batch(self, batch: Sequence[_PreparedRequest]) -> list[Hypothesis]:
        """Decode requests of one shape in one pass; those that cannot be trusted get others."""
        attempts = self._attempt(batch)
        retries: list[tuple[Retry, ...]] = [()] * len(batch)
        for why in Retry if self.careful is not None else ():
            rows = [row for row, attempt in enumerate(attempts) if _needs(why, attempt)]
            again = [self._changed(why, attempts[row].prepared) for row in rows]
            for row, attempt in zip(rows, self._attempt(again) if again else (), strict=True):
                attempts[row] = attempt
                retries[row] = (*retries[row], why)
        words = self._align([a for a in attempts if a.heard and a.prepared.request.thorough])
        return [
            replace(
                _hypothesis(attempt, words.get(attempt.prepared, ())),
                retries=why,
                batch_size=len(batch),
                calibration=self.calibration,
            )
            for attempt, why in zip(attempts, retries, strict=True)
        ]

    def _changed(self, why: Retry, prepared: _PreparedRequest) -> _PreparedRequest:
        """Return a request as it is to be decoded once more."""
        prepared = replace(prepared, window=FULL_WINDOW)
        if why is Retry.DOUBT or self.careful is None:
            return prepared
        if why is Retry.LOOP:
            return replace(prepared, profile=self.careful)
        unprompted = self.whisper.prompt(prepared.language, "")
        return replace(prepared, profile=self.careful, prompt=unprompted)

    def _attempt(self, batch: Sequence[_PreparedRequest]) -> list[_Attempt]:
        """Decode requests of one shape, all of one profile, in one pass."""
        profile, window = batch[0].profile, batch[0].window
        padded = np.stack(
            [_pad(prepared.spectrogram, window, profile.padding) for prepared in batch]
        )
        rows_apart = len(batch) > 1 and batch[0].request.thorough
        encoded = self.whisper.encode(padded, rows_apart=rows_apart)
        choosing = any(prepared.request.choose is not None for prepared in batch)
        generated = self.whisper.generate(
            encoded,
            [prepared.prompt for prepared in batch],
            beam_size=profile.beam_size,
            no_repeat_ngram=profile.no_repeat_ngram,
            limit=max(profile.limit(prepared.seconds) for prepared in batch),
            hypotheses=profile.beam_size if choosing else 1,
        )
        return [
            self._read(prepared, encoded, row, generated[row], profile.limit(prepared.seconds))
            for row, prepared in enumerate(batch)
        ]

    def _read(
        self,
        prepared: _PreparedRequest,
        encoded: Encoded,
        row: int,
        generated: Generated,
        limit: int,
    ) -> _Attempt:
        """Read one row. `limit` is its own: in a pass with longer audio, it may exceed that."""
        request = prepared.request
        texts = [self.whisper.text(prepared.language, tokens) for tokens in generated.texts]
        best, agreement = 0, 1.0
        if request.choose is not None:
            best, agreement = request.choose(texts, _shares(generated))
        tokens, text, score = generated.texts[best], texts[best], generated.scores[best]
        mean_log_probability = score * len(tokens) / (len(tokens) + 1)
        return _Attempt(
            prepared,
            encoded,
            row,
            tokens,
            text,
            confidence=float(np.exp(min(0.0, score))),
            agreement=agreement,
            silence=generated.no_speech > _NO_SPEECH_LIMIT
            and mean_log_probability < _LOG_PROBABILITY_LIMIT,
            looped=self.careful is not None
            and (len(tokens) >= limit or loops(text, prepared.seconds)),
        )

    def _align(self, attempts: Sequence[_Attempt]) -> dict[_PreparedRequest, tuple[Word, ...]]:
        """Return the timed words of each attempt's request."""
        words: dict[_PreparedRequest, tuple[Word, ...]] = {}
        for group in _alignable(attempts):
            aligned = self.whisper.align(
                group[0].encoded,
                [attempt.row for attempt in group],
                group[0].prepared.prompt,
                [attempt.tokens for attempt in group],
                [attempt.prepared.spectrogram.shape[1] for attempt in group],
            )
            for attempt, found in zip(group, aligned, strict=True):
                pieces = self.whisper.pieces(attempt.prepared.language, attempt.tokens)
                end_ms = int(len(attempt.prepared.request.audio) * 1000 / SAMPLE_RATE)
                words[attempt.prepared] = timed_words(pieces, found, end_ms)
        return words


def _needs(why: Retry, attempt: _Attempt) -> bool:
    """Return whether an attempt cannot be trusted for this reason."""
    if why is Retry.DOUBT:
        return attempt.doubtful
    return attempt.looped if why is Retry.LOOP else attempt.made_up


def _alignable(attempts: Sequence[_Attempt]) -> Iterator[list[_Attempt]]:
    """Yield groups that one call can align: rows of one pass, with one prompt."""
    for group in group_by(attempts, lambda a: (id(a.encoded), a.prepared.prompt)):
        frames = {attempt.prepared.spectrogram.shape[1] // 2 for attempt in group}
        lengths = {len(attempt.tokens) for attempt in group}
        if len(frames) == 1 and len(lengths) > 1:
            # If all rows have the same number of frames, CTranslate2 normalises the attention of
            # the shorter texts together with their padding.
            yield from ([attempt] for attempt in group)
        else:
            yield group


def _hypothesis(attempt: _Attempt, words: tuple[Word, ...]) -> Hypothesis:
    if not attempt.heard:
        return Hypothesis("", 0.0)
    confidence = float(np.mean([w.confidence for w in words])) if words else attempt.confidence
    return Hypothesis(
        attempt.text,
        confidence,
        words,
        language=attempt.prepared.language,
        agreement=attempt.agreement,
    )


def _shares(generated: Generated) -> list[float]:
    """Return how likely each of the texts is if it is one of them."""
    scores = zip(generated.texts, generated.scores, strict=True)
    # A score is the sum of the log probabilities, divided by the number of tokens.
    totals = np.array([score * len(tokens) for tokens, score in scores])
    likely = np.exp(totals - totals.max())
    return [float(share) for share in likely / likely.sum()]


def _pad(spectrogram: NDArray[np.float32], window: int, padding: Padding) -> NDArray[np.float32]:
    """Return the spectrogram, padded with quiet to (mels, window).

    Whisper clamps its log spectrogram to 8 below the maximum and divides by 4, hence the 2.
    """
    padded = np.full((spectrogram.shape[0], window), spectrogram.max() - 2.0, np.float32)
    if padding == "zero":
        padded[:] = 0.0
    width = min(window, spectrogram.shape[1])
    padded[:, :width] = spectrogram[:, :width]
    return padded
