"""Read recordings from files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import soxr

from voice_service.audio.formats import SAMPLE_RATE, AudioError, Samples


def demo_recording() -> Path:
    """Return the recorded order that belongs to the service, from the checkout or the wheel.

    Its description is beside it, as JSON.
    """
    package = Path(__file__).parents[1]
    for folder in (package.parent / "fixtures" / "audio", package):
        if (folder / "demo.wav").is_file():
            return folder / "demo.wav"
    raise FileNotFoundError("the demo recording demo.wav is missing from this installation")


def read_audio(path: Path) -> Samples:
    """Return a WAV, FLAC or Ogg file as 16 kHz mono samples; raises AudioError if it is none."""
    try:
        data, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        raise AudioError(f"{path}: not a readable audio file") from error
    mono: Samples = data.mean(axis=1, dtype=np.float32)
    if rate != SAMPLE_RATE:
        mono = np.asarray(soxr.resample(mono, rate, SAMPLE_RATE), np.float32)
    return mono
