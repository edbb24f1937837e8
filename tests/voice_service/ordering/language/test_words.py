"""Words before they mean anything: tokens, numbers, names, slips, and the menu they come from."""

from __future__ import annotations

from typing import Any

import pytest
from support.conversations import codes, order, said, short

from order_events.menu.menu import Menu
from voice_service.ordering import CompiledMenu, Conversation, Heard, HeardWord
from voice_service.ordering.dialogue.policy import Thresholds
from voice_service.ordering.doubt import Doubt
from voice_service.ordering.language.loader import language
from voice_service.ordering.language.numbers import number_at
from voice_service.ordering.language.spelling import Slips
from voice_service.ordering.language.tokens import key_of, tokenize
from voice_service.ordering.likelihood import Grounds
from voice_service.ordering.menu.lexicon import Candidate, Lexicon

EN = language("en-US")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I'd like 2 Coca-Colas.", ["i", "would", "like", "2", "coca", "colas", "."]),
        ("a 7-up, please!", ["a", "7", "up", ",", "please", "."]),
        ("7UP", ["7", "up"]),
        ("that\u2019s Jalapeños & café", ["that", "is", "jalapenos", "and", "cafe"]),
        ("Dr. Pepper", ["dr", "pepper"]),
        ("18,000 waters", ["18000", "waters"]),
        ("¿ ☃ ", []),
    ],
)
def test_text_is_made_uniform(text: str, words: list[str]) -> None:
    """However a recogniser writes it, the same words come out."""
    assert [t.text for t in tokenize(text, EN)] == words


def test_tokens_know_the_word_they_came_from() -> None:
    """The recogniser's confidence is per written word, also where that becomes several tokens."""
    assert [t.word for t in tokenize("I'd like Coca-Cola", EN)] == [0, 0, 1, 2, 2]


@pytest.mark.parametrize(
    ("many", "one"),
    [
        ("fries", "fry"),
        ("sandwiches", "sandwich"),
        ("tomatoes", "tomato"),
        ("cookies", "cookie"),
        ("cheeses", "cheese"),
        ("lattes", "latte"),
        ("domino's", "dominos"),
        ("seven", "7"),
    ],
)
def test_plurals_meet_their_singular(many: str, one: str) -> None:
    """A plural and its singular are found under the same key."""
    assert key_of(many, EN) == key_of(one, EN)


@pytest.mark.parametrize("word", ["swiss", "hummus", "is", "plus"])
def test_words_that_only_end_like_a_plural_stay(word: str) -> None:
    """An s at the end is not always a plural."""
    assert key_of(word, EN) == word


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("five", (5, 1)),
        ("twenty five", (25, 2)),
        ("twenty-five", (25, 2)),
        ("two hundred", (200, 2)),
        ("twelve hundred", (1200, 2)),
        ("a hundred fifty", (150, 3)),
        ("eighteen thousand cups", (18000, 2)),
        ("three dozen", (36, 2)),
        ("two billion", (999_999_999, 2)),
        ("a couple of", (2, 3)),
        ("half a dozen", (6, 3)),
        ("12", (12, 1)),
        ("three seven", (3, 1)),
        ("zero", None),
        ("2.5", None),
        ("to", None),
        ("none", None),
    ],
)
def test_numbers(text: str, number: tuple[int, int] | None) -> None:
    """A number is what people mean by one; two digits in a row are two numbers."""
    assert number_at(tokenize(text, EN), 0, EN) == number


def test_a_slip_is_matched_and_a_different_word_is_not() -> None:
    """A match must explain the word: near misses do, other words do not."""
    lexicon = Lexicon(EN)
    lexicon.add(Candidate("item", "cappuccino", None), ["Cappuccino"], shorten=True)
    lexicon.add(Candidate("item", "latte", None), ["Latte"], shorten=True)
    lexicon.seal()
    for slip in ("cappucino", "capuccino", "kapuchino"):
        assert [s.id for s in lexicon.find_misspelt(key_of(slip, EN))] == ["cappuccino"]
    assert lexicon.find_misspelt("cappuccinozig") == ()
    for other in ("later", "ladder", "laptop", "cup", "capital", "lobster"):
        assert lexicon.find_misspelt(key_of(other, EN)) == ()


@pytest.mark.parametrize(
    ("heard", "meant"),
    [
        ("thrie", "three"),
        ("koke", "coke"),
        ("pleaze", "please"),
        ("widhout", "without"),
        ("onon", "onion"),
        ("cat", None),
        ("zwintle", None),
        ("no", None),
    ],
)
def test_one_word_is_put_right_where_only_one_comes_near(heard: str, meant: str | None) -> None:
    """Menu words compete with everyday ones; two that are as near, or none, leave it as it is."""
    words = ("three", "coke", "blaze", "please", "without", "onion", "bat", "hat")
    slip = Slips(words, EN).find(heard)
    assert (slip and slip.word) == meant


def test_a_word_put_right_is_less_certain_than_one_heard(demo: CompiledMenu) -> None:
    """What was guessed is asked about sooner, and says how near it came."""
    slipped = said(demo, "can I get three cheesburgers and a koke").items
    heard = said(demo, "can I get three cheeseburgers and a coke").items
    assert [i.menu_item_id for i in slipped] == [i.menu_item_id for i in heard]
    for guess, sure in zip(slipped, heard, strict=True):
        assert guess.confidence is not None
        assert sure.confidence is not None
        assert guess.confidence < sure.confidence


def test_the_confidence_asked_for_is_a_setting(demo: CompiledMenu) -> None:
    """A restaurant that wants to be surer asks more often."""
    heard = Heard(1, "a chicken wrap", 0.6)
    for threshold, asked in ((0.5, False), (0.95, True)):
        update = Conversation(demo, Thresholds(item_confidence=threshold)).hear(heard)
        assert ("low_confidence" in codes(update)) == asked


