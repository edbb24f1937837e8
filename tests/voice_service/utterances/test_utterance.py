"""One utterance: the text shown, its final, and its audio."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_service.asr.hypothesis import Hypothesis, Word
from voice_service.utterances.stable_prefix import StablePrefix
from voice_service.utterances.utterance import Timeline, Utterance

WORDS = ["two", "two,", "burgers", "Burgers.", "and", "fries", "no", "-"]
texts = st.lists(st.sampled_from(WORDS), max_size=6).map(" ".join)


def heard(text: str, confidence: float = 0.9) -> Hypothesis:
    """Return a thorough hypothesis with a word every 100 ms."""
    words = tuple(
        Word(word, i * 100, i * 100 + 80, confidence) for i, word in enumerate(text.split())
    )
    return Hypothesis(text, confidence, words)


def eager() -> Utterance:
    """Return an utterance whose words are stable as soon as two hypotheses agree."""
    return Utterance(0, 0, stable=StablePrefix(agreeing=2, guard=1, sure=0.0))


@given(st.lists(texts, max_size=8), texts, st.floats(0, 1), st.booleans())
def test_every_partial_and_the_final_begin_with_what_was_promised(
    quick: list[str], last: str, confidence: float, tuned: bool
) -> None:
    """The text begins with the stable text, the stable text grows, the final keeps it."""
    utterance, promised = Utterance(0, 0) if tuned else eager(), ""
    for step, text in enumerate(quick):
        utterance.update(Hypothesis(text, confidence), decoded_to=step)
        assert utterance.stable.text.startswith(promised)
        assert utterance.text.startswith(utterance.stable.text)
        promised = utterance.stable.text
    final = utterance.settle(heard(last, confidence))
    assert final.text.startswith(promised)
    assert [w.text for w in final.words] == final.text.split()
    assert all(0 <= w.confidence <= 1 and w.start_ms <= w.end_ms for w in final.words)
    starts = [w.start_ms for w in final.words]
    assert starts == sorted(starts)


@given(texts)
def test_without_promises_the_final_is_what_the_last_decode_heard(last: str) -> None:
    """Nothing to keep, nothing to change."""
    hypothesis = heard(last)
    assert Utterance(0, 0).settle(hypothesis) == hypothesis


def test_update_returns_whether_there_is_something_new_to_show() -> None:
    """An unchanged text is not sent again."""
    utterance = Utterance(0, 0)
    assert utterance.update(Hypothesis("two burgers", 0.9), 5)
    assert not utterance.update(Hypothesis("two burgers", 0.9), 6)
    assert utterance.update(Hypothesis("two burgers please", 0.9), 7)
    assert not Utterance(0, 0).update(Hypothesis("", 0.0), 5)


def test_silence_in_a_quick_decode_takes_nothing_back() -> None:
    """A decode that misses the words does not remove them."""
    utterance = Utterance(0, 0)
    utterance.update(Hypothesis("two burgers", 0.9), 5)
    assert not utterance.update(Hypothesis("", 0.0), 6)
    assert utterance.text == "two burgers"


def test_decodes_without_a_change_are_counted_from_the_last_change() -> None:
    """Ending an utterance without progress depends on it."""
    utterance = Utterance(3, 0)
    assert utterance.changed_at == 3
    utterance.update(Hypothesis("two burgers", 0.9), 10)
    assert (utterance.unchanged, utterance.changed_at) == (0, 10)
    utterance.update(Hypothesis("Two burgers.", 0.9), 20)
    assert (utterance.unchanged, utterance.changed_at) == (1, 10)
    utterance.update(Hypothesis("two burgers please", 0.9), 30)
    assert (utterance.unchanged, utterance.changed_at) == (0, 30)


def test_words_that_were_promised_and_confirmed_keep_their_times_and_confidence() -> None:
    """Only their spelling is that of the stable text."""
    utterance = eager()
    for _ in range(2):
        utterance.update(Hypothesis("Two burgers and", 0.9), 5)
    final = utterance.settle(heard("two burgers, and fries", 0.8))
    assert final.text == "Two burgers, and fries"
    assert [w.start_ms for w in final.words] == [0, 100, 200, 300]
    assert [w.confidence for w in final.words] == [0.8] * 4


def test_a_promised_word_that_the_last_decode_denies_is_as_unsure_as_the_denial_is_sure() -> None:
    """Confidence stays honest although the text may not change any more."""
    utterance = eager()
    for _ in range(2):
        utterance.update(Hypothesis("two burgers and", 0.9), 5)
    final = utterance.settle(heard("ten burgers and", 0.9))
    assert final.text == "two burgers and"
    assert final.words[0].confidence == pytest.approx(0.1)
    assert final.words[1].confidence == 0.9
    assert final.confidence == pytest.approx((0.1 + 0.9 + 0.9) / 3)


def test_promised_words_of_which_the_last_decode_heard_nothing_are_not_certain() -> None:
    """Silence in their place is no proof of them."""
    utterance = eager()
    for _ in range(2):
        utterance.update(Hypothesis("two burgers and", 0.9), 5)
    final = utterance.settle(Hypothesis("", 0.0))
    assert final.text == "two burgers"
    assert all(word.confidence <= 0.5 for word in final.words)


def test_promised_words_without_a_counterpart_share_the_time_of_what_was_heard() -> None:
    """Three stable words where two were heard: their times stay inside and in order."""
    utterance = eager()
    for _ in range(2):
        utterance.update(Hypothesis("two big burgers and", 0.9), 5)
    final = utterance.settle(heard("burgers and fries"))
    assert final.text == "two big burgers and fries"
    assert [w.text for w in final.words] == final.text.split()
    assert final.words[-1].end_ms == 280


def test_a_hypothesis_whose_words_do_not_match_its_text_gives_no_word_times() -> None:
    """No times are better than times of other words."""
    utterance = eager()
    for _ in range(2):
        utterance.update(Hypothesis("two burgers and", 0.9), 5)
    final = utterance.settle(Hypothesis("ten burgers and", 0.9, (Word("ten", 0, 9, 0.9),)))
    assert final.text == "two burgers and"
    assert final.words == ()


@given(st.integers(1, 40), st.integers(0, 45), st.integers(0, 45), st.integers(0, 45))
def test_a_timeline_gives_exactly_the_frames_that_are_asked_for(
    count: int, forget: int, start: int, stop: int
) -> None:
    """Audio is addressed by frame number from the session's start, whatever was forgotten."""
    timeline = Timeline()
    for number in range(count):
        timeline.append(np.full(2, number, np.float32))
    timeline.forget_before(forget)
    expected = [n for n in range(start, stop) if forget <= n < count for _ in range(2)]
    samples = timeline.slice(start, stop)
    assert samples.tolist() == expected
    assert not samples.flags.writeable
