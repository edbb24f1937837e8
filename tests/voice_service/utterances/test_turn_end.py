"""Judging a pause by the words before it, without a menu."""

from __future__ import annotations

import pytest

from voice_service.settings import VoiceSettings
from voice_service.utterances.turn_end import TurnEnd, TurnEndPolicy, by_marks


@pytest.mark.parametrize("text", ["Could I have a,", "And then...", "well, a…", "Two -", "Two —"])
def test_a_sentence_that_trails_off_is_open(text: str) -> None:
    """Recognisers mark in punctuation, in any language, that a voice trails off."""
    assert by_marks(text) is TurnEnd.OPEN


@pytest.mark.parametrize("text", ["I went home.", "Is it? ", "Two, please!"])
def test_a_sentence_that_is_closed_is_finished(text: str) -> None:
    """As long as no menu says otherwise."""
    assert by_marks(text) is TurnEnd.FINISHED


@pytest.mark.parametrize("text", ["", "two burgers", "two, please"])
def test_without_a_mark_nothing_is_decided(text: str) -> None:
    """The listener waits for the usual pause."""
    assert by_marks(text) is TurnEnd.UNKNOWN


def test_the_pause_follows_the_judgement_if_the_words_were_understood() -> None:
    """Only well-recognised words may shorten the pause; any words may lengthen it."""
    policy = TurnEndPolicy(finished=10, open=30, confidence=0.6)
    assert policy.hangover(TurnEnd.FINISHED, 0.6) == 10
    assert policy.hangover(TurnEnd.FINISHED, 0.5) is None
    assert policy.hangover(TurnEnd.OPEN, 0.1) == 30
    assert policy.hangover(TurnEnd.UNKNOWN, 1.0) is None


@pytest.mark.parametrize(("hangover", "finished", "open_"), [(200, 200, 900), (1_500, 320, 1_500)])
def test_a_hangover_of_ones_own_keeps_its_order(hangover: int, finished: int, open_: int) -> None:
    """A shorter or longer usual pause bounds those for finished and for open utterances."""
    settings = VoiceSettings(hangover_ms=hangover, finished_hangover_ms=320, open_hangover_ms=900)
    policy = settings.listener().turn_end_policy
    assert (policy.finished, policy.open) == (round(finished / 32), round(open_ / 32))
