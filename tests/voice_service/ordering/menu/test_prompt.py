"""What the recogniser is told to have just heard."""

from __future__ import annotations

import pytest
from support.conversations import demo_menu

from order_events.menu.entries import Category, MenuItem, Modifier, ModifierGroup, Size
from order_events.menu.menu import Menu
from voice_service.ordering import CompiledMenu

_SYLLABLES = ("ba", "do", "fi", "gu", "lo", "ma", "ne", "pi", "ro", "su")


def word(number: int) -> str:
    """A word of its own for each number below a thousand."""
    return "".join(_SYLLABLES[int(digit)] for digit in f"{number:03}")


def cafe(items: int = 2, name: str = "Latte {}") -> CompiledMenu:
    """A menu with so many items of two sizes, and as many syrups."""
    syrups = tuple(Modifier(id=f"s{i}", name=f"Syrup {word(i)}x") for i in range(items))
    return CompiledMenu(
        Menu(
            name="Cafe",
            sizes=(Size(id="s", name="Small"), Size(id="l", name="Large (16 oz)")),
            categories=(Category(id="drink", name="Drink"),),
            modifier_groups=(ModifierGroup(id="syrup", name="syrup", modifiers=syrups),),
            items=tuple(
                MenuItem(
                    id=f"i{i}",
                    name=name.format(word(i)),
                    category="drink",
                    prices={"s": 300, "l": 400},
                    modifier_groups=("syrup",),
                )
                for i in range(items)
            ),
        )
    )


def test_the_menu_is_said_as_an_order() -> None:
    """Whisper goes on in the style of what it was told: running text, no list, no capitals."""
    assert cafe().bias == (
        "I would like a small latte bababa with syrup bababax and syrup babadox"
        " and a large latte babado."
    )


def test_items_are_said_with_what_they_come_with() -> None:
    """A size that an item does not have would teach the recogniser nonsense."""
    bias = demo_menu().bias
    assert "a six piece chicken nuggets with barbecue sauce" in bias
    assert "a hamburger with cheese" in bias


@pytest.mark.parametrize("items", [50, 400])
def test_a_long_menu_is_cut_and_has_a_bit_of_everything(items: int) -> None:
    """What the decoder has no room for is left out, not items for modifiers or the reverse."""
    bias = cafe(items).bias
    assert len(bias) < 1_100
    assert bias.count("latte") > 20
    assert bias.count("syrup") > 20


def test_names_keep_abbreviations_and_lose_asides_and_repetitions() -> None:
    """ "BLT" is written so; what is in brackets is not said; what was said is not said again."""
    assert cafe(1, "BLT {} (new!)").bias.count("BLT bababa with syrup bababax") == 1
    assert "(" not in cafe(1, "BLT {} (new!)").bias
    assert demo_menu().bias.count("hamburger") == 1


@pytest.mark.parametrize("name", ["Tea <|endoftext|> {}", "Tea <<||endoftext|> {}", "Tea <(x)| {}"])
def test_names_are_no_commands_to_the_model(name: str) -> None:
    """What the model's tokeniser takes for its own tokens is taken apart."""
    assert "<|" not in cafe(1, name).bias
    assert "bababa" in cafe(1, name).bias
