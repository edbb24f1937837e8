"""Speech detectors behind the service's endpointer: what they miss, invent, and how late they are.

    speech_detection.py --manifest FILE --noise DIR [--talk NAME …] [--snr 10 5] [--sample 150]

Recordings of speech (JSONL: `file`, `text`, `set`) as they are, in the telephone band, and with
every noise of a folder in turn at each `--snr` of active speech; then the noises alone, as they
are and at a fifth of their level. `--talk` names the noises in which people talk: they are mixed
in, but who hears speech in them is not wrong. What is shorter than 2 s (an impulse response) is no
noise.

missed   share of speech, from its true onset to its true end, that no utterance covers
lost     the same with the audio that is kept before and after: what recognition never gets
deaf     recordings in which nothing was heard
split    recordings of which an utterance ended while speech was still to come
endless  recordings whose end was not noticed in the 1.5 s of pause behind them
delay    from the true end of speech to the end of the hangover, ms, median and 90th percentile
ms/s     processor time of the detector per second of audio
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from harness import LEAD, Recording, mixed, read_manifest, read_noises

from voice_service.audio.formats import SAMPLE_RATE, Framer, Samples
from voice_service.settings import VoiceSettings
from voice_service.utterances.endpointing import Endpointer, SpeechEnded, SpeechStarted
from voice_service.utterances.settings import ListenerSettings
from voice_service.utterances.vad import FRAME, DetectorFactory, DetectorKind, SpeechDetector

_FRAME_S: Final = FRAME / SAMPLE_RATE
_SHORTEST_NOISE_S: Final = 2.0
_LEVELS: Final = (1.0, 0.2)
_BAND: Final = (300.0, 3400.0)
"""Hz that a telephone lets through."""
_STILL_SPEAKING_S: Final = 0.3
"""An end is premature if at least so much of the speech is still to come."""

DETECTORS: Final[dict[str, tuple[DetectorKind, int]]] = {
    **{f"webrtc {mode}": ("webrtc", mode) for mode in range(4)},
    "silero": ("silero", 0),
    "two-stage": ("two-stage", 0),
}


@dataclass(frozen=True)
class Utterance:
    """An utterance that was found, and when its end was noticed (None: not at all), in seconds."""

    start: float
    end: float
    noticed: float | None


@dataclass
class Heard:
    """The results of the recordings under one condition."""

    speech: float = 0.0
    missed: float = 0.0
    lost: float = 0.0
    count: int = 0
    deaf: int = 0
    split: int = 0
    endless: int = 0
    delays: list[float] = field(default_factory=list)


def found(
    samples: Samples, detector: SpeechDetector, settings: ListenerSettings
) -> tuple[list[Utterance], float]:
    """Return the utterances of some audio, and the processor time that the detector took."""
    began = time.process_time()
    probabilities = [detector.probability(frame) for frame in Framer(FRAME).push(samples)]
    spent = time.process_time() - began
    endpointer = Endpointer(settings.endpoint)
    utterances: list[Utterance] = []
    start = 0.0
    for probability in probabilities:
        for event in endpointer.push(probability):
            if isinstance(event, SpeechStarted):
                start = event.at * _FRAME_S
            else:
                noticed = endpointer.position * _FRAME_S
                utterances.append(Utterance(start, event.at * _FRAME_S, noticed))
    for event in endpointer.flush():
        if isinstance(event, SpeechEnded):
            utterances.append(Utterance(start, event.at * _FRAME_S, None))
    return utterances, spent


def judge(
    utterances: Sequence[Utterance], onset: float, end: float, rolls: tuple[float, float], to: Heard
) -> None:
    """Compare what was found with where speech is; `rolls`: seconds kept before and after."""
    to.count += 1
    to.speech += end - onset
    to.missed += _uncovered(utterances, onset, end, (0.0, 0.0))
    to.lost += _uncovered(utterances, onset, end, rolls)
    own = [u for u in utterances if u.start < end and u.end > onset]
    if not own:
        to.deaf += 1
        return
    to.split += any(u.noticed is not None and u.end < end - _STILL_SPEAKING_S for u in own)
    if own[-1].noticed is None:
        to.endless += 1
    else:
        to.delays.append(own[-1].noticed - end)


def _uncovered(
    utterances: Sequence[Utterance], onset: float, end: float, rolls: tuple[float, float]
) -> float:
    times = np.arange(onset, end, 0.01)
    covered = np.zeros(len(times), np.bool_)
    for utterance in utterances:
        covered |= (times >= utterance.start - rolls[0]) & (times < utterance.end + rolls[1])
    return float((~covered).sum()) * 0.01


def telephone(samples: Samples) -> Samples:
    """Return only the telephone band."""
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    spectrum[(hertz < _BAND[0]) | (hertz > _BAND[1])] = 0
    return np.asarray(np.fft.irfft(spectrum, len(samples)), np.float32)


def on_speech(
    name: str, audio: Sequence[Samples], recordings: Sequence[Recording], detectors: Sequence[str]
) -> None:
    """Measure one condition; print a line for each detector."""
    settings = VoiceSettings().listener()
    rolls = (settings.pre_roll * _FRAME_S, settings.post_roll * _FRAME_S)
    seconds = sum(len(samples) for samples in audio) / SAMPLE_RATE
    for detector in detectors:
        make = DetectorFactory(*DETECTORS[detector])
        heard, spent = Heard(), 0.0
        for samples, recording in zip(audio, recordings, strict=True):
            utterances, cost = found(samples, make(), settings)
            spent += cost
            judge(utterances, LEAD + recording.onset, LEAD + recording.end, rolls, heard)
        delays = [1000 * d for d in heard.delays] or [float("nan")]
        print(
            f"{name:10} {detector:10} {100 * heard.missed / heard.speech:6.1f} "
            f"{100 * heard.lost / heard.speech:6.1f} {_share(heard.deaf, heard.count)} "
            f"{_share(heard.split, heard.count)} {_share(heard.endless, heard.count)}  "
            f"{np.percentile(delays, 50):5.0f} {np.percentile(delays, 90):5.0f} "
            f"{1000 * spent / seconds:7.2f}",
            flush=True,
        )


def on_noise(
    noises: Sequence[tuple[str, Samples]], detectors: Sequence[str], *, show: bool
) -> None:
    """Measure the noises alone; print a line for each detector."""
    settings = VoiceSettings().listener()
    audio = [(name, level * noise) for name, noise in noises for level in _LEVELS]
    minutes = sum(len(noise) for _, noise in audio) / SAMPLE_RATE / 60
    for detector in detectors:
        make = DetectorFactory(*DETECTORS[detector])
        taken, count, within = [], 0, 0.0
        for name, noise in audio:
            utterances, _ = found(noise, make(), settings)
            count += len(utterances)
            within += sum(u.end - u.start for u in utterances)
            taken += [name] if utterances else []
        print(
            f"{detector:10} {len(taken):3} of {len(audio)} {count / minutes:8.2f} "
            f"{100 * within / minutes / 60:8.1f}"
            + (f"   {', '.join(taken)}" if show and taken else ""),
            flush=True,
        )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(1, whole):6.1f}"


def long_noises(folder: Path) -> list[tuple[str, Samples]]:
    """Return the noises of a folder that are long enough: a room's impulse response is none."""
    shortest = _SHORTEST_NOISE_S * SAMPLE_RATE
    return [(name, noise) for name, noise in read_noises(folder) if len(noise) >= shortest]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--without", nargs="*", default=[], help="sets to leave out")
    parser.add_argument("--noise", type=Path, required=True, help="a folder with noises")
    parser.add_argument("--talk", nargs="*", default=[], help="noises in which people talk")
    parser.add_argument("--snr", type=float, nargs="*", default=[10.0, 5.0])
    parser.add_argument("--sample", type=int, default=10_000, help="so many recordings")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--detectors", nargs="*", choices=DETECTORS, default=list(DETECTORS))
    parser.add_argument("--show", action="store_true", help="name the noises taken for speech")
    arguments = parser.parse_args()

    every = read_manifest(arguments.manifest, without=arguments.without)
    recordings = random.Random(arguments.seed).sample(every, min(len(every), arguments.sample))
    noises = long_noises(arguments.noise)
    clean = [mixed(r, None, None, 0) for r in recordings]
    speech = sum(r.end - r.onset for r in recordings)
    print(f"{len(recordings)} recordings, {speech:.0f} s of speech; % but for delay and ms/s")
    print("condition  detector   missed   lost   deaf  split endless  delay   p90    ms/s")
    on_speech("clean", clean, recordings, arguments.detectors)
    on_speech("telephone", [telephone(a) for a in clean], recordings, arguments.detectors)
    for snr in arguments.snr:
        audio = [mixed(r, noises[i % len(noises)][1], snr, i) for i, r in enumerate(recordings)]
        on_speech(f"{snr:g} dB", audio, recordings, arguments.detectors)
    silent = [(name, noise) for name, noise in noises if name not in arguments.talk]
    print("noise alone: taken for speech, utterances per minute, % of the time in utterances")
    on_noise(silent, arguments.detectors, show=arguments.show)


if __name__ == "__main__":
    main()
