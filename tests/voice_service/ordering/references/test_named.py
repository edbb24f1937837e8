"""Partial names of what is ordered."""

from __future__ import annotations

import pytest
from support.conversations import demo_menu, said, short

from order_events.menu.entries import Category, MenuItem
from order_events.menu.menu import Menu
from voice_service.ordering import CompiledMenu


@pytest.mark.parametrize(
    ("utterances", "order"),
    [
        (
            ["a coffee and an apple pie", "instead of the pie an ice cream cone"],
            ["1 coffee/medium", "1 ice_cream_cone"],
        ),
        (["two apple pies", "take one of those pies off"], ["1 apple_pie"]),
        (
            ["two cheeseburgers", "on one of the burgers no onions"],
            ["1 cheeseburger", "1 cheeseburger -onions"],
        ),
        (
            [
                "a hamburger with bacon and a cheeseburger",
                "the burger that's got bacon, no mustard",
            ],
            ["1 cheeseburger", "1 hamburger +bacon -mustard"],
        ),
        (["the burger that has mushrooms and swiss please"], ["1 mushroom_swiss_burger"]),
    ],
)
def test_the_rest_of_a_name_is_in_the_order(utterances: list[str], order: list[str]) -> None:
    """What is meant is ordered already, or only one dish is called so."""
    assert short(said(demo_menu(), *utterances, "that's all").items) == order


@pytest.mark.parametrize("text", ["a five dollar box", "a $5 box", "one 5 dollar box please"])
def test_a_price_in_a_name_is_said_in_words(text: str) -> None:
    """ "$5" is written before its number and said behind it."""
    box = MenuItem(id="box", name="$5 Box", category="boxes", price=500)
    menu = Menu(name="Boxes", categories=(Category(id="boxes", name="Boxes"),), items=(box,))
    assert short(said(CompiledMenu(menu), text).items) == ["1 box"]
