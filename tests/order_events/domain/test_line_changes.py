"""What a kitchen has to be told of an order that changed after it had it."""

from __future__ import annotations

from itertools import pairwise

from support.drafts import burger

from order_events.domain import line_changes
from order_events.domain.drafts import ItemDraft, ModifierDraft
from order_events.domain.models import LineChange, OrderItem
from order_events.domain.orders import price_items
from order_events.menu.menu import Menu

COLA = ItemDraft(id="2", menu_item_id="cola")


def lines(menu: Menu, *drafts: ItemDraft) -> tuple[OrderItem, ...]:
    return price_items(drafts, menu, already={})


def told(menu: Menu, *steps: tuple[ItemDraft, ...]) -> list[tuple[str, str]]:
    """Return each line that is to be acknowledged after these states, with its change."""
    changes: tuple[LineChange, ...] = ()
    states = [lines(menu, *step) for step in steps]
    for before, after in pairwise(states):
        changes = line_changes.added_to(changes, before, after, by="ann", at="now")
    return [(change.item_id, change.change) for change in changes]


def test_each_line_has_one_change_from_what_was_acknowledged(menu: Menu) -> None:
    """However often it changed; what is again as it was, or came and went, is none."""
    one, two = burger(id="1"), burger(id="1", quantity=2)
    plain = burger(ModifierDraft(id="onion", negated=True), id="1")
    assert told(menu, (one,), (two,)) == [("1", "changed")]
    assert told(menu, (one,), (two,), (plain,)) == [("1", "changed")]
    assert told(menu, (one,), (two,), (one,)) == []
    assert told(menu, (one,), (one, COLA)) == [("2", "added")]
    assert told(menu, (one,), (one, COLA), (one,)) == []
    assert told(menu, (one, COLA), (one,)) == [("2", "voided")]
    assert told(menu, (one, COLA), (one,), (one, COLA)) == []


def test_a_change_of_price_is_none(menu: Menu) -> None:
    """The kitchen makes the same, whatever it costs and however sure it is."""
    [line] = lines(menu, burger(id="1"))
    other = line.model_copy(update={"price": 1, "subtotal": 1, "confidence": 0.2})
    assert line_changes.added_to((), (line,), (other,), by="ann", at="now") == ()


def test_a_line_that_changed_is_open_again(menu: Menu) -> None:
    """The others stay done."""
    before = [
        item.model_copy(update={"status": "done"}) for item in lines(menu, burger(id="1"), COLA)
    ]
    after = line_changes.keeping_status(before, lines(menu, burger(id="1", quantity=2), COLA))
    assert [item.status for item in after] == ["open", "done"]
