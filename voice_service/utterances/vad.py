"""Speech detection: how likely a frame is speech, by detectors with one small interface.

Measured on this product's noises (docs/measurements/speech-detection.md), webrtcvad is cheap but
never notices the end of speech in noise, while Silero does. So webrtcvad is only used as a gate in
front of Silero.
"""

from __future__ import annotations

from collections import deque
from importlib import resources
from typing import Final, Literal, Protocol

import numpy as np
import onnxruntime
import webrtcvad
from numpy.typing import NDArray

from voice_service.audio.formats import SAMPLE_RATE, Samples

FRAME: Final = 512
"""Samples per frame, 32 ms: the only length that Silero accepts at 16 kHz."""
FRAME_MS: Final = FRAME * 1000 / SAMPLE_RATE

DetectorKind = Literal["two-stage", "silero", "webrtc"]


class SpeechDetector(Protocol):
    """Judges the frames of one session, in order."""

    def probability(self, frame: Samples) -> float:
        """Return how likely this frame of `FRAME` samples is speech, from 0 to 1."""


class WebRtcDetector:
    """The Gaussian-mixture detector of WebRTC. `mode` is 0 to 3; 3 reports the least speech."""

    _WINDOW = 480  # 30 ms, the longest it accepts: the last 2 ms of a frame are ignored

    def __init__(self, mode: int) -> None:
        self._vad = webrtcvad.Vad(mode)

    def probability(self, frame: Samples) -> float:
        # Resampling can overshoot full scale, which would wrap around.
        pcm = (np.clip(frame[: self._WINDOW], -1.0, 1.0) * 32767).astype("<i2").tobytes()
        return float(self._vad.is_speech(pcm, SAMPLE_RATE))


class SileroModel:
    """The Silero v6 network that ships inside faster-whisper (MIT), shared by all sessions."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.inter_op_num_threads = 1
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        asset = resources.files("faster_whisper.assets").joinpath("silero_vad_v6.onnx")
        self._session = onnxruntime.InferenceSession(
            asset.read_bytes(), options, providers=["CPUExecutionProvider"]
        )

    def run(
        self, window: Samples, h: NDArray[np.float32], c: NDArray[np.float32]
    ) -> tuple[float, NDArray[np.float32], NDArray[np.float32]]:
        """Run one step on a (1, 576) window and two (1, 1, 128) states.

        Return the speech probability and the new states.
        """
        probability, h, c = self._session.run(None, {"input": window, "h": h, "c": c})
        return float(probability[0]), h, c


class SileroDetector:
    """Silero, with the state of one session."""

    _CONTEXT = 64

    def __init__(self, model: SileroModel) -> None:
        self._model = model
        self._h = np.zeros((1, 1, 128), np.float32)
        self._c = np.zeros((1, 1, 128), np.float32)
        self._window = np.zeros((1, self._CONTEXT + FRAME), np.float32)

    def probability(self, frame: Samples) -> float:
        self._window[0, : self._CONTEXT] = self._window[0, -self._CONTEXT :]
        self._window[0, self._CONTEXT :] = frame
        probability, self._h, self._c = self._model.run(self._window, self._h, self._c)
        return probability


class TwoStageDetector:
    """A cheap gate in front of a good detector.

    Once the gate has heard nothing for `_CLOSE_AFTER` frames, the decider is not asked. When the
    gate opens again, the decider gets the last `_WARM_UP` frames first, to bring its state up to
    date.
    """

    _CLOSE_AFTER = 16  # 0.5 s, so that Silero still judges the pause that ends an utterance
    _WARM_UP = 8

    def __init__(self, gate: SpeechDetector, decider: SpeechDetector) -> None:
        self._gate = gate
        self._decider = decider
        self._quiet = self._CLOSE_AFTER
        self._skipped: deque[Samples] = deque(maxlen=self._WARM_UP)

    def probability(self, frame: Samples) -> float:
        self._quiet = 0 if self._gate.probability(frame) else self._quiet + 1
        if self._quiet > self._CLOSE_AFTER:
            self._skipped.append(frame)
            return 0.0
        while self._skipped:
            self._decider.probability(self._skipped.popleft())
        return self._decider.probability(frame)


class DetectorFactory:
    """Makes a detector per session. Loads the network once, and only if it is used."""

    _GATE_MODE = 0
    """At 60 dB below full scale, mode 3 misses all speech; mode 0 hears most of it."""

    def __init__(self, kind: DetectorKind, webrtc_mode: int) -> None:
        self._kind = kind
        self._mode = webrtc_mode
        self._model = None if kind == "webrtc" else SileroModel()

    def __call__(self) -> SpeechDetector:
        if self._model is None:
            return WebRtcDetector(self._mode)
        silero = SileroDetector(self._model)
        if self._kind == "silero":
            return silero
        return TwoStageDetector(WebRtcDetector(self._GATE_MODE), silero)
