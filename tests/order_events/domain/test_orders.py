"""Prices, totals, versions and the status machine."""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from support.drafts import NOW, burger, order_of

from order_events.domain import orders
from order_events.domain.drafts import ItemDraft, ModifierDraft
from order_events.domain.models import OrderChange, OrderStatus, PaymentStatus
from order_events.menu.menu import Menu
from order_events.protocol.errors import (
    IllegalTransition,
    InvalidOrder,
    OrderError,
    SoldOut,
    StaleVersion,
    UnknownItem,
)

S = OrderStatus


@given(st.integers(0, 10**9), st.decimals(0, Decimal("0.9999"), places=4))
def test_tax_is_exact_and_rounds_half_up(subtotal: int, rate: Decimal) -> None:
    """Compared with fractions, which are not rounded."""
    exact = subtotal * Fraction(rate)
    tax = orders.tax_on(subtotal, rate)
    assert exact - Fraction(1, 2) < tax <= exact + Fraction(1, 2)


def test_half_a_cent_rounds_up() -> None:
    """It is not rounded to even."""
    assert orders.tax_on(50, Decimal("0.01")) == 1
    assert orders.tax_on(250, Decimal("0.01")) == 3
    assert orders.tax_on(49, Decimal("0.01")) == 0


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["burger", "cola-s", "cola-l"]),
            st.integers(1, 50),
            st.integers(0, 3),
            st.booleans(),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_an_orders_totals_are_the_sum_of_its_lines(
    lines: list[tuple[str, int, int, bool]],
) -> None:
    """The expected values are computed from the menu's prices alone."""
    menu = Menu.model_validate(_MENU)
    drafts, expected = [], 0
    for what, quantity, bacon, negated in lines:
        if what == "burger":
            extra = [ModifierDraft(id="bacon", quantity=bacon, negated=negated)] if bacon else []
            drafts.append(burger(*extra, quantity=quantity))
            expected += quantity * (999 + (0 if negated else 150 * bacon))
        else:
            size = what[-1]
            drafts.append(ItemDraft(menu_item_id="cola", size=size, quantity=quantity))
            expected += quantity * {"s": 199, "l": 299}[size]
    order = order_of(menu, *drafts)
    assert order.subtotal == sum(item.subtotal for item in order.items) == expected
    assert order.total == order.subtotal + order.tax


@pytest.mark.parametrize(
    ("item", "error"),
    [
        (ItemDraft(menu_item_id="pizza"), UnknownItem),
        (ItemDraft(menu_item_id="soup"), SoldOut),
        (ItemDraft(menu_item_id="cola", size="xl"), UnknownItem),
        (ItemDraft(menu_item_id="burger", size="s"), InvalidOrder),
        (burger(ModifierDraft(id="mustard")), UnknownItem),
        (burger(ModifierDraft(id="bacon", group="sauces")), UnknownItem),
        (burger(*(ModifierDraft(id=i) for i in ("bacon", "onion", "cheese"))), InvalidOrder),
        (ItemDraft(menu_item_id="cola", modifiers=(ModifierDraft(id="bacon"),)), UnknownItem),
    ],
)
def test_what_the_menu_does_not_have_is_refused(
    menu: Menu, item: ItemDraft, error: type[OrderError]
) -> None:
    """Prices are never guessed."""
    with pytest.raises(error):
        order_of(menu, item)


def test_a_line_and_an_order_are_bounded() -> None:
    """So an order's event always fits into its readers' outboxes."""
    with pytest.raises(ValidationError):
        burger(*[ModifierDraft(id="bacon")] * 51)
    modifiers = [{"id": f"m{n}", "name": "x" * 200} for n in range(50)]
    groups = [{"id": "g", "name": "g", "modifiers": modifiers}]
    menu = Menu.model_validate({**_MENU, "modifier_groups": groups})
    large = burger(*(ModifierDraft(id=f"m{n}") for n in range(50)))
    assert len(order_of(menu, *[large] * 10).items) == 10
    with pytest.raises(InvalidOrder, match="262144 bytes"):
        order_of(menu, *[large] * 30)
    small = order_of(menu)
    with pytest.raises(InvalidOrder, match="262144 bytes"):
        orders.revise(small, OrderChange(items=(large,) * 30), menu, actor="a", now=NOW)


