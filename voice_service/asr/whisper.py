"""Run faster-whisper's model step by step, in batches, without padding audio to 30 s.

Whisper was trained on 30 s windows. Always encoding that much would take most of the time of a
short utterance. CTranslate2 can encode shorter windows, so its `encode`, `generate` and `align` are
called directly.

This is the only module that imports faster_whisper and CTranslate2. Everything here may run on any
thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import ctranslate2
import numpy as np
from faster_whisper import WhisperModel
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import get_suppressed_tokens
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from voice_service.asr.alignment import Aligned
from voice_service.asr.compute import Compute, Device, DeviceChoice, NoSuchDevice
from voice_service.audio.formats import SAMPLE_RATE, Samples

HOP: Final = 160
"""Samples per mel frame."""
FULL_WINDOW: Final = 3000
"""Mel frames of the 30 s window that Whisper was trained on."""
MAX_SECONDS: Final = FULL_WINDOW * HOP / SAMPLE_RATE
"""The longest audio that one decode can hear."""

Tokens = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Generated:
    """The decoder's output for one row: texts as tokens, most likely first, with their mean log
    probabilities, and the probability that nobody spoke.
    """

    texts: list[Tokens]
    scores: list[float]
    no_speech: float


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """The encoder's output for a batch, (rows, frames, width), in CTranslate2's storage."""

    storage: Any


class Whisper:
    """A model in memory. Raises NoSuchDevice, and whatever CTranslate2 raises."""

    def __init__(self, model: str, compute: Compute) -> None:
        _check(compute)
        # numpy's BLAS would use all cores for each small spectrogram, and its idle threads spin,
        # which doubled the processor time of a decode.
        threadpool_limits(1, user_api="blas")
        self.compute = compute
        self._whisper = WhisperModel(
            model,
            device=compute.device,
            device_index=list(compute.devices),
            compute_type=compute.numbers,
            cpu_threads=compute.threads,
            num_workers=compute.workers_per_device,
        )
        self.model = self._whisper.model
        self._marks = self._tokenizer(min(self.languages))
        self._suppressed = list(get_suppressed_tokens(self._marks, [-1]))

    @property
    def multilingual(self) -> bool:
        """Return whether the model knows more than one language."""
        return bool(self.model.is_multilingual)

    @property
    def languages(self) -> frozenset[str]:
        """Return the ISO 639 codes of the languages that the model has tokens for."""
        return frozenset(self._whisper.supported_languages)

    @lru_cache(maxsize=1024)  # noqa: B019  one model lives as long as the process
    def prompt(self, language: str, bias: str) -> Tokens:
        """Return the decoder's first tokens: the bias as if spoken earlier, and the task.

        Where prompts are limited to few lengths, the space before the bias is filled with its own
        end: Whisper is used to texts that begin in the middle.
        """
        tokenizer = self._tokenizer(language)
        if not bias:
            return tuple(tokenizer.sot_sequence)
        half = int(self._whisper.max_length) // 2 - 1
        said = tokenizer.encode(" " + bias)[:half]
        size = min(half, self.compute.batches.prompt(len(said)))
        filled = (said * -(-size // len(said)))[-size:]
        return (tokenizer.sot_prev, *filled, *tokenizer.sot_sequence)

    def spectrogram(self, audio: Samples) -> NDArray[np.float32]:
        """Return the (mels, frames) spectrogram of audio and one frame of padding."""
        return np.asarray(self._whisper.feature_extractor(audio, padding=HOP), np.float32)

    def encode(self, spectrograms: NDArray[np.float32], *, rows_apart: bool) -> Encoded:
        """Encode (rows, mels, frames). Set `rows_apart` if rows of the result will be selected."""
        # Rows cannot be selected in a GPU's memory, nor can another GPU continue from there.
        to_cpu = self.compute.device == "cuda" and (rows_apart or len(self.compute.devices) > 1)
        storage = ctranslate2.StorageView.from_array(spectrograms)
        return Encoded(self.model.encode(storage, to_cpu=to_cpu))

    def language_probabilities(self, encoded: Encoded) -> list[dict[str, float]]:
        """Return, per row, the probability of each language that the model knows."""
        rows = self.model.detect_language(encoded.storage)
        return [{token.strip("<|>"): share for token, share in row} for row in rows]

    def generate(
        self,
        encoded: Encoded,
        prompts: Sequence[Tokens],
        *,
        beam_size: int,
        no_repeat_ngram: int,
        limit: int,
        hypotheses: int,
    ) -> list[Generated]:
        """Generate about `limit` tokens per row at most. All prompts must have the same length."""
        length = len(prompts[0]) + 1
        limit = min(limit, int(self._whisper.max_length) - length)
        results = self.model.generate(
            encoded.storage,
            [[*prompt, self._marks.no_timestamps] for prompt in prompts],
            beam_size=beam_size,
            no_repeat_ngram_size=no_repeat_ngram,
            # CTranslate2 counts the prompt, and lets at most half of the length be text.
            max_length=max(length + limit, 2 * limit + 2),
            num_hypotheses=hypotheses,
            return_scores=True,
            return_no_speech_prob=True,
            suppress_tokens=self._suppressed,
        )
        return [
            Generated(
                [tuple(t for t in ids if t < self._marks.eot) for ids in result.sequences_ids],
                result.scores,
                result.no_speech_prob,
            )
            for result in results
        ]

    def align(
        self,
        encoded: Encoded,
        rows: Sequence[int],
        prompt: Tokens,
        texts: Sequence[Tokens],
        frames: Sequence[int],
    ) -> list[Aligned]:
        """Return, per row, where in its `frames` mel frames each token is, and its probability.

        Like `WhisperModel.find_alignment`, but with the bias in the prompt: without it the decoder
        is less sure of the menu's words than when it wrote them.
        """
        found = self.model.align(
            _select(encoded.storage, rows), list(prompt), [list(t) for t in texts], list(frames)
        )
        return [Aligned(one.alignments, one.text_token_probs) for one in found]

    def text(self, language: str, tokens: Tokens) -> str:
        """Return the text of `tokens`."""
        return str(self._tokenizer(language).decode(list(tokens))).strip()

    def pieces(self, language: str, tokens: Tokens) -> list[tuple[str, int]]:
        """Return the pieces of text that words are made of, each with its number of tokens."""
        tokenizer = self._tokenizer(language)
        # The end token closes the last piece.
        texts, ids = tokenizer.split_to_word_tokens([*tokens, tokenizer.eot])
        return [(text, len(own)) for text, own in zip(texts, ids, strict=True)][:-1]

    @lru_cache(maxsize=128)  # noqa: B019
    def _tokenizer(self, language: str) -> Tokenizer:
        return Tokenizer(
            self._whisper.hf_tokenizer, self.multilingual, task="transcribe", language=language
        )


def resolve_device(device: DeviceChoice) -> Device:
    """Return the device that a choice stands for: `auto` is a GPU if there is one."""
    if device == "auto":
        return "cuda" if ctranslate2.get_cuda_device_count() else "cpu"
    return device


def _check(compute: Compute) -> None:
    if compute.device == "cuda":
        count = ctranslate2.get_cuda_device_count()
        if missing := sorted(index for index in compute.devices if index >= count):
            raise NoSuchDevice(f"there is no GPU {missing[0]}, {count} were found; see nvidia-smi")
    for index in compute.devices:
        able = ctranslate2.get_supported_compute_types(compute.device, index)
        if compute.numbers not in {"default", "auto", *able}:
            name = f"GPU {index}" if compute.device == "cuda" else "this CPU"
            raise NoSuchDevice(f"{name} computes in {', '.join(sorted(able))}")


def _select(storage: Any, rows: Sequence[int]) -> Any:
    """Return some rows of an encoder's output, which must be on the host unless all are taken."""
    if list(rows) == list(range(storage.shape[0])):
        return storage
    host = np.asarray(storage.to(ctranslate2.DataType.float32))
    return ctranslate2.StorageView.from_array(np.ascontiguousarray(host[list(rows)]))
