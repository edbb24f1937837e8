"""The commands `stream` and `mic`: stream recordings or a microphone to `/voice-stream`."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np

from voice_service.audio.formats import SAMPLE_RATE, AudioError, Samples
from voice_service.audio.recordings import read_audio
from voice_service.client.stream import Event, StreamFailed, VoiceStream
from voice_service.commands.display import describe
from voice_service.commands.pacing import Pace, pcm, play

Complain = Callable[[str], None]

_METER_WIDTH = 30
_METER_FLOOR_DB = -60.0
_QUEUED_CHUNKS = 600
"""Chunks that may wait while there is no connection: a minute of sound."""


def _start_options(options: argparse.Namespace) -> dict[str, Any]:
    start = {
        "language": options.language,
        "lane": options.lane,
        "table_id": options.table_id,
        "order": options.order,
    }
    return {name: value for name, value in start.items() if value is not None}


class _Printer:
    """Prints events as they arrive, as text or as lines of JSON with `t` in seconds."""

    def __init__(self, name: str, start: float, *, jsonl: bool) -> None:
        self._name = name
        self._start = start
        self._jsonl = jsonl

    def __call__(self, event: Event, at: float) -> None:
        t = at - self._start
        if self._jsonl:
            print(json.dumps({"t": round(t, 4), "file": self._name, **event}), flush=True)
        elif line := describe(event):
            print(f"{t:7.2f} s  {line}", flush=True)


def stream_files(options: argparse.Namespace, complain: Complain) -> int:
    """Stream all files at once, each as a session; return the exit status."""
    pace = Pace(options.speed, options.chunk_ms, options.shuffle, options.drop)
    try:
        recordings = [(path, read_audio(path)) for path in options.files]
    except AudioError as error:
        complain(str(error))
        return 1
    return asyncio.run(_stream_all(options, recordings, pace, complain))


async def _stream_all(
    options: argparse.Namespace,
    recordings: list[tuple[Path, Samples]],
    pace: Pace,
    complain: Complain,
) -> int:
    failures = await asyncio.gather(
        *(_stream_one(options, path, samples, pace) for path, samples in recordings)
    )
    for (path, _), failure in zip(recordings, failures, strict=True):
        if failure is not None:
            complain(f"{path}: {failure}")
    return int(any(failures))


async def _stream_one(
    options: argparse.Namespace, path: Path, samples: Samples, pace: Pace
) -> StreamFailed | None:
    """Stream one recording; return why it failed, if so. Other errors end all streams."""
    chunks = pace.chunks(samples)
    start = asyncio.get_running_loop().time()
    first_due = start + min((chunk.due for chunk in chunks), default=0.0)
    printer = _Printer(str(path), first_due, jsonl=options.jsonl)
    stream = VoiceStream(options.url, options.token, printer, options=_start_options(options))
    try:
        await stream.run(play(chunks, start))
    except StreamFailed as failure:
        return failure
    return None


def stream_microphone(options: argparse.Namespace, complain: Complain) -> int:
    """Stream until Ctrl-C, then wait for the last final; return the exit status."""
    try:
        import sounddevice  # noqa: PLC0415  an optional dependency
    except (ImportError, OSError) as error:
        complain(
            f"no microphone support ({error}): run `pip install 'voice-ordering[mic]'`, and on "
            "Debian `apt-get install libportaudio2`"
        )
        return 1
    try:
        asyncio.run(_stream_microphone(options, sounddevice))
    except (StreamFailed, sounddevice.PortAudioError, ValueError) as error:
        complain(str(error))
        return 1
    return 0


async def _stream_microphone(options: argparse.Namespace, sounddevice: Any) -> None:
    loop = asyncio.get_running_loop()
    recorded: asyncio.Queue[Samples | None] = asyncio.Queue(_QUEUED_CHUNKS)

    def put(samples: Samples | None) -> None:
        if recorded.full():
            recorded.get_nowait()
        recorded.put_nowait(samples)

    def on_audio(data: Any, frames: int, time: Any, status: Any) -> None:
        loop.call_soon_threadsafe(put, np.array(data[:, 0], np.float32))

    async def chunks() -> AsyncIterator[tuple[int, bytes]]:
        sequence = 0
        while (samples := await recorded.get()) is not None:
            sequence += 1
            if not options.jsonl:
                print(meter(samples), end="\r", file=sys.stderr, flush=True)
            yield sequence, pcm(samples)

    device = int(options.input) if options.input and options.input.isdigit() else options.input
    printer = _Printer("microphone", loop.time(), jsonl=options.jsonl)
    stream = VoiceStream(options.url, options.token, printer, options=_start_options(options))
    microphone = sounddevice.InputStream(
        samplerate=SAMPLE_RATE,
        channels=1,
        dtype="float32",
        blocksize=SAMPLE_RATE * options.chunk_ms // 1000,
        device=device,
        callback=on_audio,
    )
    running = asyncio.ensure_future(stream.run(chunks()))
    with microphone:
        from voice_service.server import until_stopped  # noqa: PLC0415

        stopped = asyncio.ensure_future(until_stopped())
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
    # After the sound that the microphone's thread has already handed over.
    loop.call_soon(put, None)
    await running


def meter(samples: Samples) -> str:
    """Return a bar for the level of some audio, from -60 to 0 dB relative to full scale."""
    rms = float(np.sqrt(np.mean(samples**2))) if len(samples) else 0.0
    level = 20 * np.log10(max(rms, 1e-6))
    filled = round(_METER_WIDTH * (1 - max(_METER_FLOOR_DB, level) / _METER_FLOOR_DB))
    return f"[{'#' * filled}{' ' * (_METER_WIDTH - filled)}] {level:6.1f} dB"
