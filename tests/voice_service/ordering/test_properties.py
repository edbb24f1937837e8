"""What holds for every utterance, whatever is said."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from support.conversations import demo_menu, hears, said, short, written_menu

from order_events.domain.orders import price_items
from voice_service.ordering import CartUpdate, CompiledMenu, Conversation, Heard
from voice_service.ordering.cart_view import CartView
from voice_service.ordering.dialogue.readback import money, subtotal
from voice_service.ordering.intents.parser import Parser
from voice_service.ordering.language.pack import Cue
from voice_service.ordering.language.tokens import plural, tokenize

_MENU = demo_menu()
_ITEMS = ("cheeseburger", "chicken wrap", "large fries", "coke", "apple pie", "small vanilla shake")
_MODS = ("bacon", "no onions", "extra cheese", "ice", "ranch on the side", "without pickles")
_LINKS = ("and", "with", ",", "a", "two", "please", "the", "also", "I want", "can I get", "on the")
_EDITS = ("make it", "remove", "change", "to", "scratch that", "no", "actually", "instead of", "?")
_JUNK = ("blorfix", "zwintle", "qopp", "vuzzerl")
_COMBOS = ("number two", "large number three", "two number ones", "combo", "onion rings", "sprite")
_WORDS = st.sampled_from(_ITEMS + _COMBOS + _MODS + _LINKS + _EDITS + _JUNK)
_ORDERING = st.sampled_from(_ITEMS + _MODS + _LINKS + _JUNK)


@given(st.lists(st.text(max_size=60), max_size=4))
@settings(max_examples=150, deadline=None)
def test_any_text_is_survived(utterances: list[str]) -> None:
    """Nothing that can be written makes understanding raise."""
    said(_MENU, *utterances)


@given(st.lists(st.lists(_WORDS, max_size=12).map(" ".join), max_size=4))
@settings(max_examples=250, deadline=None)
def test_any_words_of_the_trade_give_an_order_that_can_be_placed(utterances: list[str]) -> None:
    """The hub takes every line as it is, at the price that is read back."""
    update = said(_MENU, *utterances)
    assert len({item.id for item in update.items}) == len(update.items)
    for item in update.items:
        known = _MENU.items[item.menu_item_id]
        assert (item.size in known.prices) if known.prices else item.size is None
        assert all(m.group in known.modifier_groups for m in item.modifiers)
    priced = price_items(update.items, _MENU.menu, already={})
    assert [(line.id, line.quantity, line.size) for line in priced] == [
        (item.id, item.quantity, item.size) for item in update.items
    ]
    assert subtotal(update.items, _MENU) == sum(line.subtotal for line in priced)
    if update.status == "confirmed":
        assert update.items
        assert not any(reason.question for reason in update.reasons)


@given(st.lists(_ORDERING, min_size=1, max_size=12))
@settings(max_examples=300, deadline=None)
def test_a_word_that_means_nothing_is_never_dropped(words: list[str]) -> None:
    """Every word is matched, known to carry nothing, or reported back in the guest's words."""
    _, reasons = hears(_MENU, [" ".join(words)])
    reported = " ".join(r.text for r in reasons).split()
    for junk in _JUNK:
        assert reported.count(junk) >= (1 if junk in words else 0)


@given(st.lists(_WORDS, max_size=12))
@settings(max_examples=200, deadline=None)
def test_spans_account_for_every_word(words: list[str]) -> None:
    """The phrases of a parse cover each word of the utterance once; hesitations are left out."""
    text = " um ".join(words)
    spans = Parser(_MENU).parse(text, CartView()).spans
    hesitations = set(_MENU.language.cues[Cue.HESITATION])
    tokens = [t.text for t in tokenize(text, _MENU.language) if t.text not in hesitations]
    assert sorted(w for s in spans for w in s.text.split()) == sorted(tokens)


_MENUS = (_MENU, demo_menu("es"), written_menu("el_patio"), written_menu("daybreak"))
_COUNTS = ("", "a ", "two ", "the ", "una ", "tres ", "las ", "to ", "another ")
_OPENINGS = ("", "and ", "no, ", "actually ", "make that ", "remove ", "just ", "quita ", "mejor ")
_CHANGES = (
    *("make it two", "the big one large", "both small", "undo that", "leave it", "that's all"),
    *("no blorfix please", "half of them without", "the same but qopp", "start over", "yes", "no"),
    *(
        "que sean dos",
        "la primera sin hielo",
        "otra igual",
        "eso es todo",
        "deshaz eso",
        "sin zwintle",
    ),
)


