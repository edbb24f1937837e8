"""Streamed containers, pushed in pieces of any size.

No thread is left behind, however it ends.
"""

from __future__ import annotations

import io
import threading
from fractions import Fraction
from functools import cache
from itertools import pairwise

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.containers import written
from support.recordings import recording

from voice_service.audio import containers
from voice_service.audio.containers import ContainerDecoder
from voice_service.audio.encodings import ContainerEncoding
from voice_service.audio.formats import SAMPLE_RATE, AudioError

pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")

CONTAINERS: list[ContainerEncoding] = ["webm_opus", "ogg_opus", "fmp4_opus", "fmp4_aac"]
SECONDS = 2.0


@cache
def spoken() -> NDArray[np.float32]:
    """Return two seconds of a recording that contain speech."""
    return recording("one_item")[8_000 : 8_000 + round(SECONDS * SAMPLE_RATE)]


@cache
def encoded(encoding: str) -> bytes:
    return written(spoken(), encoding)


def packets(packet: bytes, milliseconds: float, count: int, layout: str = "mono") -> bytes:
    """Return an Ogg that repeats one packet, of a size that no encoder would write."""
    file = io.BytesIO()
    with av.open(file, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000, layout=layout)
        stream.codec_context.open()
        for i in range(count):
            one = av.Packet(packet)
            one.stream, one.time_base = stream, Fraction(1, 48_000)
            one.pts = one.dts = round(i * milliseconds * 48)
            one.duration = round(milliseconds * 48)
            container.mux(one)
    return file.getvalue()


