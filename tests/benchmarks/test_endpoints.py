"""The judgement behind `benchmarks/speech_detection.py` and `benchmarks/pauses.py`."""

from __future__ import annotations

import numpy as np
import pytest
from pauses import quietest
from speech_detection import Heard, Utterance, judge, telephone

from voice_service.audio.formats import SAMPLE_RATE

ONSET, END = 1.0, 3.0
ROLLS = (0.3, 0.2)


def judged(*utterances: Utterance) -> Heard:
    """Judge these utterances, where speech is from 1 to 3 s."""
    heard = Heard()
    judge(utterances, ONSET, END, ROLLS, heard)
    return heard


def test_speech_outside_utterances_is_missed_and_outside_what_is_kept_is_lost() -> None:
    heard = judged(Utterance(1.5, 2.9, 3.4))
    assert heard.speech == 2.0
    assert heard.missed == pytest.approx(0.6, abs=0.02)
    assert heard.lost == pytest.approx(0.2, abs=0.02)
    assert heard.delays == [pytest.approx(0.4)]
    assert (heard.deaf, heard.split, heard.endless) == (0, 0, 0)


def test_where_nothing_is_found_the_recording_is_not_heard() -> None:
    assert judged().deaf == 1
    assert judged(Utterance(4.0, 5.0, 5.5)).deaf == 1
    assert judged().delays == []


def test_an_utterance_that_ends_while_speech_is_still_to_come_splits_it() -> None:
    heard = judged(Utterance(1.0, 2.0, 2.5), Utterance(2.4, 3.0, 3.5))
    assert heard.split == 1
    assert heard.delays == [pytest.approx(0.5)]
    assert judged(Utterance(1.0, 2.8, 3.3)).split == 0


def test_an_end_that_nobody_noticed_is_endless() -> None:
    heard = judged(Utterance(1.0, 4.5, None))
    assert heard.endless == 1
    assert heard.delays == []


def test_a_telephone_passes_its_band_only() -> None:
    seconds = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    low, middle = (np.sin(2 * np.pi * hertz * seconds) for hertz in (100, 1000))
    heard = telephone((low + middle).astype(np.float32))
    assert np.abs(heard - middle).max() < 0.05


def test_a_recording_is_cut_where_it_is_quietest() -> None:
    samples = np.ones(SAMPLE_RATE, np.float32)
    samples[8_500:8_900] = 0
    assert 8_500 <= quietest(samples, 8_000) <= 8_900
