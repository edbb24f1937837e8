"""Samples to text: how long the encoder's window is, when an attempt is believed, and what then.

Decodes that can share a pass through the model do so. Figures and their source:
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
from voice_service.asr.batching import grouped
from voice_service.asr.calibration import RAW, Calibration
from voice_service.asr.hypothesis import DecodeRequest, Hypothesis, Word
from voice_service.asr.repetition import loops
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

    def limit(self, seconds: float) -> int:
        """The most tokens for so many seconds."""
        return max(_MIN_TOKENS, int(seconds * self.tokens_per_s))


QUICK: Final = DecodingProfile(beam_size=1, floor_s=8.0, margin_s=2.0, tokens_per_s=8.0)
THOROUGH: Final = DecodingProfile(beam_size=5, floor_s=15.0, margin_s=2.0, tokens_per_s=10.0)
CAREFUL: Final = DecodingProfile(
    beam_size=5, floor_s=30.0, margin_s=2.0, tokens_per_s=10.0, no_repeat_ngram=5
)
"""For the second attempt, when the first one went round in circles."""

_MIN_TOKENS: Final = 12
_NO_SPEECH_LIMIT: Final = 0.6
_LOG_PROBABILITY_LIMIT: Final = -1.0
"""Both from Whisper's own decoder: silence is likely and the text is unlikely."""


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """A request and what the model is given for it; `window` in mel frames."""

    request: DecodeRequest
    profile: DecodingProfile
    seconds: float
    spectrogram: NDArray[np.float32]
    window: int
    prompt: Tokens

    def shape(self) -> Hashable:
        """Jobs of one shape can share a pass."""
        return self.request.thorough, self.window, len(self.prompt)


@dataclass(frozen=True, slots=True, eq=False)
class _Attempt:
    """What was heard for a job, which is a row of a batch."""

    job: _Job
    encoded: Encoded
    row: int
    tokens: Tokens
    text: str
    confidence: float
    silence: bool
    looped: bool

    @property
    def heard(self) -> bool:
        """Whether there are words to be believed."""
        return bool(self.tokens) and not self.silence and not self.looped