def pcm(rate: int) -> bytes:
    """Return a Matroska file whose sound is not Opus."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("pcm_s16le", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 2_000), np.int16), "s16", "mono")
        frame.sample_rate, frame.pts = rate, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


def threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name == "container-decoder"]


def assert_no_thread_is_left() -> None:
    """Assert that the decoding threads end by themselves."""
    for thread in threads():
        thread.join(5)
    assert threads() == []


def decode(encoding: ContainerEncoding, chunks: list[bytes]) -> NDArray[np.float32]:
    decoder = ContainerDecoder(encoding)
    try:
        return np.concatenate([*map(decoder.decode, chunks), decoder.flush()])
    finally:
        decoder.close()


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(p % (len(data) + 1) for p in places), len(data)]
    return [data[a:b] for a, b in pairwise(edges) if b > a]


@pytest.mark.parametrize("encoding", CONTAINERS)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_container_gives_the_audio_that_went_in(
    encoding: ContainerEncoding, channels: int
) -> None:
    """The length is the same within two Opus frames, and so is the sound."""
    samples = decode(encoding, [written(spoken(), encoding, channels)])
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.045)
    common = min(len(samples), len(spoken()))
    lags = np.correlate(samples[:common], spoken()[800 : common - 800], "valid")
    matched = spoken()[800 : common - 800]
    offset = int(np.argmax(lags))
    part = samples[offset : offset + len(matched)]
    assert float(np.corrcoef(part, matched)[0, 1]) > 0.9
    assert_no_thread_is_left()


@pytest.mark.parametrize("encoding", CONTAINERS)
@given(places=st.lists(st.integers(0, 2**20), max_size=30))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_cutting_into_chunks_gives_the_same_samples(
    encoding: ContainerEncoding, places: list[int]
) -> None:
    """A browser cuts its recording when its timer fires, not where a page of the format ends."""
    data = encoded(encoding)
    np.testing.assert_array_equal(decode(encoding, cut(data, places)), decode(encoding, [data]))
    assert_no_thread_is_left()


@pytest.mark.parametrize("encoding", CONTAINERS)
def test_audio_comes_out_while_the_container_is_still_being_written(
    encoding: ContainerEncoding,
) -> None:
    """A partial transcript needs the speech so far, not the end of the file."""
    data, decoder = written(np.tile(spoken(), 3), encoding), ContainerDecoder(encoding)
    early = sum(len(decoder.decode(chunk)) for chunk in cut(data[: len(data) * 3 // 4], [500]))
    assert early > 2 * SAMPLE_RATE
    decoder.close()
    assert_no_thread_is_left()


@pytest.mark.parametrize("encoding", CONTAINERS)
@pytest.mark.parametrize("fed", [0, 1, 40, 700, 5_000, 10**6])
def test_close_at_any_time_leaves_no_thread(encoding: ContainerEncoding, fed: int) -> None:
    """A connection can be lost at any byte."""
    decoder = ContainerDecoder(encoding)
    if fed:
        decoder.decode(encoded(encoding)[:fed])
    decoder.close()
    decoder.close()
    assert_no_thread_is_left()


@pytest.mark.parametrize("encoding", CONTAINERS)
def test_close_after_flush_leaves_no_thread(encoding: ContainerEncoding) -> None:
    """The ordinary end of a session."""
    decoder = ContainerDecoder(encoding)
    decoder.decode(encoded(encoding))
    decoder.flush()
    decoder.close()
    assert_no_thread_is_left()


@pytest.mark.parametrize("encoding", CONTAINERS)
@given(garbage=st.binary(min_size=1, max_size=6_000))
@settings(max_examples=40, deadline=None)
def test_garbage_is_an_audio_error_or_nothing_and_leaves_no_thread(
    encoding: ContainerEncoding, garbage: bytes
) -> None:
    """Bytes from the network can only break their own session."""
    decoder = ContainerDecoder(encoding)
    heard = 0
    try:
        heard += len(decoder.decode(garbage))
        heard += len(decoder.decode(garbage[::-1]))
        heard += len(decoder.flush())
    except AudioError as error:
        assert "container" in str(error)
        assert str(error).endswith("; start a new session")
    assert heard <= 60 * SAMPLE_RATE
    decoder.close()
    assert_no_thread_is_left()


@pytest.mark.parametrize("encoding", CONTAINERS)
@given(damage=st.lists(st.tuples(st.integers(0, 2**20), st.integers(0, 255)), max_size=40))
@settings(max_examples=25, deadline=None)
def test_a_damaged_container_is_an_audio_error_or_audio(
    encoding: ContainerEncoding, damage: list[tuple[int, int]]
) -> None:
    """Whatever bytes are flipped, the samples are finite in value and number."""
    data = bytearray(encoded(encoding))
    for place, value in damage:
        data[place % len(data)] = value
    decoder = ContainerDecoder(encoding)
    try:
        samples = np.concatenate([*map(decoder.decode, cut(bytes(data), [3_000])), decoder.flush()])
        assert np.isfinite(samples).all()
    except AudioError as error:
        assert "container" in str(error)
        assert str(error).endswith("; start a new session")
    decoder.close()
    assert_no_thread_is_left()


def test_metadata_that_is_no_text_does_not_deafen_the_session() -> None:
    """A tag in another character set must not stop the sound from being decoded."""
    data = encoded("webm_opus")
    assert b"Lavf" in data
    samples = decode("webm_opus", [data.replace(b"Lavf", b"\xbb\xff\xfe\x80")])
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.045)


def test_a_lost_chunk_costs_its_own_audio_only() -> None:
    """The demuxer finds the next cluster, so later speech is still heard."""
    data = written(np.tile(spoken(), 4), "ogg_opus")
    third = len(data) // 3
    decoder = ContainerDecoder("ogg_opus")
    parts = [decoder.decode(data[:third]), decoder.bridge(1), decoder.decode(data[third + 900 :])]
    samples = np.concatenate([*parts, decoder.flush()])
    decoder.close()
    assert len(samples) > 0.6 * 4 * SECONDS * SAMPLE_RATE
    assert_no_thread_is_left()


def test_a_container_without_sound_is_refused() -> None:
    """A video track alone is no microphone."""
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream("rawvideo", rate=1)
        stream.width = stream.height = 16
        stream.pix_fmt = "yuv420p"
        container.mux(stream.encode(av.VideoFrame(16, 16, "yuv420p")))
        container.mux(stream.encode(None))
    decoder = ContainerDecoder("webm_opus")
    with pytest.raises(AudioError, match="no audio track"):
        decoder.decode(file.getvalue())
        decoder.flush()
    decoder.close()
    assert_no_thread_is_left()


def test_after_an_error_every_chunk_is_refused_and_none_is_kept() -> None:
    """A client that goes on sending into a broken stream does not fill the memory."""
    decoder = ContainerDecoder("webm_opus")
    with pytest.raises(AudioError):
        decoder.decode(b"this is no matroska" * 200)
        decoder.flush()
    for _ in range(50):
        with pytest.raises(AudioError):
            decoder.decode(bytes(10_000))
    assert not decoder._pipe._buffer
    decoder.close()
    assert_no_thread_is_left()


@pytest.mark.parametrize("encoding", ["webm_opus", "ogg_opus", "fmp4_opus"])
@pytest.mark.parametrize("places", [[], [3, 7, 40]])
def test_opus_is_decoded_in_whichever_container_it_comes(encoding: str, places: list[int]) -> None:
    """The first bytes tell, and the decoder then says which one it is."""
    decoder = ContainerDecoder("opus")
    parts = [decoder.decode(chunk) for chunk in cut(encoded(encoding), places)]
    samples = np.concatenate([*parts, decoder.flush()])
    decoder.close()
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.045)
    assert decoder.declared == {"encoding": encoding}
    assert_no_thread_is_left()


@pytest.mark.parametrize("encoding", ["fmp4_opus", "fmp4_aac"])
def test_mp4_of_which_no_codec_was_named_may_have_either(encoding: str) -> None:
    """`audio/mp4` is AAC in Safari and Opus in Chromium."""
    samples = decode("fmp4", cut(encoded(encoding), [700, 2_000]))
    assert len(samples) / SAMPLE_RATE == pytest.approx(SECONDS, abs=0.045)
    assert_no_thread_is_left()


def test_opus_without_a_container_is_refused() -> None:
    """Bare packets have no lengths: nobody could tell where one ends."""
    decoder = ContainerDecoder("opus")
    for _ in range(2):
        with pytest.raises(AudioError, match=r"not Opus in WebM, Ogg or MP4; start a new session"):
            decoder.decode(b"\xf8\xff\xfe" * 40)
    assert_no_thread_is_left()


def test_opus_of_which_nothing_came_ends_in_silence() -> None:
    """The guest has driven on before the recorder's first chunk."""
    decoder = ContainerDecoder("opus")
    assert len(decoder.decode(b"Ogg")) == len(decoder.flush()) == 0
    decoder.close()