def _names(menu: CompiledMenu) -> list[str]:
    """Return what guests may name at a restaurant: items, sizes, modifiers and categories."""
    modifiers = [m.name for group in menu.menu.modifier_groups for m in group.modifiers]
    named = (*menu.menu.items, *menu.menu.sizes, *menu.menu.categories)
    return [name.lower() for name in (*(one.name for one in named), *modifiers)]


@st.composite
def _conversations(draw: st.DrawFn) -> tuple[CompiledMenu, list[str]]:
    """Return a menu, and utterances that order from it, change the order, or mean nothing."""
    menu = draw(st.sampled_from(_MENUS))
    name = st.builds("{}{}".format, st.sampled_from(_COUNTS), st.sampled_from(_names(menu)))
    listed = st.lists(name, min_size=1, max_size=3).map(" and ".join)
    wish = st.builds("{}{}".format, st.sampled_from(_OPENINGS), listed)
    utterances = st.lists(wish | st.sampled_from(_CHANGES), min_size=1, max_size=6)
    return menu, draw(utterances)


def _updates(menu: CompiledMenu, utterances: Sequence[str]) -> list[CartUpdate]:
    conversation = Conversation(menu)
    heard = [Heard(number, text, 0.95) for number, text in enumerate(utterances, start=1)]
    return [*(conversation.hear(one) for one in heard), conversation.end()]


def _reads(update: CartUpdate, menu: CompiledMenu) -> None:
    """Check that the read-back has every line in its number, what is on it, and what they cost."""
    text, priced = update.readback, price_items(update.items, menu.menu, already={})
    if update.items:
        assert money(sum(line.subtotal for line in priced), menu) in text
    for item in update.items:
        name = menu.item_name(item.menu_item_id)
        several = item.quantity > 1 and item.part_of is None
        name = plural(name, menu.language) if several else name
        size = "" if item.size is None else menu.sizes[item.size].name
        sized = menu.language.texts["sized"].format(size=size, name=name) if size else name
        if item.part_of is not None:
            assert sized in text
        else:
            assert re.search(rf"\b{item.quantity} (\w+ )*{re.escape(sized)}", text)
        for m in item.modifiers:
            assert menu.modifiers[m.group or "", m.id].name in text


@given(_conversations())
@settings(max_examples=200, deadline=None)
def test_read_back_and_cart_agree_after_every_utterance(
    said: tuple[CompiledMenu, list[str]],
) -> None:
    """Whatever was said, they agree; unknown words are reported, and results are repeatable."""
    menu, utterances = said
    updates = _updates(menu, utterances)
    for update in updates:
        _reads(update, menu)
    told = " ".join(reason.text for update in updates for reason in update.reasons)
    for junk in _JUNK:
        assert junk in told or not any(junk in text for text in utterances)
    assert repr(_updates(menu, utterances)) == repr(updates)


@given(st.lists(st.sampled_from(_ITEMS), min_size=1, max_size=5, unique=True), st.data())
@settings(max_examples=60, deadline=None)
def test_removing_and_ordering_again_changes_nothing(items: list[str], data: st.DataObject) -> None:
    """An item taken out and ordered again leaves the order as it was."""
    again = data.draw(st.sampled_from(items))
    ordered = "I'd like a " + ", a ".join(items)
    before = said(_MENU, ordered)
    after = said(_MENU, ordered, f"remove the {again}", f"and a {again}")
    assert short(after.items) == short(before.items)


@given(st.lists(_WORDS, min_size=1, max_size=8).map(" ".join))
@settings(max_examples=100, deadline=None)
def test_undo_takes_back_an_added_item(text: str) -> None:
    """Whatever was said before, adding an item and "undo that" leaves the cart as it was."""
    conversation = Conversation(_MENU)
    conversation.hear(Heard(1, text, 0.9))
    before = conversation.hear(Heard(2, "That's all.", 0.9)).items
    conversation.hear(Heard(3, "I want a chicken wrap.", 0.9))
    assert conversation.hear(Heard(4, "undo that", 0.9)).items == before


@given(
    st.dictionaries(
        st.sampled_from(("hamburger", "cheeseburger", "apple pie", "cookie")),
        st.integers(1, 19),
        min_size=1,
    )
)
@settings(max_examples=60, deadline=None)
def test_counts_come_out_as_said(wanted: dict[str, int]) -> None:
    """Any numbers of any items in one breath are that many of each."""
    update = said(_MENU, " and ".join(f"{n} {name}s" for name, n in wanted.items()))
    counted = {item.menu_item_id: item.quantity for item in update.items}
    ids = {"apple pie": "apple_pie", "cookie": "chocolate_chip_cookie"}
    assert counted == {ids.get(name, name): n for name, n in wanted.items()}
