"""Who is overheard: loudness beside the guest and beside what else the microphone hears."""

from __future__ import annotations

import pytest

from voice_service.settings import VoiceSettings
from voice_service.utterances.background import BackgroundModel

SETTINGS = VoiceSettings().listener().surroundings
SECOND = 31
"""Frames."""
ROOM = 0.01


def decibels(below: float) -> float:
    """A level so many dB below 1, the guest's."""
    return float(10 ** (-below / 10))


def surroundings(guest: float | None = 1.0, frames: int = 10 * SECOND) -> BackgroundModel:
    """A room so loud as `ROOM`, in which a guest was understood."""
    heard = BackgroundModel(SETTINGS)
    for _ in range(frames):
        heard.hear(ROOM)
    if guest is not None:
        assert not heard.is_background(guest, heard.floor, 0.9)
    return heard


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
def test_who_is_faint_must_be_understood_well(
    below_guest: float, above_floor: float, confidence: float, overheard: bool
) -> None:
    """8 dB below the guest, or 3 dB below it without standing out by 4 dB."""
    level = decibels(below_guest)
    floor = level * decibels(above_floor)
    assert surroundings().is_background(level, floor, confidence) is overheard


@pytest.mark.parametrize(
    ("above_floor", "confidence", "overheard"),
    [(3.5, 0.59, True), (3.5, 0.61, False), (4.5, 0.3, False)],
)
def test_before_anybody_was_understood_only_the_unclear_is_overheard(
    above_floor: float, confidence: float, overheard: bool
) -> None:
    """In a noise as loud as the guest nothing stands out, and the guest is answered."""
    heard = surroundings(guest=None)
    assert (
        heard.is_background(heard.floor / decibels(above_floor), heard.floor, confidence)
        is overheard
    )


def test_who_was_understood_last_is_the_guest() -> None:
    """One loud word at the beginning does not make everybody faint for the rest of a session."""
    heard = surroundings()
    assert heard.is_background(decibels(10), ROOM, 0.8)
    assert not heard.is_background(decibels(10), ROOM, 0.9)
    assert not heard.is_background(decibels(12), ROOM, 0.5)
    assert not heard.is_background(1.0, ROOM, 0.65), "too unsure to be the measure of others"
    assert not heard.is_background(decibels(12), ROOM, 0.5)


def test_the_floor_is_what_the_quieter_of_the_last_ten_seconds_were() -> None:
    """Speech in a third of the time is not the floor, nor is a noise that is long over."""
    heard = BackgroundModel(SETTINGS)
    assert heard.floor == 0.0
    for second in range(20):
        for _ in range(SECOND):
            heard.hear(5.0 if second < 10 else ROOM if second % 3 else 1.0)
    assert heard.floor == pytest.approx(ROOM)


def test_without_a_bound_everything_is_the_guests() -> None:
    """`VOICE_FAINT_CONFIDENCE=0`."""
    heard = BackgroundModel(VoiceSettings(faint_confidence=0.0).listener().surroundings)
    for _ in range(10 * SECOND):
        heard.hear(ROOM)
    assert not heard.is_background(ROOM, heard.floor, 0.1)
    assert not heard.is_background(1.0, heard.floor, 0.9)
    assert not heard.is_background(ROOM, heard.floor, 0.1)
