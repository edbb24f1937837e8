"""Samples in an encoding other than the declared one."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
import soxr
from numpy.typing import NDArray
from support.recordings import NAMES, recording

from voice_service.audio.plausibility import DeclarationCheck

SUBTYPES = {"pcm_s16le": "PCM_16", "pcm_f32le": "FLOAT", "mulaw": "ULAW", "alaw": "ALAW"}
MIXED_UP = [
    (actual, declared)
    for actual in (*SUBTYPES, "big-endian")
    for declared in SUBTYPES
    # Both laws of G.711 give sound; which one it is nobody can tell from a second.
    if actual != declared and {actual, declared} != {"mulaw", "alaw"}
]


def encode(samples: NDArray[np.float32], encoding: str) -> bytes:
    out = io.BytesIO()
    endian = "BIG" if encoding == "big-endian" else "LITTLE"
    subtype = SUBTYPES.get(encoding, "PCM_16")
    soundfile.write(out, samples, 16_000, subtype=subtype, format="RAW", endian=endian)
    return out.getvalue()


def verdict(data: bytes, declared: str, chunk: int = 640, channels: int = 1) -> str | None:
    check = DeclarationCheck(declared, channels)
    found: str | None = None
    for at in range(0, len(data), chunk):
        found = found or check.add(data[at : at + chunk])
    return found


@pytest.mark.parametrize(("actual", "declared"), MIXED_UP)
@pytest.mark.parametrize("rate", [8_000, 16_000])
def test_another_encoding_is_recognised_by_the_first_words(
    actual: str, declared: str, rate: int
) -> None:
    """With the name to declare; a telephone's bytes declared as nothing are such a case."""
    speech = np.asarray(soxr.resample(recording("demo"), 16_000, rate), np.float32)
    found = verdict(encode(speech, actual), declared)
    assert found is not None
    assert found.startswith(f"audio is {actual}, not {declared}; ")


@pytest.mark.parametrize("encoding", SUBTYPES)
@pytest.mark.parametrize("gain", [1.0, 60.0])
def test_what_was_declared_is_never_taken_for_another(encoding: str, gain: float) -> None:
    """Recordings of the fixtures, as they are or clipped, at either rate."""
    for name in NAMES[::2]:
        samples = np.clip(gain * recording(name)[: 16_000 * 6], -1, 1)
        assert verdict(encode(samples, encoding), encoding, 4_096) is None, name
        half = np.asarray(soxr.resample(samples, 16_000, 8_000), np.float32)
        assert verdict(encode(half, encoding), encoding, 4_096) is None, name


@pytest.mark.parametrize("encoding", SUBTYPES)
def test_noise_and_silence_say_nothing(encoding: str) -> None:
    """They are alike however they are read."""
    noise = np.random.default_rng(1).uniform(-1, 1, 64_000).astype(np.float32)
    for samples in (noise, 0.001 * noise, np.zeros(64_000, np.float32)):
        data = encode(samples, encoding)
        for declared in SUBTYPES:
            found = verdict(data, declared)
            assert found is None or encoding in found


@pytest.mark.parametrize("encoding", SUBTYPES)
@pytest.mark.parametrize("hertz", [50, 440, 1_000, 2_100, 5_000, 7_500, 7_900])
def test_tones_are_what_they_were_declared_to_be(encoding: str, hertz: int) -> None:
    """Neighbouring samples of a high one are opposites, not unlike each other."""
    tone = np.sin(2 * np.pi * hertz * np.arange(32_000) / 16_000).astype(np.float32)
    for samples in (tone, 0.01 * tone, np.sign(tone)):
        assert verdict(encode(samples, encoding), encoding) is None


def test_channels_are_compared_with_themselves() -> None:
    """Left and right may have nothing in common."""
    noise = np.random.default_rng(1).uniform(-1, 1, 48_000).astype(np.float32)
    stereo = np.stack([recording("demo")[:48_000], 0.1 * noise], axis=1)
    assert verdict(encode(stereo, "pcm_s16le"), "pcm_s16le", channels=2) is None
    assert verdict(encode(stereo, "mulaw"), "pcm_s16le", channels=2) is not None


def test_after_some_seconds_the_declaration_is_trusted() -> None:
    """The check costs nothing for the rest of the session."""
    check = DeclarationCheck("pcm_s16le", 1)
    assert check.add(encode(recording("three_minutes")[: 16_000 * 12], "pcm_s16le")) is None
    assert check.add(encode(recording("demo"), "pcm_f32le")) is None
