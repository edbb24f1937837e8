"""What a stream costs besides recognition: processor time by format, and memory.

    python benchmarks/audio_path.py [--manifest FILE] [--streams 200]

Messages of 100 ms go through everything that stands between the socket and the recogniser: JSON,
base64, decoding, resampling, reordering, speech detection and endpointing. Decodes are not done;
they are answered at once. Processor time is in per cent of a core per stream, as the median of
five runs (least to most); speech fills about two thirds of the recordings with pauses of 2 s.

Memory is what the process grows by while `--streams` sessions, each in the middle of an utterance
of 4 s, are kept, over their number, in MB; and how much of that is the utterance's audio itself.

What the socket costs on top is in `streams.py`: the main thread's time there is all but
recognition, with the socket and what is sent back.
"""

from __future__ import annotations

import argparse
import base64
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import psutil
import soxr
from harness import Recording, read_recordings, silence

from voice_service.asr.hypothesis import Hypothesis
from voice_service.audio.encodings import PcmEncoding
from voice_service.audio.formats import SAMPLE_RATE, AudioFormat, PcmDecoder, Samples
from voice_service.commands.pacing import pcm
from voice_service.protocol.messages import VOICE_MESSAGES, VoiceAudio
from voice_service.sessions.machine import VoiceSession
from voice_service.sessions.pipeline import SessionPipeline
from voice_service.settings import VoiceSettings
from voice_service.utterances.listener import Listener
from voice_service.utterances.vad import DetectorFactory

_CHUNK: Final = 0.1
_RUNS: Final = 5
_UTTERANCE: Final = 4.0
_HEARD: Final = Hypothesis("two burgers please", 0.9)
FORMATS: Final[Sequence[tuple[PcmEncoding, int]]] = (
    ("pcm_s16le", 16_000),
    ("pcm_s16le", 48_000),
    ("pcm_f32le", 44_100),
    ("mulaw", 8_000),
)


class Sessions:
    """Makes sessions as the service does, without a socket and a recogniser."""

    def __init__(self) -> None:
        self._settings = VoiceSettings()
        self._detectors = DetectorFactory(self._settings.detector, self._settings.webrtc_mode)

    def open(self, encoding: PcmEncoding, rate: int) -> VoiceSession:
        """Return a new session."""
        return VoiceSession(
            session_id="session",
            language="en",
            settings=self._settings.session(),
            pipeline=SessionPipeline(
                PcmDecoder(AudioFormat(encoding, rate)),
                Listener(self._settings.listener(), self._detectors(), "en", ""),
                conversation=None,
            ),
            now=0.0,
        )


def hear(session: VoiceSession, messages: Sequence[str]) -> None:
    """Do what the socket does with each message; answer every decode at once."""
    for i, text in enumerate(messages):
        message = VOICE_MESSAGES.validate_json(text)
        assert isinstance(message, VoiceAudio)
        session.audio(message.data.sequence, message.data.audio, i * _CHUNK)
        if session.next_decode() is not None:
            session.start_decode()
            session.decoded(_HEARD, i * _CHUNK)


def messages(samples: Samples, encoding: PcmEncoding, rate: int) -> list[str]:
    """Return a recording as a client would send it."""
    if rate != SAMPLE_RATE:
        samples = soxr.resample(samples, SAMPLE_RATE, rate)
    step = round(rate * _CHUNK)
    parts = [samples[at : at + step] for at in range(0, len(samples), step)]
    return [
        json.dumps(
            {
                "type": "voice:audio",
                "data": {
                    "session_id": "session",
                    "sequence": i,
                    "audio": base64.b64encode(_encoded(part, encoding)).decode(),
                },
            }
        )
        for i, part in enumerate(parts, 1)
    ]


def _encoded(samples: Samples, encoding: PcmEncoding) -> bytes:
    if encoding == "pcm_f32le":
        return np.clip(samples, -1, 1).astype("<f4").tobytes()
    if encoding == "mulaw":
        compressed = np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log(256)
        code = np.where(samples < 0, 0x7F, 0xFF) - np.round(127 * np.abs(compressed))
        return bytes(code.astype(np.uint8).tobytes())
    return pcm(samples)


def spent(sessions: Sessions, samples: Samples, encoding: PcmEncoding, rate: int) -> list[float]:
    """Return the processor seconds per second of audio of each run."""
    sent = messages(samples, encoding, rate)
    found = []
    for _ in range(_RUNS):
        session = sessions.open(encoding, rate)
        began = time.process_time()
        hear(session, sent)
        found.append((time.process_time() - began) / (len(sent) * _CHUNK))
        session.close()
    return found


def grown(sessions: Sessions, samples: Samples, streams: int) -> float:
    """Return the MB per session that is in the middle of an utterance."""
    sent = messages(samples, "pcm_s16le", SAMPLE_RATE)
    process = psutil.Process()
    kept = [sessions.open("pcm_s16le", SAMPLE_RATE)]
    hear(kept[0], sent)
    before = process.memory_info().rss
    for _ in range(streams):
        kept.append(sessions.open("pcm_s16le", SAMPLE_RATE))
        hear(kept[-1], sent)
    return (process.memory_info().rss - before) / streams / 1e6


def loop_of(recordings: Sequence[Recording]) -> Samples:
    """Return recordings with pauses, a minute at most."""
    parts = [np.concatenate([r.samples, silence(2.0)]) for r in recordings]
    return np.concatenate(parts)[: 60 * SAMPLE_RATE]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--manifest", type=Path, help="real recordings instead of the fixtures")
    parser.add_argument("--without", nargs="*", default=[], help="sets to leave out")
    parser.add_argument("--streams", type=int, default=200)
    arguments = parser.parse_args()
    recordings = read_recordings(arguments.manifest, without=arguments.without)
    sessions = Sessions()
    # First, before freed memory of other measurements hides what is taken.
    speech = max(recordings, key=lambda r: r.end - r.onset)
    span = speech.samples[round(speech.onset * SAMPLE_RATE) :][: round(_UTTERANCE * SAMPLE_RATE)]
    each = grown(sessions, span, arguments.streams)
    print(f"memory: {each:.2f} MB per session, of which {span.nbytes / 1e6:.2f} MB utterance")
    samples = loop_of(recordings)
    hear(sessions.open("pcm_s16le", SAMPLE_RATE), messages(samples, "pcm_s16le", SAMPLE_RATE))
    print(f"{len(samples) / SAMPLE_RATE:.0f} s of audio; % of a core per stream")
    for encoding, rate in FORMATS:
        runs = 100 * np.array(spent(sessions, samples, encoding, rate))
        print(
            f"{encoding:10} {rate:6}  {np.median(runs):5.2f} ({runs.min():.2f} to {runs.max():.2f})"
        )


if __name__ == "__main__":
    main()