def test_a_size_of_something_unknown_is_no_more_of_the_item_before(demo: CompiledMenu) -> None:
    """ "Large fries and a medium pepsi" is one order of fries, and a question."""
    update = said(demo, "a large fries and a medium zwintle")
    assert short(update.items) == ["1 french_fries/large"]
    assert [(r.code, r.text) for r in update.reasons] == [("unknown_item", "medium zwintle")]


def test_a_part_of_a_name_is_less_certain_than_the_name(demo: CompiledMenu) -> None:
    """Half a name is a guess: it is found, but with doubt."""
    whole = demo.lexicon.find("chickennugget", "chickennuggets")[0]
    part = demo.lexicon.find("nugget", "nuggets")[0]
    assert whole.id == part.id == "chicken_nuggets"
    assert (whole.doubts, part.doubts) == ((), (Doubt.PART_OF_NAME,))


def test_a_language_without_a_pack_is_a_clear_error(demo: CompiledMenu) -> None:
    """A menu in a language we do not have is refused when it is loaded, not when a guest talks."""
    with pytest.raises(ValueError, match="'xx'"):
        CompiledMenu(demo.menu.model_copy(update={"language": "xx"}))


def test_word_confidence_decides_only_about_its_own_item(demo: CompiledMenu) -> None:
    """A mumbled word makes the item doubtful that it names, not the others."""
    words = ("a", "hamburger", "and", "a", "sprite")
    heard = tuple(HeardWord(w, 0.3 if w == "sprite" else 0.9) for w in words)
    update = Conversation(demo).hear(Heard(1, " ".join(words), 0.8, heard))
    sure = Grounds().confidence
    assert [item.confidence for item in update.items] == pytest.approx(
        [0.983 * sure, 0.728 * sure], abs=0.001
    )
    assert [r.code for r in update.reasons] == ["low_confidence"]


# -- other restaurants ------------------------------------------------------------------------


def _cafe(**changes: Any) -> CompiledMenu:
    menu: dict[str, Any] = {
        "name": "Corner",
        "categories": [{"id": "plates", "name": "Plates"}, {"id": "nibbles", "name": "Nibbles"}],
        "sizes": [{"id": "cup", "name": "Cup"}, {"id": "lunch_size", "name": "Lunch Size"}],
        "modifier_groups": [
            {"id": "dips", "name": "Dips", "modifiers": [{"id": "aioli", "name": "Garlic Aioli"}]},
            {
                "id": "tops",
                "name": "Tops",
                "modifiers": [
                    {"id": "egg", "name": "Egg"},
                    {"id": "one_scoop", "name": "Scoop", "count": 1},
                    {"id": "two_scoops", "name": "Scoop", "count": 2},
                    {"id": "hummus_top", "name": "Hummus"},
                ],
            },
        ],
        "items": [
            {"id": "bowl", "name": "Rice Bowl", "category": "plates", "price": 900,
             "modifier_groups": ["tops"]},
            {"id": "soup", "name": "Miso Soup", "category": "plates",
             "prices": {"cup": 300, "lunch_size": 500}},
            {"id": "big_bowl", "name": "Mega Rice Bowl", "category": "plates", "price": 1200,
             "modifier_groups": ["tops"], "sold_out": True},
            {"id": "pita", "name": "Pita Chips", "category": "nibbles", "price": 300,
             "modifier_groups": ["dips"]},
            {"id": "hummus", "name": "Hummus", "category": "nibbles", "price": 200,
             "modifier_groups": ["dips"]},
        ],
    }  # fmt: skip
    return CompiledMenu(Menu.model_validate({**menu, **changes}))


def test_a_name_holds_with_a_modifier_inside() -> None:
    """ "mega egg rice bowl" is the mega rice bowl with an egg; it is sold out, and we say so."""
    update = said(_cafe(), "a mega egg rice bowl")
    assert update.items == ()
    assert [(r.code, r.text) for r in update.reasons] == [("sold_out", "Mega Rice Bowl")]


def test_a_counted_modifier_is_chosen_by_its_number() -> None:
    """Where the menu has one for each count, the number said picks it."""
    assert order(_cafe(), "a rice bowl with two scoops") == ["1 bowl +two_scoops"]
    assert order(_cafe(), "a rice bowl with a scoop") == ["1 bowl +one_scoop"]


def test_the_same_word_is_a_dish_or_a_topping_as_it_stands() -> None:
    """With an article it is ordered, in a list of toppings it is one."""
    assert order(_cafe(), "a rice bowl with egg and hummus") == ["1 bowl +egg +hummus_top"]
    assert order(_cafe(), "a rice bowl with egg and a side of hummus") == [
        "1 bowl +egg",
        "1 hummus",
    ]


def test_a_size_is_known_without_the_word_size() -> None:
    """ "lunch size" is also said as "lunch", before and after the dish."""
    assert order(_cafe(), "a lunch miso soup") == ["1 soup/lunch_size"]
    assert order(_cafe(), "miso soup, lunch sized") == ["1 soup/lunch_size"]


def test_an_accompaniment_is_marked_as_such() -> None:
    """Pita chips and hummus are one dish to the guest; chips and a soup are two."""
    conversation = Conversation(_cafe())
    conversation.hear(Heard(1, "pita chips and hummus", 0.9))
    assert [(line.item, line.joined) for line in conversation.lines] == [
        ("pita", False),
        ("hummus", True),
    ]


def test_a_menu_of_other_words_gets_no_words_of_ours() -> None:
    """Everyday synonyms name nothing that this menu does not have."""
    update = said(_cafe(), "a cheeseburger and a coke")
    assert short(update.items) == []
    assert codes(update) == {"unknown_item"}
