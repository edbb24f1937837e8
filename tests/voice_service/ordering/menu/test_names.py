"""Names and choices that a menu writes in its own way, and how an order with them is said back."""

from __future__ import annotations

from functools import cache

import pytest
from support.conversations import codes, order, said

from order_events.menu.entries import Category, Choice, MenuItem, Modifier, ModifierGroup, Slot
from order_events.menu.menu import Menu
from voice_service.ordering import CompiledMenu


def _group(name: str, *names: str, least: int = 0, most: int | None = None) -> ModifierGroup:
    modifiers = tuple(Modifier(id=n.lower().replace(" ", "_"), name=n) for n in names)
    return ModifierGroup(id=name.lower(), name=name, modifiers=modifiers, min=least, max=most)


@cache
def _taqueria() -> CompiledMenu:
    """No Ice and No Sugar are choices, a meat has to be chosen, and names hold numbers and "&"."""
    slots = (
        Slot(id="main", name="Main", choices=(Choice(item="taco"), Choice(item="torta"))),
        Slot(id="drink", name="Drink", choices=(Choice(item="tea"), Choice(item="water"))),
    )
    return CompiledMenu(
        Menu(
            name="Taqueria",
            categories=tuple(Category(id=c, name=c.title()) for c in ("food", "drinks", "combos")),
            modifier_groups=(
                _group("Meat", "Chicken", "Carnitas", "Al Pastor", least=1, most=1),
                _group("Toppings", "Onions", "Bacon"),
                _group("Ice", "No Ice", "Less Ice", "Regular Ice", most=1),
                _group("Sugar", "No Sugar", "Half Sugar", most=1),
            ),
            items=(
                MenuItem(
                    id="taco",
                    name="Taco",
                    category="food",
                    price=300,
                    modifier_groups=("meat", "toppings"),
                    defaults=("onions",),
                ),
                MenuItem(id="torta", name="Torta", category="food", price=700),
                MenuItem(id="churros", name="Churros", category="food", price=400),
                MenuItem(id="pbj", name="PB&J", category="food", price=500),
                MenuItem(id="mms", name="M&M's", category="food", price=200),
                MenuItem(
                    id="tea",
                    name="Thai Tea",
                    category="drinks",
                    price=450,
                    modifier_groups=("ice", "sugar"),
                ),
                MenuItem(id="water", name="Water", category="drinks", price=100),
                MenuItem(
                    id="plate",
                    name="Three Taco Plate",
                    number=2,
                    category="combos",
                    price=1000,
                    slots=slots[1:],
                ),
                MenuItem(id="meal", name="Big Meal", category="combos", price=1000, slots=slots),
            ),
        )
    )


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("a thai tea without ice", "1 tea +no_ice"),
        ("a thai tea without any ice", "1 tea +no_ice"),
        ("a thai tea, hold the ice", "1 tea +no_ice"),
        ("a thai tea, I don't want ice", "1 tea +no_ice"),
        ("a thai tea, skip the sugar", "1 tea +no_sugar"),
        ("a thai tea without sugar or ice", "1 tea +no_ice +no_sugar"),
    ],
)
def test_without_is_the_choice_that_the_menu_has_for_it(text: str, item: str) -> None:
    """It takes nothing off, as nothing is on it: it is a choice of its own."""
    assert order(_taqueria(), text) == [item]


def test_what_an_item_cannot_be_without_is_told() -> None:
    """Water has no ice to leave out; the wish must not vanish."""
    assert "modifier_not_available" in codes(said(_taqueria(), "a water without ice"))


@pytest.mark.parametrize("text", ["a pb&j", "a PB and J", "one PB&J", "M&M's", "an M&M's"])
def test_an_ampersand_makes_no_plural(text: str) -> None:
    """ "PB&J" has three letters and is said with six; that is one all the same."""
    update = said(_taqueria(), text)
    assert not update.reasons
    assert [item.quantity for item in update.items] == [1]


def test_three_tacos_are_no_plate_of_three() -> None:
    """Half a name with a number in it gives way to the number and a whole name."""
    assert order(_taqueria(), "three tacos: one carnitas, one chicken, one al pastor") == [
        "1 taco +al_pastor",
        "1 taco +carnitas",
        "1 taco +chicken",
    ]
    assert order(_taqueria(), "a three taco plate with a water") == ["1 >water", "1 plate"]


@pytest.mark.parametrize(
    ("utterance", "line"),
    [
        ("a taco no onions with chicken and bacon sorry make that carnitas", "+bacon +carnitas"),
        ("a taco no onions with chicken and bacon sorry make that a carnitas", "+bacon +carnitas"),
        ("a taco with chicken and bacon no onions no wait al pastor", "+al_pastor +bacon"),
    ],
)
def test_another_choice_of_a_kind_takes_its_place(utterance: str, line: str) -> None:
    """Also where it was not the last word, and with an article; what was left off stays off."""
    assert order(_taqueria(), utterance) == [f"1 taco {line} -onions"]


def test_a_number_on_the_board_may_be_several() -> None:
    """ "Number 2s" is the name, written as several."""
    assert order(_taqueria(), "2 number 2s with water") == ["2 >water", "2 plate"]


def test_a_meal_is_made_around_what_fits_it() -> None:
    """Also where the menu has no default for its main part."""
    assert order(_taqueria(), "a torta", "make that a meal with a water") == [
        "1 >torta",
        "1 >water",
        "1 meal",
    ]


def test_the_order_is_said_as_a_person_would() -> None:
    """What had to be chosen stands with the name, what is left off comes last."""
    update = said(_taqueria(), "a chicken taco with no onions and with bacon and churros")
    assert update.readback.startswith(
        "1 Taco (Chicken) with Bacon and no Onions and 1 order of Churros."
    ) or update.readback.startswith(
        "Thank you. 1 Taco (Chicken) with Bacon and no Onions and 1 order of Churros."
    )


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("chicken tacos", "How many Tacos would you like?"),
        ("same again", "What would you like first?"),
        ("a taco or a torta", "Which one would you like: Taco or Torta?"),
    ],
)
def test_questions_read_well(text: str, question: str) -> None:
    """They are spoken to guests."""
    assert question in [reason.question for reason in said(_taqueria(), text).reasons]
