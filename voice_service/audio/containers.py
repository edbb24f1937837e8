"""Decode WebM, Ogg and fragmented MP4, as browsers record them, while they are being recorded.

PyAV pulls from a file, while our bytes are pushed. A thread per session runs PyAV on a pipe and
hands control back each time the pipe is empty. So `decode` behaves like a function: it returns what
the bytes so far decode to, and the same on every run.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
import structlog
from av.audio.resampler import AudioResampler
from av.container import InputContainer
from av.error import FFmpegError

from voice_service.audio.encodings import ContainerEncoding
from voice_service.audio.formats import SAMPLE_RATE, AudioError, Samples, WrongDeclaration
from voice_service.audio.mp4_boxes import BoxGuard
from voice_service.audio.signatures import HEAD, mismatch, recognised

_MAX_RATE: Final = 48_000
"""Samples per second: those of decoded Opus, whatever it was recorded at, and the most of AAC."""


@dataclass(frozen=True, slots=True)
class _Form:
    """FFmpeg's names of a container and of the codecs that it may hold, and ours of these."""

    demuxer: str
    codecs: tuple[str, ...]
    sound: str


_OPUS: Final = ("opus", "libopus")
_FORMS: Final[Mapping[str, _Form]] = {
    "webm_opus": _Form("matroska", _OPUS, "Opus"),
    "ogg_opus": _Form("ogg", _OPUS, "Opus"),
    "fmp4_opus": _Form("mov", _OPUS, "Opus"),
    "fmp4_aac": _Form("mov", ("aac",), "AAC"),
    "fmp4": _Form("mov", ("aac", *_OPUS), "AAC or Opus"),
}
_LEAST_BYTES_PER_SECOND: Final = 16_000 / 8
_USUAL_BITS_PER_SECOND: Final = 128_000
"""What browsers record at unless they are told otherwise."""
_HANDOVER_TIMEOUT: Final = 0.5
"""Seconds that the decoding of one chunk may take, during which the caller waits."""
_MAX_SECONDS_PER_CHUNK: Final = 30
"""Over all channels. A chunk is at most 48 KB: 12 s of Opus at 32 kbit/s, usual for speech."""
_MAX_PACKETS_PER_CHUNK: Final = 2_000
"""30 s in packets of 20 ms are 1,500. A packet costs about 45 us, however little sound it holds."""
_START_ANEW: Final = "start a new session"
"""A damaged container cannot be continued: each part depends on the parts before it."""

_log = structlog.get_logger(__name__)


