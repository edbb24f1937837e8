"""Decode audio from the wire to 16 kHz mono samples, and cut samples into equal frames."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
import soxr
from numpy.typing import NDArray

from voice_service.audio.encodings import PcmEncoding
from voice_service.audio.plausibility import DeclarationCheck
from voice_service.audio.readings import READINGS
from voice_service.audio.signatures import mismatch

SAMPLE_RATE: Final = 16_000
"""Samples per second of all audio after this module: what Whisper and Silero were trained on."""

Samples = NDArray[np.float32]
"""Mono samples at `SAMPLE_RATE`, -1 to 1."""


class AudioError(ValueError):
    """Audio cannot be used. The message says why and may be shown to the client."""


class WrongDeclaration(AudioError):
    """The audio is not what it was declared to be. The message says what to declare."""


@dataclass(frozen=True, slots=True)
class AudioFormat:
    """How a client encodes its samples. `sample_rate` is in Hz."""

    encoding: PcmEncoding = "pcm_s16le"
    sample_rate: int = SAMPLE_RATE
    channels: int = 1


class AudioDecoder(Protocol):
    """Turns one session's payloads into samples. Stateful: payloads must come in order.

    `in_place_of_lost` tells the client what `bridge` puts in place of lost payloads.
    """

    in_place_of_lost: str

    @property
    def declared(self) -> Mapping[str, str | int]:
        """Return the `audio` of `voice:started`: how payloads are read."""

    def check_first(self, payload: bytes) -> None:
        """Raise WrongDeclaration if the first payload of a stream is something else."""

    def check(self, payload: bytes) -> None:
        """Raise AudioError if the payload cannot be right, before it is put in order."""

    def duration(self, payload: bytes) -> float:
        """Return the most seconds of audio a payload can hold; it need not be the next one."""

    def room(self, size: int) -> str:
        """Return how much audio fits into `size` bytes, such as "1.5 s of pcm_s16le"."""

    def decode(self, payload: bytes) -> Samples:
        """Return the samples that this payload completes, which may not be exactly its own."""

    def bridge(self, missing: int) -> Samples:
        """Return what takes the place of `missing` lost payloads: silence, or nothing."""

    def flush(self) -> Samples:
        """Return the remaining samples; nothing may be decoded afterwards."""

    def close(self) -> None:
        """Free what the decoder holds. May be called at any time, and repeatedly."""


def decode_base64(text: str) -> bytes:
    """Decode strict base64. Raises AudioError, also for an empty payload."""
    try:
        payload = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AudioError("audio is not valid base64") from error
    if not payload:
        raise AudioError("audio is empty")
    return payload


_ENVELOPE_BYTES: Final = 512
"""Of a message, for what stands around its audio."""


def encoded_bytes(message_bytes: int) -> int:
    """Return the most bytes of audio that fit into a message of this size as base64."""
    return max(0, message_bytes - _ENVELOPE_BYTES) // 4 * 3


_LONGEST_BRIDGE_S: Final = 60
"""Most seconds of silence that replace one gap: its length is a number that the client sends."""


class PcmDecoder:
    """A decoder of uncompressed and G.711 audio at 8 to 48 kHz; channels are averaged."""

    in_place_of_lost = "silence takes its place"

    def __init__(self, audio_format: AudioFormat) -> None:
        self._encoding = audio_format.encoding
        self._reading = READINGS[audio_format.encoding]
        self._width = self._reading.width
        self._channels = audio_format.channels
        self._rate = audio_format.sample_rate
        self._bytes_per_second = self._width * self._channels * self._rate
        self._check = DeclarationCheck(audio_format.encoding, audio_format.channels)
        self._last_length = 0
        self._lost_at_first = 0
        self._resampler = (
            None
            if self._rate == SAMPLE_RATE
            else soxr.ResampleStream(self._rate, SAMPLE_RATE, 1, dtype="float32")
        )

    @property
    def declared(self) -> Mapping[str, str | int]:
        return {
            "encoding": self._encoding,
            "sample_rate": self._rate,
            "channels": self._channels,
        }

    def check_first(self, payload: bytes) -> None:
        wrong = mismatch(self._encoding, payload)
        if wrong is not None:
            raise WrongDeclaration(wrong)

    def check(self, payload: bytes) -> None:
        block = self._width * self._channels
        if len(payload) % block:
            raise AudioError(
                f"audio is {len(payload)} bytes long, which is not a multiple of {block}: "
                f"{self._width} bytes per sample, {self._channels} channel(s)"
            )
        if self._encoding == "pcm_f32le" and not np.isfinite(np.frombuffer(payload, "<f4")).all():
            raise AudioError(
                "audio contains samples that are not finite numbers; if they are 16-bit integers, "
                "declare pcm_s16le"
            )

    def duration(self, payload: bytes) -> float:
        return len(payload) / self._bytes_per_second

    def room(self, size: int) -> str:
        tenths = size * 10 // self._bytes_per_second
        return f"{tenths / 10} s of {self._encoding} at {self._rate} Hz"

    def decode(self, payload: bytes) -> Samples:
        wrong = self._check.add(payload)
        if wrong is not None:
            raise WrongDeclaration(f"{wrong}; start a new session")
        samples = np.clip(self._reading.samples(payload), -1.0, 1.0)
        if self._channels > 1:
            samples = samples.reshape(-1, self._channels).mean(axis=1, dtype=np.float32)
        self._last_length = len(samples)
        if self._lost_at_first:
            samples = np.concatenate([self._silence(self._lost_at_first), samples])
            self._lost_at_first = 0
        return self._resample(samples)

    def bridge(self, missing: int) -> Samples:
        if not self._last_length:
            # Take them to be as long as the first payload that arrives.
            self._lost_at_first = missing
        return self._resample(self._silence(missing))

    def _silence(self, missing: int) -> Samples:
        length = min(missing * self._last_length, _LONGEST_BRIDGE_S * self._rate)
        return np.zeros(length, np.float32)

    def flush(self) -> Samples:
        return self._resample(np.zeros(0, np.float32), last=True)

    def close(self) -> None:
        self._resampler = None

    def _resample(self, samples: Samples, *, last: bool = False) -> Samples:
        if self._resampler is None:
            return samples
        return np.asarray(self._resampler.resample_chunk(samples, last=last), np.float32)


class Framer:
    """Cuts a stream of samples into frames of `length` samples, losing none."""

    def __init__(self, length: int) -> None:
        self._length = length
        self._rest: Samples = np.zeros(0, np.float32)

    def push(self, samples: Samples) -> list[Samples]:
        """Return the frames that are complete now."""
        data = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        whole = len(data) - len(data) % self._length
        self._rest = data[whole:].copy()
        return [data[i : i + self._length] for i in range(0, whole, self._length)]

    def flush(self) -> list[Samples]:
        """Return the last frame, filled up with silence; none if nothing is left."""
        if not len(self._rest):
            return []
        frame = np.zeros(self._length, np.float32)
        frame[: len(self._rest)] = self._rest
        self._rest = np.zeros(0, np.float32)
        return [frame]
