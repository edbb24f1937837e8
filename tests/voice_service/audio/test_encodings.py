"""The names by which encodings are declared."""

from __future__ import annotations

from typing import get_args

import pytest

from voice_service.audio.encodings import ContainerEncoding, Encoding, PcmEncoding, resolve


@pytest.mark.parametrize(
    ("name", "encoding", "rate"),
    [
        ("LINEAR16", "pcm_s16le", None),
        ("pcm16", "pcm_s16le", None),
        ("slin", "pcm_s16le", 8_000),
        ("slin16", "pcm_s16le", 16_000),
        ("slin24", "pcm_s16le", 24_000),
        ("slin44", "pcm_s16le", 44_100),
        ("slin192", "pcm_s16le", 192_000),
        ("pcm_mulaw", "mulaw", 8_000),
        ("audio/pcm;rate=24000", "pcm_s16le", 24_000),
        ("f32le", "pcm_f32le", None),
        ("mulaw", "mulaw", None),
        ("g711_ulaw", "mulaw", 8_000),
        ("audio/x-mulaw", "mulaw", 8_000),
        ("PCMA", "alaw", 8_000),
        ("WEBM_OPUS", "webm_opus", None),
        ("ogg-opus", "ogg_opus", None),
        ('audio/webm; codecs="opus"', "webm_opus", None),
        ("audio/ogg;codecs=opus", "ogg_opus", None),
        ("audio/mp4", "fmp4", None),
        ("audio/mp4;codecs=mp4a.40.2", "fmp4_aac", None),
        ("audio/mp4; codecs=opus", "fmp4_opus", None),
        ('video/webm; codecs="vp8, opus"', "webm_opus", None),
        ('video/mp4;codecs="avc1.42E01E,mp4a.40.2"', "fmp4_aac", None),
        ("opus", "opus", None),
        ("audio/opus", "opus", None),
    ],
)
def test_common_names_are_taken(name: str, encoding: str, rate: int | None) -> None:
    """As other services, telephone systems and browsers write them."""
    assert resolve(name) == (encoding, rate)


@pytest.mark.parametrize("encoding", get_args(Encoding))
def test_our_own_names_imply_no_rate(encoding: str) -> None:
    """Their default is documented as 16,000 Hz."""
    assert resolve(encoding) == (encoding, None)


def test_every_encoding_is_samples_or_a_container() -> None:
    """The three lists are written out, because types cannot be joined."""
    assert get_args(Encoding) == (*get_args(PcmEncoding), *get_args(ContainerEncoding))


@pytest.mark.parametrize("name", ["", ";", "mp3", "audio/L16", "slin;rate=", "x" * 300])
def test_unknown_names_are_left_for_the_error(name: str) -> None:
    """It lists what there is."""
    assert resolve(name)[0] not in {"", *get_args(ContainerEncoding)} or name in ("", ";")


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("audio/webm;codecs=pcm", "use opus"),
        ('audio/webm; codecs="vorbis"', "use opus"),
        ("audio/ogg;codecs=flac", "use opus"),
        ("ogg_opus;codecs=speex", "use opus"),
        ("audio/mp4;codecs=flac", "use opus or mp4a.40.2"),
        ("audio/mp4;codecs=", "use opus or mp4a.40.2"),
    ],
)
def test_codecs_that_are_not_decoded_are_refused_by_name(name: str, instead: str) -> None:
    """Not after the first chunk, when a guest is already speaking."""
    with pytest.raises(ValueError, match=instead):
        resolve(name)
