"""What the voice benchmarks share: a service in its own process, recordings, statistics."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.lib.stride_tricks import sliding_window_view

from voice_service.audio.formats import SAMPLE_RATE, Samples
from voice_service.audio.recordings import read_audio
from voice_service.client.stream import Event, VoiceStream
from voice_service.commands.pacing import Pace, play

_FIXTURES = Path(__file__).parent.parent / "fixtures" / "audio"
_AUDIO = (".wav", ".flac", ".ogg")

ACTIVE_DB = 35.0
"""Speech is where a 20 ms frame is at most this far below the loudest frames, …"""
ABOVE_FLOOR = 0.4
"""… and this far up, in dB, from the quietest frames to the loudest, …"""
ACTIVE_FRAMES = 3
"""… for so many frames: a click is no speech. Against Silero's opinion of 190 real recordings, the
onset is 0.03 s early in the median and 0.3 s at the 5th percentile, the end 0.03 and 0.2 s."""


@dataclass(frozen=True)
class Recording:
    """A recording of speech with its text, and where in it speech begins and ends (seconds)."""

    name: str
    text: str
    samples: Samples
    onset: float
    end: float


@dataclass(frozen=True)
class Service:
    """A running service and how to reach it."""

    url: str
    token: str
    process: psutil.Process
    data_dir: Path = Path()
    """Where it keeps its data, if it is ours."""


def active_span(samples: Samples) -> tuple[float, float]:
    """Return where speech begins and ends in a recording, in seconds, by frame energy."""
    frame = SAMPLE_RATE // 50
    count = len(samples) // frame
    if count < ACTIVE_FRAMES:
        return 0.0, len(samples) / SAMPLE_RATE
    energy = np.mean(samples[: count * frame].reshape(count, -1) ** 2, axis=1)
    level = 10 * np.log10(energy + 1e-10)
    floor, loudest = np.percentile(level, (5, 95))
    active = level >= max(loudest - ACTIVE_DB, floor + ABOVE_FLOOR * (loudest - floor))
    runs = np.flatnonzero(sliding_window_view(active, ACTIVE_FRAMES).all(axis=1))
    if not len(runs):
        return 0.0, count / 50
    return float(runs[0]) / 50, float(runs[-1] + ACTIVE_FRAMES) / 50


def read_manifest(path: Path, *, without: Sequence[str] = ()) -> list[Recording]:
    """Return the recordings of a JSONL manifest (`file`, `text`, `set`), paths relative to it."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    recordings = []
    for row in rows:
        if row.get("set") in without:
            continue
        samples = read_audio(path.parent / row["file"])
        recordings.append(Recording(row["file"], row["text"], samples, *active_span(samples)))
    return recordings


def read_recordings(manifest: Path | None, *, without: Sequence[str] = ()) -> list[Recording]:
    """Return the recordings of a manifest, or else the fixtures that are one clean utterance."""
    return _fixtures() if manifest is None else read_manifest(manifest, without=without)


def read_noises(folder: Path | None) -> list[tuple[str, Samples]]:
    """Return the noises of a folder, sorted by name; none without a folder."""
    files = [] if folder is None else sorted(folder.iterdir())
    return [(path.stem, read_audio(path)) for path in files if path.suffix in _AUDIO]


def _fixtures() -> list[Recording]:
    recordings = []
    for path in sorted(_FIXTURES.glob("*.json")):
        about = json.loads(path.read_text(encoding="utf-8"))
        if len(about.get("utterances", [])) != 1 or about.get("noise"):
            continue
        [utterance] = about["utterances"]
        samples = read_audio(path.with_suffix(".wav"))
        onset, end = utterance["start_ms"] / 1000, utterance["end_ms"] / 1000
        recordings.append(Recording(path.stem, utterance["text"], samples, onset, end))
    return recordings


def silence(seconds: float) -> Samples:
    """Return digital silence."""
    return np.zeros(round(seconds * SAMPLE_RATE), np.float32)