def test_a_line_takes_no_longer_where_the_menu_is_large() -> None:
    """Counts executed lines, not time: the work does not grow with the menu's groups."""

    def steps(groups: int) -> int:
        menu = Menu.model_validate(
            {
                **_MENU,
                "modifier_groups": [
                    {"id": f"g{n}", "name": "g", "modifiers": [{"id": "bacon", "name": "b"}]}
                    for n in range(groups)
                ],
                "items": [
                    {"id": f"i{n}", "name": "i", "category": "c", "price": 1} for n in range(groups)
                ]
                + [{**_MENU["items"][0], "modifier_groups": ["g0", "g1"]}],
            }
        )
        order_of(menu)
        lines = [burger(ModifierDraft(id="bacon"))] * 20
        return _instructions(lambda: order_of(menu, *lines))

    assert steps(500) < 2 * steps(5)


def _instructions(run: Callable[[], object]) -> int:
    """Return how many lines of Python `run` executes."""
    count = 0

    def trace(*_: object) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run()
    finally:
        sys.settrace(before)
    return count


def test_an_item_that_must_have_a_size_is_refused_without(menu: Menu) -> None:
    """There is no price to guess, unless the item has a default size."""
    assert order_of(menu, ItemDraft(menu_item_id="cola")).items[0].size == "s"
    undecided = menu.items[1].model_copy(update={"default_size": None})
    with pytest.raises(InvalidOrder, match="size"):
        order_of(menu.model_copy(update={"items": (undecided,)}), ItemDraft(menu_item_id="cola"))


def test_lines_keep_their_ids_and_get_free_ones(menu: Menu) -> None:
    """A later draft can change lines in place; duplicate ids are refused."""
    order = order_of(menu, burger(id="2"), burger(), burger(id="x"), burger())
    assert [item.id for item in order.items] == ["2", "1", "x", "3"]
    with pytest.raises(InvalidOrder):
        order_of(menu, burger(id="2"), burger(id="2"))


def test_the_kitchens_minutes_are_the_longest_items(menu: Menu) -> None:
    """A kitchen prepares items in parallel."""
    assert order_of(menu, burger(quantity=3), ItemDraft(menu_item_id="cola")).prep_time == 12


def test_every_pair_of_statuses_is_allowed_or_refused(menu: Menu) -> None:
    """Checks the protocol's table pair by pair."""
    path = [S.PENDING, S.CONFIRMED, S.PREPARING, S.READY, S.PICKED_UP, S.COMPLETED]
    allowed = set(pairwise(path)) | {(S.READY, S.COMPLETED)}
    allowed |= {(status, S.CANCELLED) for status in path[:-2]}
    for before in S:
        for after in S:
            order = order_of(menu).model_copy(update={"status": before})
            if (before, after) in allowed:
                changed = orders.set_status(order, after, None, actor="b", now="later")
                assert (changed.status, changed.version) == (after, 2)
                assert changed.status_times[after] == "later"
                assert changed.updated_by == "b"
            else:
                with pytest.raises(IllegalTransition):
                    orders.set_status(order, after, None, actor="b", now="later")


@given(st.lists(st.sampled_from(list(S)), max_size=12))
def test_versions_count_the_changes_that_were_made(steps: list[OrderStatus]) -> None:
    """A change against any other version is refused without effect."""
    order = order_of(Menu.model_validate(_MENU))
    for step in steps:
        for stale in (order.version - 1, order.version + 1):
            with pytest.raises(StaleVersion):
                orders.set_status(order, step, stale, actor="a", now=NOW)
        try:
            changed = orders.set_status(order, step, order.version, actor="a", now=NOW)
        except IllegalTransition:
            continue
        assert changed.version == order.version + 1
        order = changed
    assert order.version == len(order.status_times)


