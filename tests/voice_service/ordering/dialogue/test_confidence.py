"""How sure an item is, and when it is asked about."""

from __future__ import annotations

from typing import Any

import pytest
from support.conversations import codes, demo_menu, said

from voice_service.ordering import CompiledMenu, Conversation, Heard, HeardWord, Thresholds
from voice_service.ordering.likelihood import Grounds


def test_confidence_is_not_a_constant(demo: CompiledMenu) -> None:
    """An item is as sure as its words were heard and as well as they match its name."""
    sure = said(demo, "a hamburger", confidence=0.97).items[0].confidence
    unsure = said(demo, "a hamburger", confidence=0.2).items[0].confidence
    shortened = said(demo, "ten piece nuggets", confidence=0.97).items[0].confidence
    assert sure is not None
    assert unsure is not None
    assert shortened is not None
    assert sure > shortened > unsure


@pytest.mark.parametrize(("menu_doubt", "odds"), [(1.0, 1.0), (0.25, 4.0)])
def test_a_word_of_the_menu_is_likelier_right_than_it_was_heard(
    demo: CompiledMenu, menu_doubt: float, odds: float
) -> None:
    """Heard at even odds, it is right at odds that the setting says."""
    conversation = Conversation(demo, Thresholds(menu_doubt=menu_doubt))
    [item] = conversation.hear(Heard(1, "a hamburger", 0.5)).items
    assert item.confidence is not None
    assert item.confidence == pytest.approx(Grounds().confidence * odds / (1 + odds), abs=0.001)


def test_a_badly_heard_item_is_asked_about(demo: CompiledMenu) -> None:
    """Words that the recogniser doubts are not accepted without a question; a yes settles it."""
    update = said(demo, "a hamburger", confidence=0.05)
    assert "low_confidence" in codes(update)
    assert update.status != "confirmed"
    assert said(demo, "a hamburger", "yes", confidence=0.05).status == "confirmed"
    assert said(demo, "a hamburger", "no", confidence=0.05).items == ()


def test_how_sure_a_spelling_is_says_nothing_about_a_number_of_the_same_sound() -> None:
    """What was shown as stable says "to", the final "two": the sound is the same."""
    text = "two hamburgers to cheeseburgers"
    words = tuple(HeardWord(word, 0.03 if word == "to" else 0.95) for word in text.split())
    conversation = Conversation(demo_menu())
    conversation.hear(Heard(1, text, 0.7, words))
    assert conversation.end().status == "confirmed"


def heard(text: str, unsure: str, confidence: float) -> Heard:
    """Return a transcript of which one word was heard less surely than the others."""
    words = (HeardWord(w, confidence if w == unsure else 0.97) for w in text.split())
    return Heard(1, text, 0.95, tuple(words))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("a good hamburger", "good"),
        ("a hamburger with homemade", "homemade"),
        ("a hamburger with a lot from cheese", "lot"),
        ("a hamburger with a little bit of him cheese", "him"),
        ("two good hamburgers", "good"),
    ],
)
def test_an_unsure_word_amid_an_order_that_nothing_uses_is_asked_about(
    demo: CompiledMenu, text: str, word: str
) -> None:
    """It may be a word of the menu that was misheard; said clearly, it is just that word."""
    for confidence, codes_ in ((0.6, {"low_confidence"}), (0.97, set[str]())):
        update = Conversation(demo).hear(heard(text, word, confidence))
        assert {code for code in codes(update) if code == "low_confidence"} == codes_


@pytest.mark.parametrize(
    ("text", "word"),
    [("please a hamburger", "please"), ("a hamburger thanks", "thanks"), ("um a hamburger", "um")],
)
def test_unsure_words_around_an_order_do_not_matter(
    demo: CompiledMenu, text: str, word: str
) -> None:
    """Nothing of the menu is said there."""
    assert "low_confidence" not in codes(Conversation(demo).hear(heard(text, word, 0.4)))


def test_an_unsure_word_makes_only_the_item_beside_it_doubtful(demo: CompiledMenu) -> None:
    """The guest is asked about the one thing that may be something else."""
    text = "a cheeseburger and a good hamburger"
    sure, doubtful = Conversation(demo).hear(heard(text, "good", 0.6)).items
    assert sure.confidence is not None
    assert doubtful.confidence is not None
    assert sure.confidence > doubtful.confidence


@pytest.mark.parametrize("how", [{"agreement": 0.2}, {"lost": 3}])
def test_what_speaks_against_the_whole_text_is_asked_about(
    demo: CompiledMenu, how: dict[str, Any]
) -> None:
    """Hypotheses as likely that order something else; words that were shown and are gone."""
    sure = Conversation(demo).hear(Heard(1, "a hamburger", 0.95))
    assert "low_confidence" not in codes(sure)
    assert "low_confidence" in codes(Conversation(demo).hear(Heard(1, "a hamburger", 0.95, **how)))
