"""Utterances spoken by synthetic voices, generated once and kept in a folder outside the
repository.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import soundfile

from voice_service.audio.formats import SAMPLE_RATE, Samples
from voice_service.audio.recordings import read_audio

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "fixtures"))

from speech import Kokoro

VOICES = {
    "af_heart": 1.0,
    "am_michael": 1.0,
    "bf_emma": 1.0,
    "bm_george": 1.1,
    "af_nicole": 0.9,
    "am_puck": 1.2,
    "af_kore": 1.1,
    "am_fenrir": 1.0,
}
"""Kokoro's voices, American and British, women and men, and how fast each speaks."""

_LEVEL = 0.05
"""RMS of what is kept, of full scale."""


def spoken_by(
    voices: Iterable[str], texts: Iterable[str], cache: Path
) -> dict[tuple[str, str], Samples]:
    """Return speech by (voice, text); what is not in `cache` is synthesised, in about real time."""
    folder = cache / "orders"
    folder.mkdir(parents=True, exist_ok=True)
    kokoro: Kokoro | None = None
    found: dict[tuple[str, str], Samples] = {}
    wanted = list(texts)
    for voice in voices:
        for text in wanted:
            key = hashlib.sha256(f"{voice} {VOICES[voice]} {text}".encode()).hexdigest()[:20]
            path = folder / f"{key}.flac"
            if not path.exists():
                kokoro = kokoro or Kokoro(cache)
                said = kokoro.say(text, voice, VOICES[voice])
                level = _LEVEL / (np.sqrt(np.mean(said**2)) + 1e-9)
                soundfile.write(path, np.clip(said * level, -1, 1), SAMPLE_RATE)
            found[voice, text] = read_audio(path)
    return found
