"""A recogniser that fails or has gone deaf is noticed, and noise is no sign of it."""

from __future__ import annotations

import numpy as np
import pytest

from voice_service.asr.hypothesis import DecodeRequest, Hypothesis
from voice_service.asr.watchdog import Watchdog

HEARD, NOTHING = Hypothesis("a small coke", 0.9), Hypothesis("", 0.0)


def request(*, thorough: bool = True, speech_s: float | None = 1.5) -> DecodeRequest:
    return DecodeRequest(np.zeros(16, np.float32), "en", thorough, speech_s=speech_s)


def test_failures_in_a_row_are_suspicious_until_one_decode_succeeds() -> None:
    """One session's audio may be at fault, so a single failure says nothing."""
    watchdog = Watchdog()
    for _ in range(2):
        watchdog.answered(request(), None)
    watchdog.answered(request(), HEARD)
    for _ in range(2):
        watchdog.answered(request(), None)
    assert not watchdog.suspicious
    watchdog.answered(request(), None)
    assert watchdog.suspicious
    assert watchdog.trouble is None


def test_finals_without_words_in_a_row_are_suspicious() -> None:
    """A broken model on a GPU answers with empty texts and raises nothing."""
    watchdog = Watchdog()
    assert all(watchdog.answered(request(), NOTHING) for _ in range(19))
    watchdog.answered(request(), HEARD)
    assert all(watchdog.answered(request(), NOTHING) for _ in range(19))
    assert not watchdog.suspicious
    watchdog.answered(request(), NOTHING)
    assert watchdog.suspicious


@pytest.mark.parametrize(
    "other", [request(thorough=False), request(speech_s=0.3), request(speech_s=None)]
)
def test_short_noises_and_partials_do_not_count(other: DecodeRequest) -> None:
    """A partial may come before the first word; a click is no speech."""
    watchdog = Watchdog()
    assert not any(watchdog.answered(other, NOTHING) for _ in range(100))
    assert not watchdog.suspicious


def test_one_kinds_answers_say_nothing_of_the_other() -> None:
    """With a model for finals, that one may be deaf, or the other fail, alone."""
    deaf, failing = Watchdog(), Watchdog()
    for _ in range(20):
        deaf.answered(request(), NOTHING)
        deaf.answered(request(thorough=False), HEARD)
        failing.answered(request(thorough=False), None)
        failing.answered(request(), HEARD)
    assert deaf.suspicious
    assert failing.suspicious
    deaf.tested(request(), NOTHING)
    deaf.tested(request(thorough=False), HEARD)
    assert "hears nothing" in (deaf.trouble or "")
    deaf.tested(request(), HEARD)
    assert (deaf.suspicious, deaf.trouble) == (False, None)


def test_known_speech_decides_and_is_tried_until_it_is_heard() -> None:
    """An evening of noise turns nothing red; a broken model stays red although nobody comes."""
    watchdog = Watchdog()
    for _ in range(20):
        watchdog.answered(request(), NOTHING)
    watchdog.tested(request(), HEARD)
    assert (watchdog.suspicious, watchdog.trouble) == (False, None)
    watchdog.tested(request(), NOTHING)
    assert watchdog.trouble is not None
    assert "hears nothing" in watchdog.trouble
    watchdog.tested(request(), None)
    assert watchdog.trouble is not None
    assert "fails" in watchdog.trouble
    assert watchdog.suspicious
    watchdog.tested(request(), HEARD)
    assert (watchdog.suspicious, watchdog.trouble) == (False, None)


def test_a_decode_that_hangs_is_trouble_until_it_comes_back() -> None:
    """There is nothing to test: whether it hangs is known, and another decode may be fine."""
    watchdog = Watchdog()
    watchdog.given_up()
    watchdog.given_up()
    watchdog.came_back()
    assert "hangs" in (watchdog.trouble or "")
    assert not watchdog.suspicious
    watchdog.came_back()
    assert watchdog.trouble is None
