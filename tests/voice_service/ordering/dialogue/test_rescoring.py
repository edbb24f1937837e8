"""Which of a recogniser's hypotheses is taken."""

from __future__ import annotations

import pytest

from voice_service.ordering import CompiledMenu, Conversation, Heard


def chosen(menu: CompiledMenu, *texts: str, before: str = "") -> str:
    """Return the text taken of several, likeliest first, after an utterance."""
    conversation = Conversation(menu)
    if before:
        conversation.hear(Heard(1, before, 0.95))
    index, _ = conversation.chooser()(texts, [1 / len(texts)] * len(texts))
    return texts[index]


def test_the_likeliest_text_is_taken_if_the_menu_explains_it(demo: CompiledMenu) -> None:
    """It is taken however well another one would fit."""
    first = "a cheeseburger with bacon"
    assert chosen(demo, first, "a cheeseburger with no bacon") == first


def test_a_text_with_a_hole_gives_way_to_the_next_without(demo: CompiledMenu) -> None:
    """Words left over, or a modifier without its item, say that something was misheard."""
    whole = "a cheeseburger with bacon and a large fries"
    misheard = "a cheeseburger with baking and a large fries"
    assert chosen(demo, misheard, "a cheeseburger with wigwams and a large fries", whole) == whole
    assert chosen(demo, "a large with no ice and a cheese burglar", whole) == whole


def test_without_a_better_one_the_likeliest_is_taken(demo: CompiledMenu) -> None:
    """What is not on the menu is asked about in the guest's own words."""
    first = "a lobster roll and a cheeseburger"
    assert chosen(demo, first, "a lobster roll and a cheese burglar") == first


@pytest.mark.parametrize(
    "talk",
    ["did you see the news last night", "it was a grey day by the sea", "I want a divorce"],
)
def test_what_names_nothing_on_the_menu_is_no_order(demo: CompiledMenu, talk: str) -> None:
    """Small talk is not bent into an order, even where a text that orders is as likely."""
    assert chosen(demo, talk, "I want a cheeseburger", "a Coke") == talk


def test_an_order_does_not_give_way_to_talk(demo: CompiledMenu) -> None:
    """Even with a hole it may be an order, and is asked about."""
    first = "a large fries with fog"
    assert chosen(demo, first, "do you have large fries", "what a lovely day") == first


def test_what_was_ordered_before_counts(demo: CompiledMenu) -> None:
    """ "No onions" is whole where there is a burger, and has a hole where there is none."""
    texts = ("with no onions", "a hamburger with no onions")
    assert chosen(demo, *texts) == texts[1]
    assert chosen(demo, *texts, before="a cheeseburger") == texts[0]


def test_words_held_back_count(demo: CompiledMenu) -> None:
    """The rest of a sentence that a pause cut is judged with its beginning."""
    assert chosen(demo, "fries", "a fried egg", before="a cheeseburger and a large") == "fries"


def test_hypotheses_that_order_something_else_are_told(demo: CompiledMenu) -> None:
    """Punctuation and other words for the same agree; another size or a topping less does not."""
    texts = (
        "a large fries and a coke",
        "I'd like a large fries and a Coke.",
        "a small fries and a coke",
        "a large fries",
    )
    choose = Conversation(demo).chooser()
    assert choose(texts, (0.4, 0.3, 0.2, 0.1)) == (0, pytest.approx(0.7))
    assert choose(("nice weather", "a coke"), (0.5, 0.5)) == (0, 1.0)