def test_many_sessions_decode_side_by_side() -> None:
    """Each has its own thread and pipe."""
    decoders = [ContainerDecoder(CONTAINERS[i % 4]) for i in range(6)]
    chunks = [cut(encoded(CONTAINERS[i % 4]), [2_000, 4_000, 6_000]) for i in range(6)]
    heard = [0] * 6
    for step in range(4):
        for i, decoder in enumerate(decoders):
            heard[i] += len(decoder.decode(chunks[i][step])) if step < len(chunks[i]) else 0
    for i, decoder in enumerate(decoders):
        heard[i] += len(decoder.flush())
        decoder.close()
    assert all(n == pytest.approx(SECONDS * SAMPLE_RATE, abs=720) for n in heard)
    assert_no_thread_is_left()


@pytest.mark.parametrize("rate", [1, 16_000, 48_000])
def test_a_container_of_anything_but_opus_is_refused(rate: int) -> None:
    """At one sample a second, 40 KB of PCM would become hours of sound in one frame."""
    decoder = ContainerDecoder("webm_opus")
    for _ in range(2):
        with pytest.raises(AudioError, match=r"only Opus .*; start a new session"):
            decoder.decode(pcm(rate))
    assert_no_thread_is_left()


def test_a_codec_that_nobody_knows_is_refused_in_every_chunk() -> None:
    """Otherwise a thread killed by it would look like silence from then on."""
    decoder = ContainerDecoder("webm_opus")
    for chunk in cut(encoded("webm_opus").replace(b"A_OPUS", b"A_OPUX"), [5_000, 6_000]):
        with pytest.raises(AudioError, match="only Opus"):
            decoder.decode(chunk)
    assert_no_thread_is_left()