class _Pipe:
    """Hands bytes from the caller to the decoding thread; control alternates between them."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._buffer = bytearray()
        self._ended = False
        self._idle = False
        self.stopped = False
        """Set when the caller needs nothing more; the reader leaves as soon as it sees this."""
        self.reader_gone = False

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
                lambda: self._idle or self.reader_gone, _HANDOVER_TIMEOUT
            )

    def stop(self) -> None:
        """Make the reader leave, without waiting for it."""
        with self._condition:
            self._buffer.clear()
            self._ended = self.stopped = True
            self._condition.notify_all()

    def finished(self) -> None:
        """Note that the reader has left, so that nobody waits for it."""
        with self._condition:
            self._buffer.clear()
            self.reader_gone = True
            self._condition.notify_all()


class ContainerDecoder:
    """A decoder of a streamed container with one track.

    For `opus`, the first bytes tell which container it is. After an AudioError, every further call
    raises one, too; the thread ends by itself.
    """

    in_place_of_lost = "nothing takes its place, and times are earlier by what it held"

    def __init__(self, encoding: ContainerEncoding) -> None:
        self._encoding: str = encoding
        self._head = b""
        self._pipe = _Pipe()
        self._decoded: list[Samples] = []
        self._chunk_samples = 0
        self._chunk_packets = 0
        # Text, since an exception's traceback would keep the whole decoder alive.
        self._refusal: str | None = None
        self._boxes: BoxGuard | None = None
        self._thread: threading.Thread | None = None
        if encoding in _FORMS:
            self._start(_FORMS[encoding])

    @property
    def declared(self) -> Mapping[str, str | int]:
        return {"encoding": self._encoding}

    def check_first(self, payload: bytes) -> None:
        wrong = mismatch(self._encoding, payload)
        if wrong is not None:
            raise WrongDeclaration(wrong)

    def check(self, payload: bytes) -> None:
        """Accept any payload: a container's chunk cannot be judged before those in front of it."""

    def duration(self, payload: bytes) -> float:
        """Return how long the payload lasts at the lowest bit rate that browsers use for speech."""
        return len(payload) / _LEAST_BYTES_PER_SECOND

    def room(self, size: int) -> str:
        return f"{size * 8 // _USUAL_BITS_PER_SECOND} s at {_USUAL_BITS_PER_SECOND // 1000} kbit/s"

    def decode(self, payload: bytes) -> Samples:
        if self._refusal is None and (self._pipe.reader_gone or self._pipe.stopped):
            self._refusal = "the audio container has ended"
        if self._thread is None:
            self._head += payload
            if len(self._head) < HEAD:
                return np.zeros(0, np.float32)
            payload, self._head = self._head, b""
            self._recognise(payload)
        return self._exchange(payload)

    def bridge(self, missing: int) -> Samples:
        """Return no samples: the container's own timestamps and framing lead past a gap."""
        return np.zeros(0, np.float32)

    def flush(self) -> Samples:
        if self._thread is None:
            self._pipe.stop()
            return np.zeros(0, np.float32)
        return self._exchange(b"", end=True)

    def close(self) -> None:
        self._pipe.stop()

    def _recognise(self, head: bytes) -> None:
        """Start with the container that a stream of Opus begins with."""
        found = recognised(head)
        if found is None or self._encoding not in found.encodings:
            self._refusal = "the audio is not Opus in WebM, Ogg or MP4"
            self._pipe.stop()
        else:
            self._encoding = next(e for e in found.encodings if e in _FORMS and "opus" in e)
            self._start(_FORMS[self._encoding])

    def _start(self, form: _Form) -> None:
        if form.demuxer == "mov":
            self._boxes = BoxGuard(_MAX_PACKETS_PER_CHUNK)
        self._thread = threading.Thread(
            target=self._run, args=(form,), name="container-decoder", daemon=True
        )
        self._thread.start()

    def _exchange(self, payload: bytes, *, end: bool = False) -> Samples:
        if self._refusal is None:
            self._chunk_samples = self._chunk_packets = 0
            try:
                safe = self._boxes.checked(payload) if self._boxes is not None else payload
            except AudioError as error:
                self._refusal = str(error)
                self._pipe.stop()
            else:
                if not self._pipe.write(safe, end=end):
                    self._refusal = "the audio container could not be decoded in time"
                    self._pipe.stop()
        if self._refusal is not None:
            raise AudioError(f"{self._refusal}; {_START_ANEW}")
        decoded, self._decoded = self._decoded, []
        return np.concatenate(decoded) if decoded else np.zeros(0, np.float32)

    def _run(self, form: _Form) -> None:
        try:
            with av.open(
                self._pipe,
                mode="r",
                format=form.demuxer,
                options={"probesize": "4096", "codec_whitelist": ",".join(form.codecs)},
                metadata_errors="replace",
            ) as media:
                self._decode(media, form)
        except AudioError as error:
            self._refusal = str(error)
        except (FFmpegError, ValueError):
            self._refusal = f"audio is not a readable {form.sound} stream of that container"
        except Exception:  # noqa: BLE001  the thread ends here: the session must learn of it
            _log.exception("container_decoder_failed")
            self._refusal = "the audio container could not be decoded"
        finally:
            if self._refusal is not None or self._pipe.stopped:
                self._decoded.clear()
            self._pipe.finished()

    def _decode(self, media: InputContainer, form: _Form) -> None:
        if not media.streams.audio:
            raise AudioError("the audio container holds no audio track")
        track = media.streams.audio[0]
        # Whatever the types say, the context is None for a codec that FFmpeg does not know.
        codec = track.codec_context
        usable = codec and codec.name in form.codecs and 0 < codec.sample_rate <= _MAX_RATE
        if not usable or (form.codecs == _OPUS and codec.sample_rate != _MAX_RATE):
            raise AudioError(f"only {form.sound} is accepted in this audio container")
        resampler = AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE)
        for packet in media.demux(track):
            self._count(packets=1)
            for frame in packet.decode():
                self._count(samples=frame.samples * frame.layout.nb_channels)
                self._keep(resampler.resample(frame))
            if self._pipe.stopped:
                return
        self._keep(resampler.resample(None))

    def _count(self, *, packets: int = 0, samples: int = 0) -> None:
        self._chunk_packets += packets
        self._chunk_samples += samples
        if (
            self._chunk_packets > _MAX_PACKETS_PER_CHUNK
            or self._chunk_samples > _MAX_SECONDS_PER_CHUNK * _MAX_RATE
        ):
            raise AudioError(
                f"one chunk of an audio container may hold {_MAX_SECONDS_PER_CHUNK} s "
                f"in {_MAX_PACKETS_PER_CHUNK} packets; send shorter chunks"
            )

    def _keep(self, frames: list[av.AudioFrame]) -> None:
        self._decoded += [np.asarray(f.to_ndarray(), np.float32).reshape(-1) for f in frames]
