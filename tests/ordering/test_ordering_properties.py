"""What holds for every utterance, whatever is said."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from ordering_kit import demo_menu, hears, said, short

from order_events.orders import price_items
from voice_service.ordering import Conversation, Heard
from voice_service.ordering.language import Cue
from voice_service.ordering.loose import CartView
from voice_service.ordering.parser import Parser
from voice_service.ordering.readback import subtotal
from voice_service.ordering.text import tokenize

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
    """Words in any order: the hub takes every line as it is, at the price that is read back."""
    update = said(_MENU, *utterances)
    assert len({item.id for item in update.items}) == len(update.items)
    for item in update.items:
        known = _MENU.items[item.menu_item_id]
        assert (item.size in known.prices) if known.prices else item.size is None
        assert all(m.group in known.modifier_groups for m in item.modifiers)
    priced = price_items(update.items, _MENU.menu, already=())
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


@given(st.lists(_WORDS, max_size=12).map(" ".join))
@settings(max_examples=100, deadline=None)
def test_the_same_words_give_the_same_order(text: str) -> None:
    """Understanding is deterministic, down to the read-back."""
    assert said(_MENU, text) == said(_MENU, text)


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