class Recognizer:
    """A model that is ready. `decode` may be called from `whisper.compute.workers` threads at once.

    `cost` is the time, in seconds, that a quick and a thorough decode of a second of silence take
    together when batches are full; on a CPU, processor time. `calibration` is the model's, for
    whoever tells its confidences: here they are the decoder's own probabilities. `languages` are
    those that the model has learnt, if that is known: the tokens of a distilled one name others.
    """

    def __init__(
        self,
        whisper: Whisper,
        calibration: Calibration = RAW,
        languages: Collection[str] | None = None,
    ) -> None:
        self.whisper = whisper
        self.calibration = calibration
        self.languages = whisper.languages if languages is None else frozenset(languages)
        self.quick = QUICK
        self.thorough = THOROUGH
        self.careful: DecodingProfile | None = CAREFUL
        """How what went round in circles is tried again; None believes it."""
        self._batches = whisper.compute.batches
        self._warm_up()
        self.cost = self._warm_up()

    def decode(self, requests: Sequence[DecodeRequest]) -> list[Hypothesis]:
        """What was said in each, at most `MAX_SECONDS` long; anything beyond that is an error.

        Requests of one kind share a pass through the model if their prompts have one length and
        the encoder sees as much of each. What else is in a batch changes no answer but by rounding.
        """
        jobs = [self._job(request) for request in requests]
        answers: dict[_Job, Hypothesis] = {}
        for alike in grouped(jobs, _Job.shape):
            answers.update(zip(alike, self._together(alike), strict=True))
        return [answers[job] for job in jobs]

    def prompt_length(self, language: str, bias: str) -> int:
        """Tokens that the decoder is given before it hears."""
        return len(self.whisper.prompt(language, bias))

    def _warm_up(self) -> float:
        """Decode silence once in each way, since a model's first decode is several times slower."""
        silence = np.zeros(SAMPLE_RATE, np.float32)
        language = "en" if "en" in self.languages else min(self.languages)
        # On a CPU, what else runs while the service starts does not count.
        on_cpu = self.whisper.compute.device == "cpu"
        clock = time.process_time if on_cpu else time.perf_counter
        started = clock()
        for thorough in (False, True):
            self.decode([DecodeRequest(silence, language, thorough)] * self._batches.size)
        return (clock() - started) / self._batches.size

    def _job(self, request: DecodeRequest) -> _Job:
        seconds = len(request.audio) / SAMPLE_RATE
        if seconds > MAX_SECONDS:
            raise ValueError(f"{seconds:.1f} s of audio, more than {MAX_SECONDS:.0f} s")
        profile = self.thorough if request.thorough else self.quick
        window = self._batches.context(max(profile.floor_s, seconds + profile.margin_s))
        return _Job(
            request,
            profile,
            seconds,
            self.whisper.spectrogram(request.audio),
            min(FULL_WINDOW, int(window * SAMPLE_RATE / HOP) & ~1),
            self.whisper.prompt(request.language, request.bias),
        )

    def _together(self, jobs: Sequence[_Job]) -> list[Hypothesis]:
        """The answers to jobs of one shape; those that went round in circles are tried again."""
        attempts = self._attempt(jobs, jobs[0].profile, jobs[0].window)
        again: dict[_Job, _Attempt] = {}
        looped = [attempt.job for attempt in attempts if attempt.looped]
        if looped and self.careful is not None:
            again = {a.job: a for a in self._attempt(looped, self.careful, FULL_WINDOW)}
            attempts = [again.get(attempt.job, attempt) for attempt in attempts]
        words = self._align([a for a in attempts if a.heard and a.job.request.thorough])
        return [
            replace(
                _hypothesis(attempt, words.get(attempt.job, ())),
                repeated=attempt.job in again,
                together=len(jobs),
            )
            for attempt in attempts
        ]

    def _attempt(
        self, jobs: Sequence[_Job], profile: DecodingProfile, window: int
    ) -> list[_Attempt]:
        padded = np.stack([_pad(job.spectrogram, window, profile.padding) for job in jobs])
        rows_apart = len(jobs) > 1 and jobs[0].request.thorough
        encoded = self.whisper.encode(padded, rows_apart=rows_apart)
        choosing = any(job.request.choose is not None for job in jobs)
        generated = self.whisper.generate(
            encoded,
            [job.prompt for job in jobs],
            beam_size=profile.beam_size,
            no_repeat_ngram=profile.no_repeat_ngram,
            limit=max(profile.limit(job.seconds) for job in jobs),
            hypotheses=profile.beam_size if choosing else 1,
        )
        return [
            self._read(job, encoded, row, generated[row], profile.limit(job.seconds))
            for row, job in enumerate(jobs)
        ]

    def _read(
        self, job: _Job, encoded: Encoded, row: int, generated: Generated, limit: int
    ) -> _Attempt:
        """Beside longer audio more may have been written than the `limit` that this has."""
        request = job.request
        texts = [self.whisper.text(request.language, tokens) for tokens in generated.texts]
        best = 0 if request.choose is None else request.choose(texts)
        tokens, text, score = generated.texts[best], texts[best], generated.scores[best]
        mean_log_probability = score * len(tokens) / (len(tokens) + 1)
        return _Attempt(
            job,
            encoded,
            row,
            tokens,
            text,
            confidence=float(np.exp(min(0.0, score))),
            silence=generated.no_speech > _NO_SPEECH_LIMIT
            and mean_log_probability < _LOG_PROBABILITY_LIMIT,
            looped=self.careful is not None and (len(tokens) >= limit or loops(text, job.seconds)),
        )

    def _align(self, attempts: Sequence[_Attempt]) -> dict[_Job, tuple[Word, ...]]:
        """The words of each attempt."""
        words: dict[_Job, tuple[Word, ...]] = {}
        for group in _alignable(attempts):
            aligned = self.whisper.align(
                group[0].encoded,
                [attempt.row for attempt in group],
                group[0].job.prompt,
                [attempt.tokens for attempt in group],
                [attempt.job.spectrogram.shape[1] for attempt in group],
            )
            for attempt, found in zip(group, aligned, strict=True):
                pieces = self.whisper.pieces(attempt.job.request.language, attempt.tokens)
                end_ms = int(len(attempt.job.request.audio) * 1000 / SAMPLE_RATE)
                words[attempt.job] = timed_words(pieces, found, end_ms)
        return words


def _alignable(attempts: Sequence[_Attempt]) -> Iterator[list[_Attempt]]:
    """Those that one call can align: rows of one pass, with one prompt."""
    for group in grouped(attempts, lambda a: (id(a.encoded), a.job.prompt)):
        frames = {attempt.job.spectrogram.shape[1] // 2 for attempt in group}
        lengths = {len(attempt.tokens) for attempt in group}
        if len(frames) == 1 and len(lengths) > 1:
            # Where all have as many frames, CTranslate2 normalises the attention of the shorter
            # texts together with their padding.
            yield from ([attempt] for attempt in group)
        else:
            yield group


def _hypothesis(attempt: _Attempt, words: tuple[Word, ...]) -> Hypothesis:
    if not attempt.heard:
        return Hypothesis("", 0.0)
    confidence = float(np.mean([w.confidence for w in words])) if words else attempt.confidence
    return Hypothesis(attempt.text, confidence, words)


def _pad(spectrogram: NDArray[np.float32], window: int, padding: Padding) -> NDArray[np.float32]:
    """(mels, window): the spectrogram followed by quiet.

    Whisper clamps its log spectrogram to 8 below the maximum and divides by 4, hence the 2.
    """
    padded = np.full((spectrogram.shape[0], window), spectrogram.max() - 2.0, np.float32)
    if padding == "zero":
        padded[:] = 0.0
    width = min(window, spectrogram.shape[1])
    padded[:, :width] = spectrogram[:, :width]
    return padded