def test_an_order_can_be_changed_until_the_kitchen_has_finished_it(menu: Menu) -> None:
    """This holds for its items, its notes and its table."""
    change = OrderChange(items=(), notes="n", table_number="4")
    for status in S:
        order = order_of(menu).model_copy(update={"status": status})
        if status in (S.PENDING, S.CONFIRMED, S.PREPARING):
            changed = orders.revise(order, change, menu, actor="b", now="later")
            assert (changed.total, changed.notes, changed.table_number) == (0, "n", "4")
            assert (changed.version, changed.status) == (2, status)
        else:
            with pytest.raises(IllegalTransition):
                orders.revise(order, change, menu, actor="b", now="later")


def test_what_was_ordered_before_it_sold_out_stays(menu: Menu) -> None:
    """No further line of it can be added."""
    order = order_of(menu)
    items = tuple(i.model_copy(update={"sold_out": True}) for i in menu.items)
    sold_out = menu.model_copy(update={"items": items})
    change = OrderChange(items=(burger(special_instructions="well done"),))
    assert orders.revise(order, change, sold_out, actor="a", now=NOW).subtotal == 999
    with pytest.raises(SoldOut):
        orders.revise(
            order,
            OrderChange(items=(ItemDraft(menu_item_id="cola"),)),
            sold_out,
            actor="a",
            now=NOW,
        )


def test_payments_add_up(menu: Menu) -> None:
    """Partial, then paid; an order that grows is no longer fully paid."""
    order = order_of(menu)
    assert order.payment_status is PaymentStatus.UNPAID
    order = orders.pay(order, 81, actor="a", now=NOW)
    assert order.payment_status is PaymentStatus.PARTIAL
    order = orders.pay(order, 1000, actor="a", now=NOW)
    assert order.payment_status is PaymentStatus.PAID
    order = orders.revise(order, OrderChange(items=(burger(quantity=2),)), menu, actor="a", now=NOW)
    assert (order.payment_status, order.version) == (PaymentStatus.PARTIAL, 4)
    with pytest.raises(IllegalTransition):
        orders.pay(order.model_copy(update={"status": S.CANCELLED}), 1, actor="a", now=NOW)


_MENU: dict[str, Any] = {
    "name": "m",
    "tax_rate": "0.0825",
    "sizes": [{"id": "s", "name": "Small"}, {"id": "l", "name": "Large"}],
    "categories": [{"id": "c", "name": "c"}],
    "modifier_groups": [
        {"id": "g", "name": "g", "modifiers": [{"id": "bacon", "name": "b", "price": 150}]}
    ],
    "items": [
        {"id": "burger", "name": "b", "category": "c", "price": 999, "modifier_groups": ["g"]},
        {"id": "cola", "name": "c", "category": "c", "prices": {"s": 199, "l": 299}},
    ],
}


def test_a_sold_out_item_that_is_ordered_already_cannot_become_more(menu: Menu) -> None:
    """What the guest has stays; a second line of it counts as well."""
    order = order_of(menu, burger(quantity=2))
    burgers = [i.model_copy(update={"sold_out": i.id == "burger"}) for i in menu.items]
    without = menu.model_copy(update={"items": tuple(burgers)})

    def revised(*drafts: ItemDraft) -> None:
        orders.revise(order, OrderChange(items=drafts), without, actor="a", now=NOW)

    revised(burger(quantity=2))
    revised(burger(), burger())
    for more in ((burger(quantity=3),), (burger(quantity=2), burger())):
        with pytest.raises(SoldOut):
            revised(*more)


def test_a_free_order_is_paid(menu: Menu) -> None:
    """There is nothing left to pay; with something that costs, there is again."""
    free = tuple(i.model_copy(update={"price": 0}) for i in menu.items if i.id == "burger")
    giving = menu.model_copy(update={"items": (*free, *menu.items[1:])})
    order = order_of(giving, burger())
    assert (order.total, order.payment_status) == (0, PaymentStatus.PAID)
    change = OrderChange(items=(ItemDraft(menu_item_id="cola"),))
    revised = orders.revise(order, change, giving, actor="a", now=NOW)
    assert revised.payment_status is PaymentStatus.UNPAID
