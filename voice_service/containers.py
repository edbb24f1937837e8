"""Opus in WebM or Ogg, as browsers record it, demuxed while it is still being recorded.

PyAV pulls from a file; our bytes are pushed. A thread per session runs PyAV against a pipe and
hands control back each time the pipe is empty, so that `decode` behaves like a function: it
returns what the bytes so far decode to, the same on every run.
"""

from __future__ import annotations

import threading
from typing import Final

import av
import numpy as np
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from av.error import FFmpegError

from voice_service.audio import SAMPLE_RATE, AudioError, ContainerEncoding, Samples

_FFMPEG_NAME: Final[dict[ContainerEncoding, str]] = {"webm_opus": "matroska", "ogg_opus": "ogg"}
_HANDOVER_TIMEOUT: Final = 2.0
"""Seconds that decoding one chunk may take: a chunk holds at most 64 KiB, some 10 s of Opus."""
_MAX_SECONDS_PER_CHUNK: Final = 60
"""Opus can hold silence at a few bytes a second; more than this from one chunk is an attack."""


class _Pipe:
    """Bytes handed from the caller to the decoding thread; control alternates between them."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._buffer = bytearray()
        self._ended = False
        self._idle = False
        self._reader_gone = False

    def read(self, size: int) -> bytes:
        with self._condition:
            while not self._buffer and not self._ended:
                self._idle = True
                self._condition.notify_all()
                self._condition.wait()
            chunk = bytes(self._buffer[:size])
            del self._buffer[:size]
            return chunk

    def write(self, payload: bytes, *, end: bool = False) -> bool:
        """Hand over bytes and wait until they are consumed; False if that took too long."""
        with self._condition:
            self._buffer += payload
            self._ended = self._ended or end
            self._idle = False
            self._condition.notify_all()
            return self._condition.wait_for(
                lambda: self._idle or self._reader_gone, _HANDOVER_TIMEOUT
            )

    def finished(self) -> None:
        """The reader is gone: nobody need wait for it."""
        with self._condition:
            self._reader_gone = True
            self._condition.notify_all()


class ContainerDecoder:
    """Streamed WebM or Ogg with one Opus track."""

    def __init__(self, encoding: ContainerEncoding) -> None:
        self._pipe = _Pipe()
        self._decoded: list[Samples] = []
        self._error: AudioError | None = None
        self._closing = False
        self._thread = threading.Thread(
            target=self._run, args=(_FFMPEG_NAME[encoding],), name="container-decoder", daemon=True
        )
        self._thread.start()

    def check(self, payload: bytes) -> None:
        """A container's chunk cannot be judged before the chunks in front of it are read."""

    def decode(self, payload: bytes) -> Samples:
        return self._exchange(payload)

    def bridge(self, missing: int) -> Samples:
        """Nothing: the container's own timestamps and framing find the way past a hole."""
        return np.zeros(0, np.float32)

    def flush(self) -> Samples:
        return self._exchange(b"", end=True)

    def close(self) -> None:
        self._closing = True
        self._pipe.write(b"", end=True)

    def _exchange(self, payload: bytes, *, end: bool = False) -> Samples:
        if self._error is None and not self._pipe.write(payload, end=end):
            self._error = AudioError("the audio container could not be decoded in time")
        if self._error is not None:
            raise self._error
        decoded, self._decoded = self._decoded, []
        return np.concatenate(decoded) if decoded else np.zeros(0, np.float32)

    def _run(self, name: str) -> None:
        try:
            with av.open(
                self._pipe,
                mode="r",
                format=name,
                options={"probesize": "4096"},
                metadata_errors="replace",
            ) as media:
                self._decode(media)
        except AudioError as error:
            self._error = error
        except (FFmpegError, ValueError):
            if not self._closing:
                self._error = AudioError("audio is not a readable Opus stream of that container")
        finally:
            self._pipe.finished()

    def _decode(self, media: InputContainer) -> None:
        if not media.streams.audio:
            raise AudioError("the audio container holds no audio track")
        resampler = AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
        for frame in media.decode(media.streams.audio[0]):
            self._keep(resampler.resample(frame))
        self._keep(resampler.resample(None))

    def _keep(self, frames: list[av.AudioFrame]) -> None:
        self._decoded += [np.asarray(f.to_ndarray(), np.float32).reshape(-1) for f in frames]
        if sum(map(len, self._decoded)) > _MAX_SECONDS_PER_CHUNK * SAMPLE_RATE:
            raise AudioError("one chunk holds too much audio")
