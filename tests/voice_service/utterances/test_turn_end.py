"""What the words before a pause say about it, where there is no menu."""

from __future__ import annotations

import pytest

from voice_service.settings import VoiceSettings
from voice_service.utterances.turn_end import TurnEnd, TurnEndPolicy, by_marks


@pytest.mark.parametrize("text", ["Could I have a,", "And then...", "well, a…", "Two -", "Two —"])
def test_a_sentence_that_trails_off_is_open(text: str) -> None:
    """Recognisers write how a voice breaks off, in any language."""
    assert by_marks(text) is TurnEnd.OPEN


@pytest.mark.parametrize("text", ["I went home.", "Is it? ", "Two, please!"])
def test_a_sentence_that_is_closed_is_finished(text: str) -> None:
    """Where no menu knows better."""
    assert by_marks(text) is TurnEnd.FINISHED


@pytest.mark.parametrize("text", ["", "two burgers", "two, please"])
def test_without_a_mark_nothing_is_decided(text: str) -> None:
    """The usual pause is waited for."""
    assert by_marks(text) is TurnEnd.UNKNOWN


def test_patience_follows_the_judgement_if_the_words_were_understood() -> None:
    """Only what was heard well may shorten a wait; any doubt may lengthen it."""
    patience = TurnEndPolicy(finished=10, open=30, confidence=0.6)
    assert patience.hangover(TurnEnd.FINISHED, 0.6) == 10
    assert patience.hangover(TurnEnd.FINISHED, 0.5) is None
    assert patience.hangover(TurnEnd.OPEN, 0.1) == 30
    assert patience.hangover(TurnEnd.UNKNOWN, 1.0) is None


@pytest.mark.parametrize(("hangover", "finished", "open_"), [(200, 200, 900), (1_500, 320, 1_500)])
def test_a_hangover_of_ones_own_keeps_its_order(hangover: int, finished: int, open_: int) -> None:
    """Who shortens the pause that ends an utterance means whole ones as well."""
    settings = VoiceSettings(hangover_ms=hangover, finished_hangover_ms=320, open_hangover_ms=900)
    patience = settings.listener().patience
    assert (patience.finished, patience.open) == (round(finished / 32), round(open_ / 32))
