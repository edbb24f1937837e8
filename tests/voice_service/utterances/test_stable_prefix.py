"""The stable prefix: it never shrinks, and what is shown always begins with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_service.utterances.stable_prefix import (
    StablePrefix,
    matching_prefix,
    normalise,
    same_words,
)

WORDS = [
    "two",
    "Two",
    "two,",
    "burgers",
    "burger",
    "and",
    "and,",
    "a",
    "fries.",
    "fries",
    "-",
    "no",
]
hypotheses = st.lists(
    st.tuples(st.lists(st.sampled_from(WORDS), max_size=7), st.floats(0, 1)), max_size=12
)


def eager() -> StablePrefix:
    """Return a prefix to which words are added as soon as two hypotheses agree."""
    return StablePrefix(agreeing=2, guard=1, sure=0.5)


@given(hypotheses, st.integers(1, 3), st.integers(0, 2), st.floats(0, 1))
def test_the_stable_text_never_shrinks_and_begins_what_is_shown(
    sequence: list[tuple[list[str], float]], agreeing: int, guard: int, sure: float
) -> None:
    """Whatever the recogniser returns next, stable text is never taken back."""
    prefix, promised = StablePrefix(agreeing, guard, sure), ""
    for words, confidence in sequence:
        shown = " ".join(prefix.extend(words, confidence))
        assert prefix.text.startswith(promised)
        assert shown.startswith(prefix.text)
        assert " ".join(prefix.merge(words)).startswith(prefix.text)
        promised = prefix.text


@given(
    st.lists(st.sampled_from(WORDS), min_size=3, max_size=10),
    st.lists(st.sampled_from(["", ",", ".", "!", "?"]), min_size=3, max_size=8),
)
def test_growing_hypotheses_with_wavering_punctuation_keep_every_promise(
    words: list[str], marks: list[str]
) -> None:
    """The common case: one more word each time, and commas that come and go."""
    prefix, promised = eager(), ""
    for count in range(1, len(words) + 1):
        heard = [w + marks[(i + count) % len(marks)] for i, w in enumerate(words[:count])]
        shown = " ".join(prefix.extend(heard, 0.9))
        assert prefix.text.startswith(promised)
        assert shown.startswith(prefix.text)
        promised = prefix.text
    assert len(prefix.words) == len(words) - 2


def test_a_comma_that_becomes_a_full_stop_does_not_break_the_promise() -> None:
    """Found by the property test above: stable text must be spelt like the text that is shown."""
    prefix = eager()
    for heard in ("Hi, a", "Hi, there you", "Hi. there you"):
        shown = " ".join(prefix.extend(heard.split(), 0.9))
        assert shown.startswith(prefix.text)
    assert prefix.words[1:] == ["there"]


def test_a_word_becomes_stable_when_hypotheses_agree_and_a_word_stands_behind_it() -> None:
    """The newest word may be half heard, so it is never stable."""
    prefix = eager()
    prefix.extend(["can", "I", "get"], 0.9)
    assert prefix.text == ""
    prefix.extend(["can", "I", "have", "a"], 0.9)
    assert prefix.text == "can I"
    prefix.extend(["can", "I", "have", "a"], 0.9)
    assert prefix.text == "can I have"


def test_case_and_punctuation_do_not_count_as_disagreement() -> None:
    """Whisper moves commas about while it hears more."""
    prefix = eager()
    prefix.extend(["Two", "burgers", "and"], 0.9)
    prefix.extend(["two,", "burgers,", "and"], 0.9)
    assert normalise(prefix.text.split()[0]) == "two"
    assert len(prefix.words) == 2


def test_closing_punctuation_of_the_last_stable_word_may_still_change() -> None:
    """`stable_text` ends with the bare word; `text` shows its current punctuation."""
    prefix = eager()
    prefix.extend(["two", "burgers.", "And"], 0.9)
    prefix.extend(["two", "burgers.", "And"], 0.9)
    assert prefix.text == "two burgers"
    assert prefix.merge(["two", "burgers,", "and"])[1] == "burgers,"


def test_hypotheses_that_are_not_sure_of_themselves_make_nothing_stable() -> None:
    """Stable text that a later decode contradicts is worse than none."""
    prefix = eager()
    for _ in range(4):
        prefix.extend(["two", "burgers", "and"], 0.4)
    assert prefix.text == ""


def test_a_word_inserted_later_is_not_shown_and_says_nothing_twice() -> None:
    """ "two hot burgers" after a stable "two burgers" must not become "two burgers burgers"."""
    prefix = eager()
    for _ in range(2):
        prefix.extend(["two", "burgers", "and"], 0.9)
    assert prefix.extend(["two", "hot", "burgers", "and"], 0.9) == ["two", "burgers", "and"]


def test_a_contradiction_is_shown_with_what_was_promised_in_its_place() -> None:
    """The client already has the stable words; the rest follows the newest hypothesis."""
    prefix = eager()
    for _ in range(2):
        prefix.extend(["two", "burgers", "and"], 0.9)
    assert prefix.text == "two burgers"
    assert prefix.extend(["too", "burgers", "and", "fries"], 0.9) == [
        "two",
        "burgers",
        "and",
        "fries",
    ]


def test_a_hypothesis_that_contradicts_makes_nothing_stable() -> None:
    """Two hypotheses that deny a stable word cannot make further words stable behind it."""
    prefix = eager()
    for _ in range(2):
        prefix.extend(["two", "burgers", "and"], 0.9)
    for _ in range(3):
        prefix.extend(["ten", "burgers", "and", "fries", "please"], 0.9)
    assert prefix.text == "two burgers"


@pytest.mark.parametrize(
    ("stable", "words", "count"),
    [
        ("", "a b", 0),
        ("a b", "a b c", 2),
        ("a b", "x b c", 2),
        ("a b", "b c", 1),
        ("a b", "a x b c", 3),
        ("a b", "", 0),
    ],
)
def test_matching_prefix_finds_the_counterpart_of_the_stable_words(
    stable: str, words: str, count: int
) -> None:
    """An inserted or dropped word must neither shift nor double what follows."""
    assert matching_prefix(stable.split(), words.split()) == count


def test_same_words_compares_whole_sequences() -> None:
    """A prefix is not the same."""
    assert same_words(["Two,", "fries."], ["two", "Fries"])
    assert not same_words(["two"], ["two", "fries"])
