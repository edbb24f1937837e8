"""MP4 passes as recorders write it; boxes that claim more than they hold are refused."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.containers import written

from voice_service.audio.containers import ContainerDecoder
from voice_service.audio.formats import AudioError
from voice_service.audio.mp4_boxes import BoxGuard

MOST = 2_000


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def table(kind: bytes, *words: int) -> bytes:
    return box(kind, struct.pack(f">{1 + len(words)}I", 0, *words))


def moov(*tables: bytes) -> bytes:
    return box(b"moov", box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", *tables)))))


def moof(*counts: int) -> bytes:
    return box(b"moof", box(b"traf", *(table(b"trun", count) for count in counts)))


@pytest.mark.parametrize("encoding", ["fmp4_opus", "fmp4_aac"])
@given(step=st.integers(1, 4_000))
def test_a_recording_passes_unchanged_however_it_is_cut(encoding: str, step: int) -> None:
    """Media at once, other boxes when they are whole."""
    data = RECORDED[encoding]
    guard = BoxGuard(MOST)
    assert b"".join(guard.checked(data[i : i + step]) for i in range(0, len(data), step)) == data


RECORDED = {e: written(np.zeros(16_000, np.float32), e) for e in ("fmp4_opus", "fmp4_aac")}


@pytest.mark.parametrize(
    "attack",
    [
        moov(table(b"stsz", 1, 60_000_000)),
        moov(table(b"stts", 60_000_000)),
        moov(table(b"stsc", 1)),
        box(b"udta", table(b"stz2", 8, 60_000_000)),
        box(b"free", table(b"co64", 1)),
        box(b"moov", box(b"cmov")),
        box(b"meta", table(b"keys", 200_000_000)),
        box(b"meta", table(b"iinf", 40_000_000)),
        moof(40_000_000),
        moof(*[1_000] * 3),
        moof(1_500) + moof(1_500),
        moof(1_500) + box(b"mdat", b"....") + moof(1_500),
        box(b"traf", table(b"sbgp", 0, MOST + 1)),
        box(b"sidx", bytes(22) + struct.pack(">H", MOST + 1)),
        box(b"moof", box(b"mdat")),
        b"cttstsz".join([struct.pack(">I", 27) + b"free", struct.pack(">III", 0, 1, 9)]),
    ],
)
def test_boxes_that_claim_what_no_recorder_writes_are_refused(attack: bytes) -> None:
    """Wherever they are, and however many small ones there are."""
    with pytest.raises(AudioError):
        BoxGuard(MOST).checked(attack)


@pytest.mark.parametrize("size", [0, 2, 7, 1 << 20])
def test_sizes_that_cannot_be_are_refused(size: int) -> None:
    """Zero means up to the end of the file, which a stream does not have."""
    with pytest.raises(AudioError, match="claims"):
        BoxGuard(MOST).checked(struct.pack(">I4s", size, b"moov"))
    with pytest.raises(AudioError, match="claims"):
        BoxGuard(MOST).checked(struct.pack(">I4sQ", 1, b"moov", size))


def test_media_may_be_long_and_is_not_looked_into() -> None:
    """Its size may be given in 64 bits, and its bytes may look like anything."""
    media = struct.pack(">I4sQ", 1, b"mdat", 16 + 12) + table(b"stts", 9)[4:] + b"    "
    assert len(media) == 16 + 16
    guard = BoxGuard(MOST)
    assert guard.checked(media[:28]) == media[:28]
    assert guard.checked(moof(1_500)) == moof(1_500)
    assert guard.checked(moof(1_500)) == moof(1_500)


@pytest.mark.parametrize("kind", [b"stsz", b"trun"])
def test_the_decoder_refuses_before_anything_is_allocated(kind: bytes) -> None:
    """A real head with one count changed."""
    data = bytearray(RECORDED["fmp4_opus"])
    at = data.index(kind) + (12 if kind == b"stsz" else 8)
    data[at : at + 4] = struct.pack(">I", 40_000_000)
    decoder = ContainerDecoder("fmp4_opus")
    with pytest.raises(AudioError, match="start a new session"):
        decoder.decode(bytes(data))
    decoder.close()