@pytest.mark.parametrize(
    ("packet", "milliseconds", "count", "layout"),
    [
        (b"\xe0", 2.5, 2_100, "mono"),
        (b"\xe3\x30", 120, 260, "mono"),
        (b"\xe7\x30", 120, 135, "stereo"),
    ],
    ids=["many packets", "long packets", "long packets of two channels"],
)
def test_a_chunk_that_unpacks_to_too_much_ends_the_session_and_its_thread(
    packet: bytes, milliseconds: float, count: int, layout: str
) -> None:
    """48 KB can hold 20,000 packets or half an hour, and the event loop would wait for them."""
    decoder = ContainerDecoder("ogg_opus")
    with pytest.raises(AudioError, match="shorter chunks; start a new session"):
        decoder.decode(packets(packet, milliseconds, count, layout))
    assert_no_thread_is_left()
    assert not decoder._decoded
    assert not decoder._pipe._buffer


@pytest.mark.parametrize(
    ("packet", "milliseconds"), [(b"\xe0", 2.5), (b"\xf8", 20), (b"\xe3\x30", 120)]
)
def test_the_bound_is_on_a_chunk_not_on_the_session(packet: bytes, milliseconds: float) -> None:
    """A long order in many chunks is no attack, whatever packets its recorder makes."""
    data = packets(packet, milliseconds, round(min(4_500, 75_000 / milliseconds)))
    decoder = ContainerDecoder("ogg_opus")
    heard = sum(len(decoder.decode(c)) for c in cut(data, [len(data) * i // 6 for i in range(6)]))
    heard += len(decoder.flush())
    assert heard / SAMPLE_RATE == pytest.approx(min(75, 4_500 * milliseconds / 1e3), abs=0.05)
    assert_no_thread_is_left()


def test_a_failure_nobody_thought_of_is_the_sessions_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is neither an unhandled exception in a thread nor silence for the rest of the session."""

    def no_memory(**_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(containers, "AudioResampler", no_memory)
    decoder = ContainerDecoder("webm_opus")
    for _ in range(2):
        with pytest.raises(AudioError, match=r"container .*; start a new session"):
            decoder.decode(encoded("webm_opus"))
    assert_no_thread_is_left()


def test_close_does_not_wait_for_a_chunk_that_takes_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The event loop closes sessions and must not stop for a broken one."""
    released, real = threading.Event(), containers.AudioResampler

    def slow(**options: object) -> object:
        assert released.wait(10)
        return real(**options)

    monkeypatch.setattr(containers, "AudioResampler", slow)
    monkeypatch.setattr(containers, "_HANDOVER_TIMEOUT", 0.05)
    decoder = ContainerDecoder("webm_opus")
    with pytest.raises(AudioError, match="in time; start a new session"):
        decoder.decode(encoded("webm_opus"))
    # Were it to wait, it would for an hour.
    monkeypatch.setattr(containers, "_HANDOVER_TIMEOUT", 3_600.0)
    decoder.close()
    assert threads()
    released.set()
    assert_no_thread_is_left()
    assert not decoder._decoded


def test_a_chunk_that_takes_too_long_ends_the_thread_without_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The rest of a refused session is neither decoded nor waited for."""
    monkeypatch.setattr(containers, "_HANDOVER_TIMEOUT", 0.0)
    decoder = ContainerDecoder("ogg_opus")
    with pytest.raises(AudioError, match="in time"):
        decoder.decode(packets(b"\xf8", 20, 1_400))
    assert_no_thread_is_left()
    assert not decoder._decoded


@pytest.mark.parametrize("ending", ["flush", "close"])
def test_a_container_that_has_ended_takes_no_more_chunks(ending: str) -> None:
    """Audio is decoded or refused, never dropped silently."""
    decoder = ContainerDecoder("ogg_opus")
    decoder.decode(encoded("ogg_opus"))
    getattr(decoder, ending)()
    with pytest.raises(AudioError, match="has ended; start a new session"):
        decoder.decode(encoded("ogg_opus"))
    assert_no_thread_is_left()
