"""What the first bytes of a stream tell, with files that other programs wrote."""

from __future__ import annotations

import io
from functools import cache

import av
import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from support.containers import written
from support.recordings import recording

from voice_service.audio.signatures import mismatch, recognised


@cache
def file(form: str, codec: str) -> bytes:
    """Return half a second of speech, encoded by FFmpeg."""
    out = io.BytesIO()
    with av.open(out, "w", format=form) as container:
        track = container.add_stream(codec, rate=48_000, layout="mono")
        resampler = av.AudioResampler(track.format, "mono", 48_000, track.frame_size or 1_152)
        frame = av.AudioFrame.from_ndarray(recording("one_item")[None, 8_000:16_000], "flt", "mono")
        frame.sample_rate = 16_000
        for resampled in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(track.encode(resampled))
        container.mux(track.encode(None))
    return out.getvalue()


def wav(subtype: str, rate: int = 8_000, channels: int = 1, form: str = "WAV") -> bytes:
    out = io.BytesIO()
    soundfile.write(out, np.zeros((800, channels)), rate, subtype=subtype, format=form)
    return out.getvalue()


FILES = [
    ("a WAV file", wav("PCM_16"), "declared as pcm_s16le, sample_rate 8000, channels 1"),
    ("a WAV file", wav("FLOAT", 44_100, 2), "as pcm_f32le, sample_rate 44100, channels 2"),
    ("a WAV file", wav("ULAW"), "declared as mulaw, sample_rate 8000"),
    ("a WAV file", wav("PCM_24"), "decode it"),
    ("Ogg", file("ogg", "libopus"), "declare ogg_opus"),
    ("Ogg without Opus", wav("VORBIS", form="OGG"), "decode it"),
    ("WebM", file("webm", "libopus"), "declare webm_opus"),
    ("MP4 with AAC", written(recording("one_item"), "fmp4_aac"), "declare fmp4_aac"),
    ("MP4 with Opus", written(recording("one_item"), "fmp4_opus"), "declare fmp4_opus"),
    ("a FLAC file", file("flac", "flac"), "decode it"),
    ("AAC in ADTS", file("adts", "aac"), "decode it"),
    ("MP3", file("mp3", "libmp3lame"), "decode it"),
]


@pytest.mark.parametrize(("name", "data", "advice"), FILES, ids=[f[0] + f[2] for f in FILES])
def test_files_declared_as_samples_are_named_with_what_to_declare(
    name: str, data: bytes, advice: str
) -> None:
    """The first chunk of an upload is enough."""
    problem = mismatch("pcm_s16le", data[:4_000])
    assert problem is not None
    assert problem.startswith(f"audio is {name}, not pcm_s16le; ")
    assert advice in problem


def test_mp3_without_a_tag_is_recognised_by_its_frames() -> None:
    """As a stream from the middle of a broadcast begins."""
    data = file("mp3", "libmp3lame")
    start = data.index(b"\xff\xfb")
    found = recognised(data[start:])
    assert found is not None
    assert found.name == "MP3"


@pytest.mark.parametrize("encoding", ["webm_opus", "ogg_opus", "fmp4_aac", "fmp4_opus"])
def test_a_container_declared_as_such_is_no_mismatch(encoding: str) -> None:
    """Nor is the beginning of one that is too short to tell."""
    data = written(recording("one_item"), encoding)
    assert mismatch(encoding, data) is None
    assert mismatch(encoding, data[:5]) is None
    others = {"webm_opus", "ogg_opus", "fmp4_aac", "fmp4_opus"} - {encoding}
    for other in others:
        assert f"declare {encoding}" in (mismatch(other, data) or "")


def test_samples_declared_as_a_container_are_a_mismatch() -> None:
    """The commonest mistake the other way round."""
    assert "begins with OggS" in (mismatch("ogg_opus", bytes(640)) or "")


@given(st.binary(max_size=200))
def test_any_bytes_can_be_looked_at(data: bytes) -> None:
    """Heads that are cut off or damaged raise nothing."""
    recognised(data)
    for head in (b"RIFF\0\0\0\0WAVEfmt ", b"\xff\xf1", b"\xff\xfb", b"OggS\0"):
        recognised(head + data)


@pytest.mark.parametrize("word", [0, -1, -1_025, 0x7FFF, -0x8000])
def test_constant_samples_are_no_file(word: int) -> None:
    """Silence of a converter, and whatever else repeats."""
    assert recognised(np.full(2_000, word, "<i2").tobytes()) is None
    assert recognised(bytes([word & 0xFF]) * 2_000) is None