@contextlib.contextmanager
def service(
    arguments: Sequence[str] = (), restaurant: str = "benchmark", role: str = "device"
) -> Iterator[Service]:
    """Run `voice-service serve` on a free port with its own data directory, and a token for it.

    It takes every session, however busy the machine is, unless the arguments say otherwise.
    """
    with tempfile.TemporaryDirectory() as data:
        env = {k: v for k, v in os.environ.items() if not k.startswith("VOICE_")}
        command = [sys.executable, "-m", "voice_service"]
        limits = ["--port", "0", "--voice-per-minute", "1000000", "--data-dir", data]
        limits += ["--max-sessions", "10000"]
        owner = ["--restaurant", restaurant, "--user", "benchmark", "--role", role]
        log = Path(data) / "log"
        with (
            log.open("w") as messages,
            subprocess.Popen(
                [*command, "serve", *limits, *arguments], stderr=messages, env=env
            ) as process,
        ):
            try:
                url = _address(process, log)
                token = subprocess.run(
                    [*command, "token", "--data-dir", data, *owner],
                    check=True,
                    capture_output=True,
                    text=True,
                    env=env,
                ).stdout.strip()
                yield Service(f"{url}/voice-stream", token, psutil.Process(process.pid), Path(data))
            finally:
                process.terminate()
                process.wait(30)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    while process.poll() is None:
        for line in log.read_text(encoding="utf-8").splitlines():
            if line.startswith("Listening on "):
                return line.removeprefix("Listening on ").replace("http", "ws", 1)
        time.sleep(0.1)
    raise RuntimeError(f"the service did not start:\n{log.read_text(encoding='utf-8')}")


LEAD, TAIL = 0.5, 1.5
"""Seconds of pause around each recording: a microphone is on before and after the guest speaks."""


def mixed(recording: Recording, noise: Samples | None, snr: float | None, seed: int) -> Samples:
    """Return the recording between pauses, with noise at `snr` dB of its active speech."""
    samples = np.concatenate([silence(LEAD), recording.samples, silence(TAIL)])
    if noise is None or snr is None:
        return samples
    return noisy(samples, (LEAD + recording.onset, LEAD + recording.end), noise, snr, seed)


def noisy(
    samples: Samples, speech: tuple[float, float], noise: Samples, snr: float, seed: int
) -> Samples:
    """Return samples with noise from a random place on, at `snr` dB of a span given in seconds."""
    start = np.random.default_rng(seed).integers(0, len(noise))
    under = np.resize(np.roll(noise, -start), len(samples))
    spoken = samples[round(speech[0] * SAMPLE_RATE) : round(speech[1] * SAMPLE_RATE)]
    gain = np.sqrt(np.mean(spoken**2) / (np.mean(under**2) + 1e-12)) * 10 ** (-snr / 20)
    return np.asarray(np.clip(samples + gain * under, -1, 1), np.float32)


async def stream(
    to: Service, samples: Samples, *, speed: float = 1.0, options: dict[str, Any] | None = None
) -> list[tuple[float, Event]]:
    """Stream samples as a session; return every event with its seconds since the first was due."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    events: list[tuple[float, Event]] = []
    session = VoiceStream(
        to.url,
        to.token,
        lambda event, at: events.append((at - start, event)),
        options={"order": "off", **(options or {})},
    )
    await session.run(play(Pace(speed=speed).chunks(samples), start))
    return events


async def in_parallel(
    to: Service,
    recordings: Sequence[Samples],
    streams: int,
    *,
    speed: float,
    options: dict[str, Any] | None = None,
) -> AsyncIterator[tuple[int, list[tuple[float, Event]]]]:
    """Stream all, `streams` at a time; yield (index, events) as they finish."""
    waiting = list(enumerate(recordings))
    running: dict[asyncio.Task[list[tuple[float, Event]]], int] = {}
    while waiting or running:
        while waiting and len(running) < streams:
            index, samples = waiting.pop(0)
            task = asyncio.create_task(stream(to, samples, speed=speed, options=options))
            running[task] = index
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            yield running.pop(task), task.result()


def finals(events: Sequence[tuple[float, Event]]) -> list[tuple[float, Event]]:
    """Return the final transcripts of a session."""
    return [(t, e) for t, e in events if e["type"] == "voice:transcript" and e["data"]["is_final"]]


def percentiles(values: Sequence[float]) -> str:
    """Return the median, 90th and 99th percentile, in seconds."""
    if not values:
        return "    -      -      -"
    return "  ".join(f"{np.percentile(values, p):5.2f}" for p in (50, 90, 99))
