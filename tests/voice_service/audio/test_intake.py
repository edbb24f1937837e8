"""The intake of a session: bounds on how much audio may wait and how fast it may come."""

from __future__ import annotations

import base64

import pytest

from order_events.protocol.messages import ErrorCode, ProtocolError
from voice_service.audio.formats import (
    AudioFormat,
    PcmDecoder,
)
from voice_service.audio.intake import AudioChunk, Intake, IntakeSettings


def test_audio_waiting_behind_a_gap_is_bounded() -> None:
    """Minutes of audio behind one missing chunk would all become due in one step."""
    long = base64.b64encode(b"\xff" * 48_000).decode()
    intake = Intake(
        IntakeSettings(capacity=256, gap_patience=1.5, max_backlog=90.0, max_speed=8.0),
        PcmDecoder(AudioFormat("mulaw", 8_000)),
        now=0.0,
    )
    taken = 0
    with pytest.raises(ProtocolError) as refused:
        for sequence in range(2, 200):
            intake.push(sequence, long, 0.0, now=0.0)
            taken += 1
    assert refused.value.code is ErrorCode.RATE_LIMITED
    assert taken * 6.0 <= 36.0
    due = intake.push(1, long, 0.0, now=0.1)
    assert [chunk.sequence for chunk in due if isinstance(chunk, AudioChunk)] == list(
        range(1, taken + 2)
    )


def test_audio_much_faster_than_speech_is_refused() -> None:
    """Three minutes may come at once.

    After that, 8 times real time is accepted, and refusals say when.
    """
    second = base64.b64encode(bytes(16_000)).decode()
    intake = Intake(
        IntakeSettings(capacity=256, gap_patience=1.5, max_backlog=90.0, max_speed=8.0),
        PcmDecoder(AudioFormat("pcm_s16le", 8_000)),
        now=0.0,
    )
    for sequence in range(1, 181):
        intake.push(sequence, second, 0.0, now=0.0)
    with pytest.raises(ProtocolError) as refused:
        intake.push(181, second, 0.0, now=0.0)
    assert refused.value.code is ErrorCode.RATE_LIMITED
    assert refused.value.retry_after_ms is not None
    intake.push(181, second, 0.0, now=refused.value.retry_after_ms / 1000)
    assert intake.next_sequence == 182
