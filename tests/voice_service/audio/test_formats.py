"""Decoding of base64 and audio formats, against references that share no code with ours."""

from __future__ import annotations

import base64
import io
from typing import get_args

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from voice_service.audio.encodings import PcmEncoding
from voice_service.audio.formats import (
    SAMPLE_RATE,
    AudioError,
    AudioFormat,
    Framer,
    PcmDecoder,
    decode_base64,
)

ENCODINGS = get_args(PcmEncoding)
SUBTYPE = {"pcm_s16le": "PCM_16", "pcm_f32le": "FLOAT", "mulaw": "ULAW", "alaw": "ALAW"}
WIDTH = {"pcm_s16le": 2, "pcm_f32le": 4, "mulaw": 1, "alaw": 1}
RATES = (8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)


def tone(rate: int, seconds: float = 1.0, hertz: float = 440.0) -> NDArray[np.float32]:
    at = np.arange(round(rate * seconds)) / rate
    return np.asarray(0.5 * np.sin(2 * np.pi * hertz * at), np.float32)


def encode(samples: NDArray[np.float32], encoding: str, rate: int = SAMPLE_RATE) -> bytes:
    """Return samples encoded by libsndfile, without a header."""
    file = io.BytesIO()
    soundfile.write(file, samples, rate, subtype=SUBTYPE[encoding], format="RAW", endian="LITTLE")
    return file.getvalue()


def reference(payload: bytes, encoding: str, rate: int, channels: int) -> NDArray[np.float32]:
    """Return what libsndfile reads from the same bytes."""
    data, _ = soundfile.read(
        io.BytesIO(payload),
        dtype="float32",
        samplerate=rate,
        channels=channels,
        subtype=SUBTYPE[encoding],
        format="RAW",
        endian="LITTLE",
    )
    return np.asarray(data, np.float32)


def decode_all(decoder: PcmDecoder, payload: bytes, chunk: int) -> NDArray[np.float32]:
    parts = [decoder.decode(payload[i : i + chunk]) for i in range(0, len(payload), chunk)]
    return np.concatenate([*parts, decoder.flush()])


@given(st.binary(min_size=1, max_size=300))
def test_base64_gives_back_the_bytes(payload: bytes) -> None:
    """Whatever the audio, encoding it as text loses nothing."""
    assert decode_base64(base64.b64encode(payload).decode()) == payload


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@@@@",
        "AAA",
        "AA=A",
        "AAAA\n",
        " AAAA",
        "A===",
        "AA==AA==",
        "AA-_",
        "ÄÖÜ=",
        "data:,AAAA",
    ],
)
def test_what_is_not_strict_base64_is_refused(text: str) -> None:
    """A lenient decoder would turn damage into noise or drop it."""
    with pytest.raises(AudioError):
        decode_base64(text)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_every_encoding_decodes_as_libsndfile_does(encoding: PcmEncoding, channels: int) -> None:
    """Levels and signs are right, and channels are averaged."""
    rng = np.random.default_rng(7)
    original = rng.uniform(-1, 1, (4_000, channels)).astype(np.float32)
    payload = encode(original, encoding)
    expected = reference(payload, encoding, SAMPLE_RATE, channels)
    expected = expected.reshape(-1, channels).mean(axis=1)
    decoder = PcmDecoder(AudioFormat(encoding, SAMPLE_RATE, channels))
    decoder.check(payload)
    np.testing.assert_allclose(decoder.decode(payload), expected, atol=2e-6)


@pytest.mark.parametrize("encoding", ["mulaw", "alaw"])
def test_all_256_code_words_of_g711_are_right(encoding: PcmEncoding) -> None:
    """A wrong segment of the table could be heard but would not be seen."""
    words = bytes(range(256))
    ours = PcmDecoder(AudioFormat(encoding, SAMPLE_RATE, 1)).decode(words)
    np.testing.assert_allclose(ours, reference(words, encoding, SAMPLE_RATE, 1), atol=1e-7)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("channels", [1, 2, 3])
def test_a_length_that_is_no_whole_number_of_samples_is_refused(
    encoding: PcmEncoding, channels: int
) -> None:
    """Half a sample would shift every sample after it."""
    decoder = PcmDecoder(AudioFormat(encoding, 16_000, channels))
    block = WIDTH[encoding] * channels
    decoder.check(bytes(4 * block))
    for extra in range(1, block):
        with pytest.raises(AudioError, match=str(block)):
            decoder.check(bytes(4 * block + extra))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_samples_that_are_no_numbers_are_refused(value: float) -> None:
    """One NaN would make the whole utterance NaN."""
    payload = np.array([0.1, value, 0.2], "<f4").tobytes()
    with pytest.raises(AudioError, match="finite"):
        PcmDecoder(AudioFormat("pcm_f32le")).check(payload)


