"""The judgement behind `benchmarks/streams.py`: which words belong to whom, and when they came."""

from __future__ import annotations

import json

import numpy as np
import pytest
from dialects import VoiceService, WhisperLive, WhisperLiveKit
from harness import active_span
from shown import Figures, Shown, Spoken, Wait, attribute, figures, words
from streams import Level, search

from voice_service.audio.formats import SAMPLE_RATE

_SAID = [
    Spoken(1.0, 3.0, words("A large coffee, please.")),
    Spoken(6.0, 8.0, words("No, make it two coffees.")),
]


def _shown(*states: tuple[float, str, str]) -> list[Shown]:
    return [Shown(at, words(committed), words(pending)) for at, committed, pending in states]


def test_waits_count_from_onset_to_first_word_and_from_end_to_last_committed_word() -> None:
    found = figures(
        _shown(
            (1.5, "", "a large"),
            (3.5, "a large coffee please", ""),
            (6.75, "a large coffee please", "no"),
            (8.5, "a large coffee please no make it two coffees", ""),
        ),
        _SAID,
    )
    assert found.first_partial == [0.5, 0.75]
    assert found.final == [0.5, 0.5]
    assert found.missing == 0
    assert found.right == found.spoken == 9


def test_an_utterance_that_was_never_committed_is_missing() -> None:
    found = figures(
        _shown((3.5, "a large coffee please", ""), (7.0, "a large coffee please", "no")), _SAID
    )
    assert found.missing == 1
    assert found.final == [0.5]


def test_an_utterance_of_wrong_words_only_is_not_missing() -> None:
    found = figures(
        _shown((3.5, "a large coffee please", ""), (9.0, "a large coffee please hello", "")), _SAID
    )
    assert found.final == [0.5, 1.0]


def test_nothing_shown_is_everything_missing() -> None:
    assert figures([], _SAID).missing == 2


def test_a_late_commit_of_the_last_utterance_is_no_partial_of_this_one() -> None:
    found = figures(
        _shown(
            (2.0, "", "a large coffee"),
            (6.5, "", "a large coffee please"),
            (7.0, "a large coffee please", ""),
            (7.5, "a large coffee please", "no make"),
            (9.0, "a large coffee please no make it two coffees", ""),
        ),
        _SAID,
    )
    assert found.first_partial == [1.0, 1.5]
    assert found.final == [4.0, 1.0]


def test_a_word_of_this_utterance_counts_though_the_last_one_is_not_committed() -> None:
    found = figures(
        _shown(
            (2.0, "", "a large coffee please"),
            (6.5, "", "a large coffee please no make"),
            (9.0, "a large coffee please no make it two coffees", ""),
        ),
        _SAID,
    )
    assert found.first_partial == [1.0, 0.5]


def test_partial_words_that_the_committed_text_has_not_are_changed() -> None:
    found = figures(
        _shown(
            (1.5, "", "a lark"), (2.0, "", "a large coffee"), (3.5, "a large coffee please", "")
        ),
        _SAID[:1],
    )
    assert (found.changed, found.partial) == (1, 5)
    # "a" stood from the beginning, "large" took its place after half a second.
    assert found.settled == [0.0, 0.5, 0.0, 0.0]


def test_words_between_two_right_ones_belong_to_the_utterance_that_has_none() -> None:
    said = [words("one two"), words("three four"), words("five six")]
    assert attribute(words("one two free for five six"), said) == ([(0, 2), (2, 4), (4, 6)], 4)


def test_this_service_pends_a_partial_until_its_final() -> None:
    def transcript(utterance: int, text: str, is_final: bool) -> str:
        data = {"utterance": utterance, "text": text, "is_final": is_final}
        return json.dumps({"type": "voice:transcript", "data": data})

    received = [
        (1.0, transcript(1, "One", False)),
        (2.0, transcript(2, "Three", False)),
        (3.0, transcript(1, "One two.", True)),
        (4.0, json.dumps({"type": "voice:speech_discarded", "data": {"utterance": 2}})),
    ]
    assert list(VoiceService().shown(received)) == _shown(
        (1.0, "", "one"), (2.0, "", "one three"), (3.0, "one two", "three"), (4.0, "one two", "")
    )


def test_whisperlivekit_commits_its_lines() -> None:
    def message(line: str, buffer: str) -> str:
        silence = {"text": "", "speaker": -2}
        return json.dumps({"lines": [{"text": line}, silence], "buffer_transcription": buffer})

    received = [
        (1.0, message("One", " two")),
        (1.1, message("One", " two")),
        (2.0, message("One two", "")),
    ]
    assert list(WhisperLiveKit().shown(received)) == _shown(
        (1.0, "one", "two"), (2.0, "one two", "")
    )


def test_whisperlive_keeps_completed_segments_that_are_no_longer_sent() -> None:
    def message(*segments: tuple[str, str, bool]) -> str:
        keys = ("start", "text", "completed")
        return json.dumps({"segments": [dict(zip(keys, s, strict=True)) for s in segments]})

    received = [
        (1.0, message(("1.000", " one", True), ("2.000", " too", False))),
        (2.0, message(("2.000", " two", True), ("10.000", " three", False))),
    ]
    assert list(WhisperLive().shown(received)) == _shown(
        (1.0, "one", "too"), (2.0, "one two", "three")
    )


def test_speech_is_found_in_a_noisy_recording_with_a_click() -> None:
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 0.003, 3 * SAMPLE_RATE).astype(np.float32)
    samples[SAMPLE_RATE : 2 * SAMPLE_RATE] += rng.normal(0, 0.1, SAMPLE_RATE).astype(np.float32)
    samples[SAMPLE_RATE // 2] = 1.0
    assert active_span(samples) == (1.0, 2.0)


@pytest.mark.parametrize("text", ["", "…", " - "])
def test_text_without_words_has_none(text: str) -> None:
    assert words(text) == ()


@pytest.mark.parametrize("capacity", [0, 1, 2, 5, 11, 30, 61])
def test_the_search_finds_what_is_held_to_within_an_eighth(capacity: int) -> None:
    def measured(streams: int) -> Level:
        waited = 0.5 if streams <= capacity else 5.0
        return Level(streams, Figures([Wait(3.0, 0.5, waited)] * streams))

    levels = search(measured, 1.5)
    held = max((level.streams for level in levels if level.held(1.5)), default=0)
    assert capacity - max(1, capacity // 8) < held <= capacity or held == capacity


def test_a_level_with_a_missing_final_is_not_held() -> None:
    quick = Wait(3.0, 0.5, 0.5)
    assert Level(1, Figures([quick])).held(1.5)
    assert not Level(1, Figures([quick, Wait(9.0)])).held(1.5)
