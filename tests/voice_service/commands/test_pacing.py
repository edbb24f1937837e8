"""How recordings are split into chunks and paced."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_service.commands.pacing import OutgoingChunk, Pace, pcm, play

SPOKEN = np.linspace(-1, 1, 16_000 * 3 + 77).astype(np.float32)


@given(
    st.integers(0, 60_000),
    st.sampled_from([0.0, 0.5, 1.0, 4.0, 20.0]),
    st.integers(10, 400),
    st.integers(1, 30),
)
def test_chunks_hold_the_whole_recording_whatever_the_pace(
    length: int, speed: float, chunk_ms: int, shuffle: int
) -> None:
    """In order, the chunks are the recording, and each fits into a message."""
    samples = SPOKEN[:length]
    chunks = Pace(speed, chunk_ms, shuffle).chunks(samples)
    ordered = sorted(chunks, key=lambda c: c.sequence)
    assert [c.sequence for c in ordered] == list(range(1, len(chunks) + 1))
    assert b"".join(c.payload for c in ordered) == pcm(samples)
    assert all(len(c.payload) * 4 / 3 < 65_000 for c in chunks)
    assert [c.due for c in chunks] == sorted(c.due for c in chunks)


@given(st.sampled_from([0.5, 1.0, 2.0, 4.0, 10.0, 20.0]), st.integers(20, 400))
def test_no_pace_exceeds_the_rate_that_the_protocol_allows(speed: float, chunk_ms: int) -> None:
    """It allows 1,000 voice messages a minute."""
    chunks = Pace(speed, chunk_ms).chunks(np.zeros(16_000 * 60, np.float32))
    minutes = max(chunks[-1].due / 60, 1 / 60)
    assert len(chunks) / minutes <= 1_000


def test_a_chunk_is_due_when_a_microphone_has_recorded_it() -> None:
    """Latency is measured from then."""
    dues = [c.due for c in Pace(1.0, 100).chunks(SPOKEN[:8_000])]
    assert dues == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])


def test_shuffling_stays_within_its_window_and_repeats_itself() -> None:
    """A test with shuffled chunks must be repeatable."""
    chunks = Pace(shuffle=4, seed=3).chunks(SPOKEN)
    sequences = [c.sequence for c in chunks]
    assert sequences != sorted(sequences)
    assert all(abs(at - s) < 4 for at, s in enumerate(sequences, start=1))
    assert sequences == [c.sequence for c in Pace(shuffle=4, seed=3).chunks(SPOKEN)]


def test_dropping_leaves_out_about_as_many_as_it_says() -> None:
    """And no others."""
    all_of_them = Pace(chunk_ms=10).chunks(np.tile(SPOKEN, 10))
    kept = Pace(chunk_ms=10, drop=0.3, seed=1).chunks(np.tile(SPOKEN, 10))
    assert 0.6 < len(kept) / len(all_of_them) < 0.8
    assert {c.sequence for c in kept} < {c.sequence for c in all_of_them}


def test_pcm_is_signed_16_bit_and_clips() -> None:
    """Even if a resampler overshoots, samples stay within full scale."""
    assert np.frombuffer(pcm(np.array([0, 1, -1, 2], np.float32)), "<i2").tolist() == [
        0,
        32767,
        -32767,
        32767,
    ]


async def test_play_gives_each_chunk_when_it_is_due_and_not_before() -> None:
    """A microphone cannot send sound before it is made."""
    loop = asyncio.get_running_loop()
    start = loop.time()
    arrived = []
    async for sequence, payload in play(
        [OutgoingChunk(1, b"a", 0.02), OutgoingChunk(2, b"b", 0.05)], start
    ):
        arrived.append((sequence, payload, loop.time() - start))
    assert [(s, p) for s, p, _ in arrived] == [(1, b"a"), (2, b"b")]
    assert arrived[0][2] >= 0.02
    assert arrived[1][2] >= 0.05