def test_float_samples_beyond_full_scale_are_clipped() -> None:
    """A client that scales to 32768 must not deafen the detector."""
    payload = np.array([-3e38, -1.5, 0.25, 7.0], "<f4").tobytes()
    decoded = PcmDecoder(AudioFormat("pcm_f32le")).decode(payload)
    assert decoded.tolist() == [-1.0, -1.0, 0.25, 1.0]


def test_a_refused_payload_leaves_no_trace() -> None:
    """`check` comes before the reorder buffer, so the repaired chunk may be sent again."""
    decoder = PcmDecoder(AudioFormat("pcm_f32le", 8_000, 1))
    with pytest.raises(AudioError):
        decoder.check(b"123")
    good = encode(tone(8_000), "pcm_f32le")
    clean = PcmDecoder(AudioFormat("pcm_f32le", 8_000, 1))
    np.testing.assert_array_equal(decode_all(decoder, good, 800), decode_all(clean, good, 800))


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("chunk_ms", [7, 20, 100, 1_000])
def test_resampling_keeps_duration_and_pitch(rate: int, chunk_ms: int) -> None:
    """Times in milliseconds stay correct, and voices keep their pitch, for any size of chunk."""
    seconds, hertz = 2.0, 440.0
    payload = encode(tone(rate, seconds, hertz), "pcm_s16le")
    decoder = PcmDecoder(AudioFormat("pcm_s16le", rate, 1))
    samples = decode_all(decoder, payload, 2 * (rate * chunk_ms // 1_000))
    assert abs(len(samples) / SAMPLE_RATE - seconds) <= 0.001
    middle = samples[SAMPLE_RATE // 4 : -SAMPLE_RATE // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    peak = float(np.argmax(spectrum)) * SAMPLE_RATE / len(middle)
    assert peak == pytest.approx(hertz, abs=1.5)
    assert float(np.sqrt(np.mean(middle**2))) == pytest.approx(0.5 / np.sqrt(2), rel=0.01)


@pytest.mark.parametrize("rate", [8_000, 16_000, 48_000])
def test_a_gap_is_bridged_with_as_much_silence_as_was_lost(rate: int) -> None:
    """The audio after the gap keeps its place in time."""
    chunk = encode(tone(rate, 0.1), "pcm_s16le")
    decoder = PcmDecoder(AudioFormat("pcm_s16le", rate, 1))
    parts = [decoder.decode(chunk), decoder.bridge(3), decoder.decode(chunk), decoder.flush()]
    samples = np.concatenate(parts)
    assert len(samples) == pytest.approx(0.5 * SAMPLE_RATE, abs=16)
    assert float(np.abs(samples[2_400:5_600]).max()) < 0.01
    assert float(np.abs(samples[6_600:7_800]).max()) > 0.4


def test_a_gap_before_the_first_chunk_is_as_long_as_the_chunks_are() -> None:
    """If the first chunk is lost, the stream still starts at its proper time."""
    chunk = encode(tone(16_000, 0.1), "pcm_s16le")
    decoder = PcmDecoder(AudioFormat())
    assert len(decoder.bridge(2)) + len(decoder.decode(chunk)) == 3 * 1_600
    assert len(decoder.decode(chunk)) == 1_600


def test_the_silence_of_one_gap_is_bounded() -> None:
    """A billion lost chunks, by a wrong sequence number, must not become years of audio."""
    chunk = encode(tone(16_000, 0.1), "pcm_s16le")
    decoder = PcmDecoder(AudioFormat())
    decoder.decode(chunk)
    assert len(decoder.bridge(10**9)) <= 120 * SAMPLE_RATE


@given(st.lists(st.integers(0, 700), max_size=12), st.integers(1, 600))
def test_framing_loses_no_sample_for_any_chunking(sizes: list[int], length: int) -> None:
    """Joined frames are the stream, filled up with silence only at the very end."""
    total = sum(sizes)
    stream = np.arange(1, total + 1, dtype=np.float32)
    framer, at = Framer(length), 0
    frames: list[NDArray[np.float32]] = []
    for size in sizes:
        frames += framer.push(stream[at : at + size])
        at += size
        assert len(frames) == at // length
    frames += framer.flush()
    assert all(len(frame) == length for frame in frames)
    together = np.concatenate(frames) if frames else stream
    np.testing.assert_array_equal(together[:total], stream)
    assert not together[total:].any()
    assert framer.flush() == []


def test_a_frame_does_not_change_when_the_callers_buffer_does() -> None:
    """A remainder must be a copy: the caller may overwrite its buffer."""
    framer, buffer = Framer(4), np.ones(3, np.float32)
    framer.push(buffer)
    buffer[:] = 9
    [frame] = framer.push(np.zeros(1, np.float32))
    assert frame.tolist() == [1, 1, 1, 0]
