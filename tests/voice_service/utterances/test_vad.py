"""Each speech detector on recorded speech, silence and noise."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from support.recordings import recording, sidecar

from voice_service.audio.formats import Framer
from voice_service.utterances.vad import (
    FRAME,
    DetectorFactory,
    DetectorKind,
    SileroDetector,
    SileroModel,
    TwoStageDetector,
    WebRtcDetector,
)

KINDS: list[DetectorKind] = ["two-stage", "silero", "webrtc"]
FACTORIES = {kind: DetectorFactory(kind, 2) for kind in KINDS}


def judged(kind: DetectorKind, samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return the speech probability of each frame."""
    detector = FACTORIES[kind]()
    framer = Framer(FRAME)
    frames = [*framer.push(samples), *framer.flush()]
    return np.array([detector.probability(frame) for frame in frames])


def spoken(name: str, frames: int) -> NDArray[np.bool_]:
    """Return, for each frame, whether it is speech according to the sidecar."""
    at = np.arange(frames) * 32 + 16
    mask = np.zeros(frames, np.bool_)
    for utterance in sidecar(name)["utterances"]:
        mask |= (at >= utterance["start_ms"]) & (at < utterance["end_ms"])
    return mask


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["one_item", "correct_size", "quiet_voice"])
def test_speech_is_heard_and_pauses_are_not(kind: DetectorKind, name: str) -> None:
    """On a quiet line, every detector must tell them apart."""
    probabilities = judged(kind, recording(name))
    speech = spoken(name, len(probabilities))
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    assert (probabilities[speech] >= 0.5).mean() > 0.75
    assert (probabilities[~speech] >= 0.5).mean() < 0.2


@pytest.mark.parametrize("kind", KINDS)
def test_silence_is_not_speech(kind: DetectorKind) -> None:
    """However long it lasts; webrtcvad may need a moment to adapt to a line."""
    for samples in (recording("silence"), np.zeros(128_000, np.float32)):
        probabilities = judged(kind, samples)
        assert probabilities[10:].max() < 0.5
        assert kind == "webrtc" or probabilities.max() < 0.5


@pytest.mark.parametrize("kind", ["two-stage", "silero"])
@pytest.mark.parametrize("name", ["noise_kitchen", "noise_traffic"])
def test_noise_alone_is_not_speech(kind: DetectorKind, name: str) -> None:
    """An extractor fan places no orders."""
    assert (judged(kind, recording(name)) >= 0.5).mean() < 0.05


@pytest.mark.parametrize("name", ["one_item", "traffic_10db", "correct_size"])
def test_the_gate_costs_silero_next_to_nothing(name: str) -> None:
    """While the gate is open, two stages judge as Silero alone does."""
    both, alone = judged("two-stage", recording(name)), judged("silero", recording(name))
    assert ((both >= 0.5) == (alone >= 0.5)).mean() > 0.93


class Counted:
    """A real detector that counts its calls."""

    def __init__(self, detector: SileroDetector) -> None:
        self.asked = 0
        self._detector = detector

    def probability(self, frame: NDArray[np.float32]) -> float:
        self.asked += 1
        return self._detector.probability(frame)


def test_the_gate_saves_the_network_while_nobody_speaks() -> None:
    """An idle lane must cost little; that is what the first stage is for."""
    decider = Counted(SileroDetector(SileroModel()))
    detector = TwoStageDetector(WebRtcDetector(3), decider)
    for frame in Framer(FRAME).push(recording("silence")):
        detector.probability(frame)
    assert decider.asked < 0.1 * len(recording("silence")) / FRAME


def test_sessions_share_the_network_but_not_its_memory() -> None:
    """Two guests at once must not disturb each other's detection."""
    factory = FACTORIES["silero"]
    frames = Framer(FRAME).push(recording("one_item")[:32_000])
    noise = np.random.default_rng(1).normal(0, 0.1, FRAME).astype(np.float32)
    alone, disturbed, other = factory(), factory(), factory()
    for frame in frames:
        expected = alone.probability(frame)
        other.probability(noise)
        assert disturbed.probability(frame) == pytest.approx(expected, abs=1e-5)


def test_higher_webrtc_modes_report_less_speech() -> None:
    """The mode is how little is taken for speech, from 0 to 3."""
    frames = Framer(FRAME).push(recording("traffic_10db"))
    heard = [
        sum(detector.probability(frame) for frame in frames)
        for detector in map(WebRtcDetector, range(4))
    ]
    assert heard == sorted(heard, reverse=True)
    assert heard[3] < heard[0]
