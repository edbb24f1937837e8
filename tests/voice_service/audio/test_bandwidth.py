"""Microphones that pass the telephone's band only, among those that pass more."""

from __future__ import annotations

import av
import numpy as np
import pytest
import soxr
from numpy.typing import NDArray
from support.recordings import NAMES, recording, silence

from voice_service.audio.bandwidth import FRAME, BandwidthMeter, high_over_middle, is_narrow

NARROW = {"mulaw_8khz", "telephone", "telephone_traffic_15db"}
"""Recordings that were made through a telephone."""
WIDE = [name for name in NAMES if name not in NARROW | {"silence"}]


def by_ffmpeg(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Upsample from 8 kHz as media players do, with a shorter filter."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=16_000)
    frame = av.AudioFrame.from_ndarray(samples[None].astype(np.float32), "flt", "mono")
    frame.sample_rate = 8_000
    parts = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([part.to_ndarray().reshape(-1) for part in parts])


def noticed(samples: NDArray[np.float32], chunk: int = 1_600) -> int:
    """Return how often the meter says that the microphone is narrow."""
    meter = BandwidthMeter()
    return sum(meter.add(samples[i : i + chunk]) for i in range(0, len(samples), chunk))


@pytest.mark.parametrize("name", sorted(NARROW))
def test_a_telephone_is_noticed_once(name: str) -> None:
    """However often it is heard after that."""
    assert noticed(np.tile(recording(name), 2)) == 1


def test_no_other_recording_is_taken_for_one() -> None:
    """Nor are kitchens, engines and quiet voices."""
    wrong = [name for name in WIDE if noticed(np.tile(recording(name)[: 16_000 * 12], 2))]
    assert wrong == []


def test_what_was_upsampled_is_noticed() -> None:
    """Every recording, by either filter."""
    for name in WIDE[::3]:
        half = soxr.resample(np.tile(recording(name)[: 16_000 * 6], 8), 16_000, 8_000)
        for again in (soxr.resample(half, 8_000, 16_000), by_ffmpeg(half)):
            assert noticed(np.asarray(again, np.float32)) == 1, name


def test_silence_and_too_little_sound_say_nothing() -> None:
    """Four seconds of sound are needed, because not every word has a sibilant."""
    assert noticed(silence(20)) == 0
    assert noticed(recording("telephone")[: 16_000 * 3]) == 0
    assert high_over_middle(np.zeros(FRAME, np.float32)) is None


def test_one_sibilant_in_twenty_frames_is_enough() -> None:
    """Most sounds of speech have little above 4 kHz."""
    assert is_narrow([-60.0] * 100)
    assert not is_narrow([-60.0] * 93 + [-10.0] * 7)
