"""Sound in the containers that browsers record: streamed, so that nothing is written twice."""

from __future__ import annotations

import av
import numpy as np
from numpy.typing import NDArray

RATE = 48_000
"""Samples per second that browsers record at."""
FORMATS = {
    "webm_opus": ("webm", "libopus"),
    "ogg_opus": ("ogg", "libopus"),
    "fmp4_opus": ("mp4", "libopus"),
    "fmp4_aac": ("mp4", "aac"),
}
_FRAME = {"libopus": 960, "aac": 1_024}
_FRAGMENTS = {"movflags": "empty_moov+default_base_moof", "frag_duration": "500000"}
"""As Safari's recorder writes: the head first, then a fragment for each timer event."""


class _Stream:
    """What was written, in the order of writing; there is no way back."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self.parts.append(bytes(data))
        return len(data)


def written(samples: NDArray[np.float32], encoding: str, channels: int = 1) -> bytes:
    """Encode 16 kHz samples as a browser's MediaRecorder does, which cannot seek."""
    form, codec = FORMATS[encoding]
    stream = _Stream()
    with av.open(stream, "w", format=form, options=_FRAGMENTS if form == "mp4" else {}) as file:
        layout = {1: "mono", 2: "stereo"}[channels]
        track = file.add_stream(codec, rate=RATE, layout=layout)
        resampler = av.AudioResampler(format=track.format, layout=layout, rate=RATE)
        frame = av.AudioFrame.from_ndarray(samples[None, :], format="flt", layout="mono")
        frame.sample_rate = 16_000
        waiting = av.AudioFifo()
        for resampled in [*resampler.resample(frame), *resampler.resample(None)]:
            resampled.pts = None
            waiting.write(resampled)
        at = 0
        for piece in waiting.read_many(_FRAME[codec], partial=True):
            piece.pts, at = at, at + piece.samples
            file.mux(track.encode(piece))
        file.mux(track.encode(None))
    return b"".join(stream.parts)
