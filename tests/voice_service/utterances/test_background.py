"""When speech counts as background: its loudness beside the guest and beside the room."""

from __future__ import annotations

import pytest

from voice_service.settings import VoiceSettings
from voice_service.utterances.background import BackgroundModel

SETTINGS = VoiceSettings().listener().background
SECOND = 31
"""Frames."""
ROOM = 0.01


def decibels(below: float) -> float:
    """Return the level `below` dB below 1, which is the guest's."""
    return float(10 ** (-below / 10))


def background_of_room(guest: float | None = 1.0, frames: int = 10 * SECOND) -> BackgroundModel:
    """Return the model of a room with the level `ROOM`, in which a guest has been understood."""
    background = BackgroundModel(SETTINGS)
    for _ in range(frames):
        background.add(ROOM)
    if guest is not None:
        assert not background.is_background(guest, background.floor, 0.9)
    return background


@pytest.mark.parametrize(
    ("below_guest", "above_floor", "confidence", "overheard"),
    [
        (7.5, 20.0, 0.3, False),
        (8.5, 20.0, 0.84, True),
        (8.5, 20.0, 0.86, False),
        (2.5, 1.0, 0.3, False),
        (3.5, 3.5, 0.84, True),
        (3.5, 3.5, 0.86, False),
        (3.5, 4.5, 0.3, False),
    ],
)
def test_faint_speech_must_be_understood_well(
    below_guest: float, above_floor: float, confidence: float, overheard: bool
) -> None:
    """8 dB below the guest, or 3 dB below it without standing out by 4 dB."""
    level = decibels(below_guest)
    floor = level * decibels(above_floor)
    assert background_of_room().is_background(level, floor, confidence) is overheard


@pytest.mark.parametrize(
    ("above_floor", "confidence", "overheard"),
    [(3.5, 0.59, True), (3.5, 0.61, False), (4.5, 0.3, False)],
)
def test_before_anybody_was_understood_only_the_unclear_is_overheard(
    above_floor: float, confidence: float, overheard: bool
) -> None:
    """In noise as loud as the guest nothing stands out, and the guest must still be answered."""
    background = background_of_room(guest=None)
    assert (
        background.is_background(
            background.floor / decibels(above_floor), background.floor, confidence
        )
        is overheard
    )


def test_the_speaker_who_was_understood_last_is_the_guest() -> None:
    """One loud word at the beginning does not make all later speech faint."""
    background = background_of_room()
    assert background.is_background(decibels(10), ROOM, 0.8)
    assert not background.is_background(decibels(10), ROOM, 0.9)
    assert not background.is_background(decibels(12), ROOM, 0.5)
    assert not background.is_background(1.0, ROOM, 0.65), "too unsure to be the measure of others"
    assert not background.is_background(decibels(12), ROOM, 0.5)


def test_the_floor_is_the_level_of_the_quieter_frames_of_the_last_ten_seconds() -> None:
    """Neither speech in a third of that time nor an earlier noise raises it."""
    background = BackgroundModel(SETTINGS)
    assert background.floor == 0.0
    for second in range(20):
        for _ in range(SECOND):
            background.add(5.0 if second < 10 else ROOM if second % 3 else 1.0)
    assert background.floor == pytest.approx(ROOM)


def test_without_a_bound_all_speech_is_the_guests() -> None:
    """`VOICE_FAINT_CONFIDENCE=0`."""
    background = BackgroundModel(VoiceSettings(faint_confidence=0.0).listener().background)
    for _ in range(10 * SECOND):
        background.add(ROOM)
    assert not background.is_background(ROOM, background.floor, 0.1)
    assert not background.is_background(1.0, background.floor, 0.9)
    assert not background.is_background(ROOM, background.floor, 0.1)
